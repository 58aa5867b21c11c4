// ServerConnection: a ServerCodec on a Stream, with timeouts, back-pressure and the end of a connection.
//
// Lives as long as the server keeps it or a Responder may still answer through it; what it held of the network goes
// with close().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/env/env.hpp"
#include "leftfold/http/server.hpp"

#include "server_codec.hpp"

namespace leftfold::http {

class ServerConnection;

// The server, as its connections see it.
class ConnectionKeeper {
  public:
    // The connection has closed.
    virtual void forget(ServerConnection& connection) = 0;
    // Calls resume() in a later step.
    virtual void resume_later(ServerConnection& connection) = 0;

  protected:
    ~ConnectionKeeper() = default;
};

// What the connections of a server share. Outlives their streams.
struct ServerShared {
    Env env;
    ServerOptions options;
    Handler& handler;
    CodecShared codec;
    ServerCounters counters;
    bool on_loopback = false;
    // Whose request the Handler is given just now. It lies in the scratch: until it is done, nobody reads another.
    ServerConnection* running = nullptr;
    ConnectionKeeper& keeper;
};

class ServerConnection final : private StreamHandler, public ReplySink {
  public:
    // With one reference, which is the server's.
    ServerConnection(ServerShared& shared, std::unique_ptr<Stream> stream);
    ServerConnection(const ServerConnection&) = delete;
    ServerConnection& operator=(const ServerConnection&) = delete;

    void start();
    // Ends what has run out of time.
    void sweep(MonotonicTime now);
    // Answers what has begun and closes. Not while a Handler runs.
    void finish();
    // Reads what was held back.
    void resume();
    // Drops everything. The server forgets the connection within the call.
    void close();

    std::size_t index = 0;  // the server's: place in its list

    void retain() noexcept override { ++references_; }
    void release() noexcept override;
    void reply(std::uint64_t ticket, Response response) override;
    bool begin_body(std::uint64_t ticket, Response head, BodyHandler& handler) override;
    void write_body(std::uint64_t ticket, std::string_view piece) override;
    void end_body(std::uint64_t ticket, bool is_whole) override;
    std::size_t unsent_body_bytes(std::uint64_t ticket) const noexcept override;
    bool has_body_room(std::uint64_t ticket) noexcept override;

  private:
    enum class Phase : std::uint8_t { fresh, head, body, busy, idle, lingering };

    // An answer that is written piece by piece, from its begin to its end.
    struct Body {
        std::uint64_t ticket;
        BodyHandler* handler;
        bool awaits_room = false;
        bool knows_stop = false;
        MonotonicTime without_room_since = MonotonicTime::max();  // as far as the sweep saw
    };

    ~ServerConnection() = default;

    void on_data(ByteSpan bytes) override;
    void on_sent() override;
    void on_end() override;
    void on_failed(Error error) override;

    bool is_open() const noexcept { return stream_ != nullptr; }
    bool is_blocked() const noexcept;
    void read_requests(std::string_view& input);
    void handle_request();
    void read_unread();
    void go_on_after_answer();
    void settle();
    Body* find_body(std::uint64_t ticket) noexcept;
    Body* body_in_turn() noexcept;
    void tell_room();
    void tell_stop();
    void break_later();
    bool reads_too_slowly(MonotonicTime now) noexcept;
    void hold_back_or_read();
    void enter_phase();
    Phase current_phase() const noexcept;
    Duration timeout_of(Phase phase) const noexcept;
    void linger();
    void expire();
    MonotonicTime now() const noexcept { return shared_->env.clock.monotonic(); }

    ServerShared* shared_;
    std::unique_ptr<Stream> stream_;  // null: closed
    ServerCodec codec_;
    std::string unread_;  // received while blocked

    MonotonicTime deadline_ = MonotonicTime::max();
    MonotonicTime progress_at_{};  // when the network last took bytes, as far as the sweep saw
    std::uint64_t bytes_given_ = 0;
    std::uint64_t bytes_taken_ = 0;  // as the last sweep saw it
    std::uint64_t phase_request_ = 0;
    std::vector<Body> bodies_;

    std::uint32_t references_ = 1;
    Phase phase_ = Phase::fresh;
    bool paused_ = false;
    bool peer_ended_ = false;
    bool stopping_ = false;
    bool broken_ = false;  // a body ended in its midst: closed in a step of its own
};

}  // namespace leftfold::http
