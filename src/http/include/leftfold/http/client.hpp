// Client: HTTP/1.1 requests to one endpoint, over a pool of keep-alive connections. For Leftfold's own tools and tests.
//
// Everything happens on the thread of env's Scheduler. One request at a time on a connection; what finds no free one
// waits in order, up to a bound. An answer that is read piece by piece has a connection of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "leftfold/env/env.hpp"
#include "leftfold/http/message.hpp"

namespace leftfold::http {

struct ClientOptions {
    Endpoint endpoint{};
    std::string host{};  // for the Host header; empty: the endpoint as text

    std::size_t connections_max = 64;
    std::size_t waiting_max = 1024;  // requests without a connection; more are `overloaded`
    std::size_t header_bytes_max = 64 * 1024;
    std::size_t header_count_max = 200;
    std::size_t body_bytes_max = 64 * 1024 * 1024;
    Duration idle_timeout = std::chrono::seconds(30);  // an unused connection is closed; keep it below the server's
};

struct ClientRequest {
    Method method = Method::get;
    std::string target = "/";         // already percent-encoded
    std::string header_lines{};       // whole lines, each "Name: value\r\n"; not Host, Content-Length or Connection
    std::string_view content_type{};  // of static storage. Empty: no such line
    std::string body{};
    Duration timeout = std::chrono::seconds(10);  // for all of it, waiting included; of a stream, for its head
    Duration silence_timeout =
        std::chrono::seconds(60);  // of a stream, without a byte; longer than the server's silences

    ClientRequest& add_header(std::string_view name, std::string_view value);
};

class ClientResponse {
  public:
    int status = 0;
    std::string head;  // status line and headers, as received
    std::string body;

    // First value of that name, as find_header.
    std::optional<std::string_view> header(std::string_view name) const;
};

// Who reads an answer piece by piece. Each call is a later step, and may destroy the ClientStream.
class ClientStreamHandler {
  public:
    // Status and headers, whatever the status; the body is empty.
    virtual void on_head(ClientResponse head) = 0;
    // What has come of the body.
    virtual void on_piece(std::string_view piece) = 0;
    // The last call: the body is whole, or why not, as for Client::Callback; `timed_out` also for silence. To connect
    // again, and from where, is for the caller.
    virtual void on_end(Result<> whole) = 0;

  protected:
    ~ClientStreamHandler() = default;
};

// An answer that is being read. Destroyed, it is given up.
class ClientStream {
  public:
    class Impl;
    explicit ClientStream(std::unique_ptr<Impl> impl);
    ~ClientStream();
    ClientStream(const ClientStream&) = delete;
    ClientStream& operator=(const ClientStream&) = delete;

    // While paused nothing is read and no silence is counted; the server is held back.
    void pause();
    void resume();

  private:
    std::unique_ptr<Impl> impl_;
};

class Client {
  public:
    // Always as a later step, once; it may destroy the Client. Requests that a destroyed Client had are dropped.
    //
    // An Error that is retryable() may pass for a request that may be repeated: `unavailable`, no connection, nothing
    // was sent; `closed`, it was lost before the answer was complete; `timed_out`; `overloaded`. In all but the first
    // and the last the server may have done what it was asked. Not retryable: `invalid_argument` (target), `corrupt`
    // and `too_large` (answer).
    using Callback = std::move_only_function<void(Result<ClientResponse>)>;

    // `env` outlives the Client.
    Client(const Env& env, ClientOptions options);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void request(ClientRequest request, Callback callback);

    // Over a connection of its own, beside the pool: how many there are is for the caller to bound. Neither the
    // handler nor the Env goes before the stream does; the Client may.
    std::unique_ptr<ClientStream> stream(ClientRequest request, ClientStreamHandler& handler);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leftfold::http
