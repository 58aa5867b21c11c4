// Server: HTTP/1.1 (RFC 9110, 9112) over env's Network.
//
// Everything happens on the thread of env's Scheduler. Requests of a connection reach the Handler in the order in which
// they came, also before earlier ones are answered; the answers go out in that order, whenever they are given. What is
// malformed or over a limit is answered by the server itself with a problem document, and the connection is closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "leftfold/env/env.hpp"
#include "leftfold/http/message.hpp"
#include "leftfold/http/responder.hpp"

namespace leftfold::http {

class Handler {
  public:
    virtual ~Handler() = default;

    // The Request dies with the call; the Responder may be kept. HEAD is a GET to answer in full: the server drops the
    // body. An exception that escapes becomes a 500.
    virtual void handle(const Request& request, Responder responder) = 0;
};

struct ServerOptions {
    Endpoint endpoint = TcpEndpoint{.host = "127.0.0.1", .port = 0};

    std::size_t header_bytes_max = 16 * 1024;       // request line and headers together, and trailers: 431
    std::size_t header_count_max = 100;             // 431
    std::size_t body_bytes_max = 1024 * 1024;       // 413
    std::size_t connections_max = 10'000;           // what comes beyond is closed at once
    std::size_t pipelined_max = 64;                 // unanswered requests of a connection; then it is not read further
    std::size_t unsent_bytes_max = 1024 * 1024;     // unread answers of a connection; then it is not read further
    std::size_t body_unsent_bytes_max = 64 * 1024;  // of an answer written piece by piece; then its writer has no room

    Duration header_timeout = std::chrono::seconds(10);  // from accept, or from a request's first byte: 408
    Duration body_timeout = std::chrono::seconds(30);    // from the end of the headers to the end of the body: 408
    Duration idle_timeout = std::chrono::seconds(60);    // between an answer and the next request
    Duration write_timeout = std::chrono::seconds(30);   // without any progress in sending an answer; and for a client
                                                         // to make room where the writer of a body has none
    Duration linger_timeout = std::chrono::seconds(2);   // after a last answer, for the client to close first
};

// Since start, but for `connections` and `bodies`.
struct ServerCounters {
    std::uint64_t connections = 0;           // open now
    std::uint64_t connections_accepted = 0;  // without those refused
    std::uint64_t connections_refused = 0;   // over connections_max
    std::uint64_t requests = 0;              // given to the Handler
    std::uint64_t responses = 0;             // its answers, given to the network
    std::uint64_t responses_dropped = 0;     // the client had gone
    std::uint64_t handler_exceptions = 0;    // escaped from Handler::handle: a bug in it
    std::uint64_t bad_requests = 0;          // refused by the server itself: 4xx and 5xx of its own
    std::uint64_t timeouts = 0;              // connections closed by any of the timeouts
    std::uint64_t bodies = 0;                // being written piece by piece now
    std::uint64_t bodies_cut = 0;            // of those, closed by the write timeout: the client read too slowly
};

class Server {
  public:
    // `env` and `handler` outlive the Server. Fails as Network::listen does, and with invalid_argument on a limit of 0.
    static Result<std::unique_ptr<Server>> start(const Env& env, ServerOptions options, Handler& handler);

    // Drops every connection at once. Not from within Handler::handle.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // With the real port where 0 was asked for.
    const Endpoint& endpoint() const noexcept;

    // Stops accepting, closes idle connections, lets requests that have begun end with "Connection: close", and after
    // `grace` drops what is left. `stopped` runs once, as a later step, when the last connection is gone. Once.
    void stop(Duration grace, Step stopped);

    const ServerCounters& counters() const noexcept;

  private:
    class Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace leftfold::http
