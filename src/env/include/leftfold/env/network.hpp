// Network: byte streams over TCP and Unix sockets. Sans-IO protocol code (http) hangs behind a StreamHandler; in
// simulation the same handlers hang behind a simulated network.
//
// Thread rule: everything here belongs to the thread of one Scheduler; every callback runs on it.
// Life cycle: the owner of a Stream destroys it when it is done; after close() or destruction no callback comes.
// No callback is made within a call that the handler makes, except on_sent from nothing: they come as later steps.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "leftfold/base/bytes.hpp"
#include "leftfold/base/error.hpp"

namespace leftfold {

// A numeric IPv4 or IPv6 address, or "localhost"; port 0 lets the system choose.
struct TcpEndpoint {
    std::string host;
    std::uint16_t port = 0;
};
struct UnixEndpoint {
    std::string path;
};
using Endpoint = std::variant<TcpEndpoint, UnixEndpoint>;

// "127.0.0.1:8080", "[::1]:8080" or "unix:/path".
std::string to_string(const Endpoint& endpoint);
// True for 127.0.0.0/8, ::1, localhost, and every Unix socket.
bool is_loopback(const Endpoint& endpoint);

class StreamHandler {
  public:
    virtual ~StreamHandler() = default;

    // Bytes that arrived; the span is valid during the call only.
    virtual void on_data(ByteSpan bytes) = 0;
    // All that was given to send() has been handed to the system.
    virtual void on_sent() = 0;
    // The peer will send no more; sending to it may still work.
    virtual void on_end() = 0;
    // The stream failed, and only destruction is left.
    virtual void on_failed(Error error) = 0;
};

class Stream {
  public:
    // Closes.
    virtual ~Stream() = default;

    // Sets who is told, and begins to read. Once; the handler outlives the stream.
    virtual void start(StreamHandler& handler) = 0;

    // Queues bytes behind those not yet sent. The caller bounds what is unsent: see unsent_bytes().
    virtual void send(std::string bytes) = 0;
    virtual std::size_t unsent_bytes() const noexcept = 0;

    // While paused nothing is read, and the peer is held back by its window.
    virtual void pause_reading() = 0;
    virtual void resume_reading() = 0;

    // Sends what is queued, then tells the peer that no more comes.
    virtual void finish_sending() = 0;
    // Drops what is queued. Idempotent.
    virtual void close() = 0;

    // Of the peer, for logs and limits.
    virtual const Endpoint& peer() const noexcept = 0;
};

class Listener {
  public:
    // Stops accepting; accepted streams live on.
    virtual ~Listener() = default;
    // The real port where 0 was asked for.
    virtual const Endpoint& endpoint() const noexcept = 0;
};

class Network {
  public:
    using Accept = std::move_only_function<void(std::unique_ptr<Stream>)>;
    using Connected = std::move_only_function<void(Result<std::unique_ptr<Stream>>)>;

    virtual ~Network() = default;

    virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, Accept accept) = 0;
    // Answers once, later, unless the Network is destroyed first. The caller sets its own deadline.
    virtual void connect(const Endpoint& endpoint, Connected connected) = 0;
};

}  // namespace leftfold
