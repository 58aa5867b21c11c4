// ClientConnection: one connection of a Client's pool, which carries one request at a time.
#pragma once

#include <memory>
#include <string>

#include "leftfold/env/env.hpp"
#include "leftfold/env/owned_timer.hpp"
#include "leftfold/http/client.hpp"

#include "response_parser.hpp"

namespace leftfold::http {

class ClientConnection;

// A request on its way, from Client::request() to its callback.
struct Exchange {
    Exchange(std::string request_bytes, bool head, Client::Callback then, Scheduler& scheduler)
        : bytes(std::move(request_bytes)), callback(std::move(then)), deadline(scheduler), is_head(head) {}

    std::string bytes;
    Client::Callback callback;
    OwnedTimer deadline;
    ClientConnection* connection = nullptr;  // null while it waits for one
    bool is_head;
};

// The Client, as its connections see it. Each of these calls may destroy the connection.
class ConnectionPool {
  public:
    virtual void answered(ClientConnection& connection, ClientResponse response, bool reusable) = 0;
    virtual void failed(ClientConnection& connection, Error error) = 0;
    virtual void closed_while_idle(ClientConnection& connection) = 0;

  protected:
    ~ConnectionPool() = default;
};

class ClientConnection final : private StreamHandler {
  public:
    ClientConnection(ConnectionPool& pool, const CodecLimits& limits, std::unique_ptr<Stream> stream);

    void send(std::unique_ptr<Exchange> exchange);
    std::unique_ptr<Exchange> take_exchange();
    bool is_idle() const noexcept { return exchange_ == nullptr; }

    MonotonicTime idle_since{};  // the pool's

  private:
    void on_data(ByteSpan bytes) override;
    void on_sent() override {}
    void on_end() override;
    void on_failed(Error error) override;

    void complete(bool reusable);
    void lose(std::string_view how);

    ConnectionPool& pool_;
    std::unique_ptr<Stream> stream_;
    ResponseParser parser_;
    std::unique_ptr<Exchange> exchange_;
    bool response_begun_ = false;
};

}  // namespace leftfold::http
