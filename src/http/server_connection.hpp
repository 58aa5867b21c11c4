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

  private:
    enum class Phase : std::uint8_t { fresh, head, body, busy, idle, lingering };

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
    void settle();
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

    std::uint32_t references_ = 1;
    Phase phase_ = Phase::fresh;
    bool paused_ = false;
    bool peer_ended_ = false;
};

}  // namespace leftfold::http
