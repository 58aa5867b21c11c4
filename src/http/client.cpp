#include "leftfold/http/client.hpp"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/env/owned_timer.hpp"

#include "characters.hpp"
#include "client_connection.hpp"
#include "client_stream.hpp"
#include "header_line.hpp"

namespace leftfold::http {

ClientRequest& ClientRequest::add_header(std::string_view name, std::string_view value) {
    append_header_line(header_lines, name, value);
    return *this;
}

std::optional<std::string_view> ClientResponse::header(std::string_view name) const {
    const std::size_t start = head.find('\n') + 1;
    std::vector<HeaderField> fields;
    // The head was read once by the same function, without a fault.
    if (start == 0 || parse_fields(std::string_view(head).substr(start), head.size(), fields) != Fault::none)
        return std::nullopt;
    return find_header(fields, name);
}

namespace {

std::string host_of(const Endpoint& endpoint) {
    return std::holds_alternative<TcpEndpoint>(endpoint) ? to_string(endpoint) : "localhost";
}

std::string serialise(const ClientRequest& request, std::string_view host) {
    std::string bytes;
    bytes.reserve(200 + request.target.size() + request.header_lines.size() + request.body.size());
    bytes.append(to_string(request.method)).append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ");
    bytes.append(host).append("\r\n");
    if (!request.content_type.empty())
        bytes.append("Content-Type: ").append(request.content_type).append("\r\n");
    if (!request.body.empty() || request.method == Method::post || request.method == Method::put ||
        request.method == Method::patch)
        bytes.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
    return bytes.append(request.header_lines).append("\r\n").append(request.body);
}

Result<> check_target(std::string_view target) {
    if (!target.empty() && are_all(kTargetChar, target))
        return {};
    return fail(ErrorCode::invalid_argument,
                fmt::format("'{}' is not a valid request target: percent-encode it", target));
}

}  // namespace

class Client::Impl final : private ConnectionPool {
  public:
    Impl(const Env& env, ClientOptions options)
        : env_(env),
          options_(std::move(options)),
          limits_{.header_bytes_max = options_.header_bytes_max,
                  .header_count_max = options_.header_count_max,
                  .body_bytes_max = options_.body_bytes_max},
          idle_timer_(env.scheduler) {
        if (options_.host.empty())
            options_.host = host_of(options_.endpoint);
    }

    void request(ClientRequest request, Callback callback) {
        if (auto valid = check_target(request.target); !valid) {
            refuse(std::move(callback), std::move(valid).error());
            return;
        }
        if (waiting_.size() >= options_.waiting_max) {
            refuse(std::move(callback),
                   Error(ErrorCode::overloaded,
                         fmt::format("{} requests wait for a connection already", waiting_.size()), Retry::yes));
            return;
        }
        auto exchange = std::make_unique<Exchange>(serialise(request, options_.host), request.method == Method::head,
                                                   std::move(callback), env_.scheduler);
        exchange->deadline.set(request.timeout, [this, raw = exchange.get()] { expire(*raw); });
        waiting_.push_back(std::move(exchange));
        dispatch();
    }

    std::unique_ptr<ClientStream> stream(ClientRequest request, ClientStreamHandler& handler) {
        auto impl = std::make_unique<ClientStream::Impl>(env_, options_.endpoint, limits_, handler);
        if (auto valid = check_target(request.target); valid)
            impl->start(serialise(request, options_.host), request);
        else
            impl->refuse(std::move(valid).error());
        return std::make_unique<ClientStream>(std::move(impl));
    }

  private:
    // A callback may destroy the Client: whoever makes one touches nothing afterwards.
    static void tell(std::unique_ptr<Exchange> exchange, Result<ClientResponse> result) {
        exchange->deadline.cancel();
        Callback callback = std::move(exchange->callback);
        exchange.reset();
        callback(std::move(result));
    }

    void refuse(Callback callback, Error error) {
        env_.scheduler.post([callback = std::move(callback), error = std::move(error)]() mutable {
            callback(std::unexpected(std::move(error)));
        });
    }

    void answered(ClientConnection& connection, ClientResponse response, bool reusable) override {
        auto exchange = connection.take_exchange();
        if (reusable)
            put_back(connection);
        else
            remove(connection);
        dispatch();
        tell(std::move(exchange), std::move(response));
    }

