// HttpCall, HttpCaller: requests that a reaction makes of others. HttpClients sends them; testing.hpp has one that
// answers as a test says.
//
// Thread rule: all of it belongs to the thread of the shard's scheduler.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leftfold/env/env.hpp"
#include "leftfold/http/client.hpp"

namespace leftfold {

// Not an aggregate on purpose: GCC 12 destroys one twice that is built within a co_await expression.
class HttpCall {
  public:
    // "http://host:port/path?query", percent-encoded; the host an address or "localhost". No https: that is the mesh's.
    HttpCall(http::Method how, std::string where) : method(how), url(std::move(where)) {}
    static HttpCall get(std::string url) { return HttpCall(http::Method::get, std::move(url)); }
    static HttpCall post(std::string url, std::string json) {
        HttpCall call(http::Method::post, std::move(url));
        call.body = std::move(json);
        call.header("Content-Type", "application/json");
        return call;
    }

    HttpCall& header(std::string_view name, std::string_view value) {
        headers.emplace_back(name, value);
        return *this;
    }

    http::Method method;
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string idempotency_key;  // empty: the event's id. For a second call of the same event
    Duration timeout = std::chrono::seconds(10);
};

class HttpCaller {
  public:
    using Answered = std::move_only_function<void(Result<http::ClientResponse>)>;

    virtual ~HttpCaller() = default;

    // `answered` comes once, in a later step. Errors are those of http::Client, and `unsupported` for a URL that it
    // cannot reach.
    virtual void call(HttpCall call, Answered answered) = 0;
};

struct HttpClientsOptions {
    std::size_t hosts_max = 64;        // connections to more are closed where nothing is under way, else `overloaded`
    std::size_t connections_max = 16;  // to each host
};

// Keep-alive connections to the hosts that are called. Borrows env. What is under way when it ends is not answered.
class HttpClients final : public HttpCaller {
  public:
    explicit HttpClients(const Env& env, HttpClientsOptions options = {});
    ~HttpClients() override;

    void call(HttpCall call, Answered answered) override;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leftfold
