// Responder: where the answer to one request goes. It is given whole, or begun and then written piece by piece for as
// long as it takes.
//
//     class Ticks : public http::BodyHandler { … };
//     ticks.writer = responder.begin({.content_type = "text/event-stream"}, ticks);
//     ticks.writer.write("data: 1\n\n");  // now or in any later step, while has_room()
//     ticks.writer.finish();
//
// Thread rule: that of the Server. Responders and BodyWriters may outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "leftfold/http/message.hpp"

namespace leftfold::http {

// Who writes a body piece by piece, as the connection sees him. No call comes within one that he makes on his
// BodyWriter. Each of them may destroy it.
class BodyHandler {
  public:
    // There is room again; once after has_room() said that there is none.
    virtual void on_room() = 0;
    // The server stops: the body should end now. What has not ended after the grace is cut off.
    virtual void on_stop() = 0;
    // Nobody reads any longer: the client has gone or was too slow, or the server is no more. The last call: from now
    // on the writer drops what it is given.
    virtual void on_gone() = 0;

  protected:
    ~BodyHandler() = default;
};

// Where an answer goes; counted by its Responders and BodyWriters. Only for who makes Responders.
class ReplySink {
  public:
    virtual void retain() noexcept = 0;
    virtual void release() noexcept = 0;
    virtual void reply(std::uint64_t ticket, Response response) = 0;

    // In place of reply(): once begun, any number of pieces, and an end. False: nobody is there to read a body.
    virtual bool begin_body(std::uint64_t ticket, Response head, BodyHandler& handler) = 0;
    virtual void write_body(std::uint64_t ticket, std::string_view piece) = 0;
    virtual void end_body(std::uint64_t ticket, bool is_whole) = 0;
    virtual std::size_t unsent_body_bytes(std::uint64_t ticket) const noexcept = 0;
    virtual bool has_body_room(std::uint64_t ticket) noexcept = 0;

  protected:
    ~ReplySink() = default;
};

// The body of an answer that was begun. One that is destroyed without finish() ends the connection, so that the client
// can tell that the body is not whole. One that is not open takes everything, and drops it.
class BodyWriter {
  public:
    BodyWriter() noexcept = default;  // of nothing
    BodyWriter(ReplySink& sink, std::uint64_t ticket) noexcept : sink_(&sink), ticket_(ticket) { sink.retain(); }
    BodyWriter(BodyWriter&& other) noexcept : sink_(std::exchange(other.sink_, nullptr)), ticket_(other.ticket_) {}
    BodyWriter& operator=(BodyWriter&& other) noexcept {
        std::swap(sink_, other.sink_);
        std::swap(ticket_, other.ticket_);
        return *this;
    }
    ~BodyWriter();

    bool is_open() const noexcept { return sink_ != nullptr; }

    // Takes all of it, also where there is no room: who goes on without room is not bounded. An empty piece is none.
    void write(std::string_view piece);
    // Given and not yet taken by the system for the client, answers that must leave before this one included.
    std::size_t unsent_bytes() const noexcept;
    // Not more unsent than ServerOptions::body_unsent_bytes_max. If not, on_room() will come.
    bool has_room() noexcept;

    // The body is whole. Uses the writer up.
    void finish();

  private:
    ReplySink* sink_ = nullptr;
    std::uint64_t ticket_ = 0;
};

// The right, and the duty, to answer one request: once, now or in any later step of the same thread. If the client has
// gone, the answer is dropped; a Responder that is destroyed unused answers 500.
class Responder {
  public:
    Responder(ReplySink& sink, std::uint64_t ticket) noexcept : sink_(&sink), ticket_(ticket) { sink.retain(); }
    // Without a server: for tests of handlers. A body that is written piece by piece is received when it is whole.
    static Responder to(std::move_only_function<void(Response)> receive);

    Responder(Responder&& other) noexcept : sink_(std::exchange(other.sink_, nullptr)), ticket_(other.ticket_) {}
    Responder& operator=(Responder&& other) noexcept {
        std::swap(sink_, other.sink_);
        std::swap(ticket_, other.ticket_);
        return *this;
    }
    ~Responder();

    void send(Response response);
    // Begins an answer that is written piece by piece; the first piece is `head.body`. It goes out chunked, to an
    // HTTP/1.0 client as what comes until the connection closes. The status is one that has a body: not 204, not 304.
    // The handler outlives the writer. Where nobody is there to read a body (the client has gone, or asked by HEAD),
    // the writer is not open, and the handler is not told of anything.
    [[nodiscard]] BodyWriter begin(Response head, BodyHandler& handler);

  private:
    ReplySink* sink_;
    std::uint64_t ticket_;
};

}  // namespace leftfold::http