    void failed(ClientConnection& connection, Error error) override {
        auto exchange = connection.take_exchange();
        remove(connection);
        dispatch();
        tell(std::move(exchange), std::unexpected(std::move(error)));
    }

    void closed_while_idle(ClientConnection& connection) override { remove(connection); }

    void expire(Exchange& late) {
        std::unique_ptr<Exchange> exchange;
        if (ClientConnection* const connection = late.connection; connection != nullptr) {
            exchange = connection->take_exchange();
            remove(*connection);
        } else {
            const auto found = std::ranges::find(waiting_, &late, &std::unique_ptr<Exchange>::get);
            LEFTFOLD_ASSERT(found != waiting_.end());
            exchange = std::move(*found);
            waiting_.erase(found);
        }
        dispatch();
        tell(std::move(exchange),
             fail(ErrorCode::timed_out, fmt::format("no answer from {} in time", to_string(options_.endpoint)),
                  Retry::yes));
    }

    void dispatch() {
        while (!waiting_.empty() && !idle_.empty()) {
            // The last one used: the others get old, and are closed.
            ClientConnection& connection = *idle_.back();
            idle_.pop_back();
            auto exchange = std::move(waiting_.front());
            waiting_.pop_front();
            connection.send(std::move(exchange));
        }
        while (connecting_ < waiting_.size() && connections_.size() + connecting_ < options_.connections_max)
            connect();
    }

    void connect() {
        ++connecting_;
        env_.network.connect(options_.endpoint,
                             [this, alive = std::weak_ptr(alive_)](Result<std::unique_ptr<Stream>> stream) {
                                 if (!alive.expired())
                                     connected(std::move(stream));
                             });
    }

    void connected(Result<std::unique_ptr<Stream>> stream) {
        --connecting_;
        if (stream) {
            ConnectionPool& pool = *this;
            connections_.push_back(std::make_unique<ClientConnection>(pool, limits_, std::move(*stream)));
            put_back(*connections_.back());
            dispatch();
            return;
        }
        // The attempt was made for whoever waits longest now. Whoever comes next makes another.
        if (waiting_.empty())
            return;
        auto exchange = std::move(waiting_.front());
        waiting_.pop_front();
        dispatch();
        tell(std::move(exchange),
             fail(ErrorCode::unavailable,
                  fmt::format("no connection to {}: {}", to_string(options_.endpoint), stream.error().message()),
                  Retry::yes));
    }

    void put_back(ClientConnection& connection) {
        connection.idle_since = env_.clock.monotonic();
        idle_.push_back(&connection);
        if (!idle_timer_.is_set())
            idle_timer_.set(options_.idle_timeout, [this] { close_idle(); });
    }

    // `idle_` is in the order in which they were put back.
    void close_idle() {
        const MonotonicTime now = env_.clock.monotonic();
        while (!idle_.empty() && idle_.front()->idle_since + options_.idle_timeout <= now)
            remove(*idle_.front());
        if (!idle_.empty())
            idle_timer_.set(idle_.front()->idle_since + options_.idle_timeout - now, [this] { close_idle(); });
    }

    void remove(ClientConnection& connection) {
        std::erase(idle_, &connection);
        std::erase_if(connections_, [&connection](const auto& one) { return one.get() == &connection; });
    }

    const Env env_;
    ClientOptions options_;
    const CodecLimits limits_;
    std::vector<std::unique_ptr<ClientConnection>> connections_;
    std::vector<ClientConnection*> idle_;
    std::deque<std::unique_ptr<Exchange>> waiting_;
    std::size_t connecting_ = 0;
    OwnedTimer idle_timer_;
    // A connect may be reported after the Client has gone.
    const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

Client::Client(const Env& env, ClientOptions options) : impl_(std::make_unique<Impl>(env, std::move(options))) {}
Client::~Client() = default;

void Client::request(ClientRequest request, Callback callback) {
    impl_->request(std::move(request), std::move(callback));
}

std::unique_ptr<ClientStream> Client::stream(ClientRequest request, ClientStreamHandler& handler) {
    return impl_->stream(std::move(request), handler);
}

}  // namespace leftfold::http
