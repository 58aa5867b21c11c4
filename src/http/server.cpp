#include "leftfold/http/server.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/env/owned_timer.hpp"

#include "server_connection.hpp"

namespace leftfold::http {

namespace {

Result<> validate(const ServerOptions& options) {
    std::string wrong;
    const auto positive = [&wrong](bool ok, std::string_view name) {
        if (!ok)
            wrong.append(wrong.empty() ? "" : ", ").append(name);
    };
    positive(options.header_bytes_max > 0, "header_bytes_max");
    positive(options.header_count_max > 0, "header_count_max");
    positive(options.body_bytes_max > 0, "body_bytes_max");
    positive(options.connections_max > 0, "connections_max");
    positive(options.pipelined_max > 0, "pipelined_max");
    positive(options.unsent_bytes_max > 0, "unsent_bytes_max");
    positive(options.body_unsent_bytes_max > 0, "body_unsent_bytes_max");
    positive(options.header_timeout > Duration::zero(), "header_timeout");
    positive(options.body_timeout > Duration::zero(), "body_timeout");
    positive(options.idle_timeout > Duration::zero(), "idle_timeout");
    positive(options.write_timeout > Duration::zero(), "write_timeout");
    positive(options.linger_timeout > Duration::zero(), "linger_timeout");
    if (wrong.empty())
        return {};
    return fail(ErrorCode::invalid_argument, fmt::format("HTTP server: must be greater than zero: {}", wrong));
}

// Timeouts are looked at in rounds, not by a timer for each request; they come late by at most this.
Duration sweep_interval_of(const ServerOptions& options) {
    const Duration shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout,
                                        options.write_timeout, options.linger_timeout});
    return std::clamp<Duration>(shortest / 4, std::chrono::milliseconds(1), std::chrono::seconds(1));
}

ServerShared make_shared_part(const Env& env, ServerOptions options, Handler& handler, ConnectionKeeper& keeper) {
    const CodecLimits limits{.header_bytes_max = options.header_bytes_max,
                             .header_count_max = options.header_count_max,
                             .body_bytes_max = options.body_bytes_max};
    return ServerShared{.env = env,
                        .options = std::move(options),
                        .handler = handler,
                        .codec = {.limits = limits, .scratch = {}, .writer = ResponseWriter(env.clock)},
                        .counters = {},
                        .on_loopback = false,
                        .running = nullptr,
                        .keeper = keeper};
}

}  // namespace

class Server::Impl final : private ConnectionKeeper {
  public:
    Impl(const Env& env, ServerOptions options, Handler& handler)
        : shared_(make_shared_part(env, std::move(options), handler, *this)),
          sweep_interval_(sweep_interval_of(shared_.options)),
          sweep_timer_(env.scheduler),
          resume_timer_(env.scheduler),
          stop_timer_(env.scheduler),
          grace_timer_(env.scheduler) {}
    ~Impl() {
        stopped_ = {};
        drop_all();
        for (ServerConnection* connection : to_resume_)
            connection->release();
    }

    Result<> listen() {
        auto listener = shared_.env.network.listen(
            shared_.options.endpoint, [this](std::unique_ptr<Stream> stream) { accept(std::move(stream)); });
        if (!listener)
            return std::unexpected(std::move(listener).error());
        listener_ = std::move(*listener);
        endpoint_ = listener_->endpoint();
        shared_.on_loopback = is_loopback(endpoint_);
        return {};
    }

    void stop(Duration grace, Step stopped) {
        LEFTFOLD_ASSERT(!stopping_);
        stopping_ = true;
        stopped_ = std::move(stopped);
        listener_.reset();
        // A later step, because stop() may be called by a Handler, whose request lies in a buffer that this would drop.
        stop_timer_.set(Duration::zero(), [this] { finish_all(); });
        grace_timer_.set(grace, [this] { drop_all(); });
    }

    const Endpoint& endpoint() const noexcept { return endpoint_; }
    const ServerCounters& counters() const noexcept { return shared_.counters; }

  private:
    void accept(std::unique_ptr<Stream> stream) {
        if (connections_.size() >= shared_.options.connections_max) {
            ++shared_.counters.connections_refused;
            return;
        }
        auto* connection = new ServerConnection(shared_, std::move(stream));  // counts its references itself
        connection->index = connections_.size();
        connections_.push_back(connection);
        ++shared_.counters.connections_accepted;
        shared_.counters.connections = connections_.size();
        connection->start();
        if (connections_.size() == 1)
            arm_sweep();
    }

    void forget(ServerConnection& connection) override {
        LEFTFOLD_ASSERT(connections_[connection.index] == &connection);
        connections_[connection.index] = connections_.back();
        connections_[connection.index]->index = connection.index;
        connections_.pop_back();
        shared_.counters.connections = connections_.size();
        connection.release();
        if (connections_.empty()) {
            sweep_timer_.cancel();
            report_stopped();
        }
    }

    void resume_later(ServerConnection& connection) override {
        connection.retain();
        to_resume_.push_back(&connection);
        if (!resume_timer_.is_set())
            resume_timer_.set(Duration::zero(), [this] { resume(); });
    }

    void resume() {
        for (ServerConnection* connection : std::exchange(to_resume_, {})) {
            connection->resume();
            connection->release();
        }
    }

    void arm_sweep() {
        sweep_timer_.set(sweep_interval_, [this] { sweep(); });
    }

    // Downwards, because a closed connection gives its place to the last one. Who is told that a client has gone may
    // close others.
    template <class Visit>
    void for_each_connection(Visit visit) {
        for (std::size_t i = connections_.size(); i-- > 0;)
            if (i < connections_.size())
                visit(*connections_[i]);
    }

    void sweep() {
        const MonotonicTime now = shared_.env.clock.monotonic();
        for_each_connection([now](ServerConnection& connection) { connection.sweep(now); });
        if (!connections_.empty())
            arm_sweep();
    }

    void finish_all() {
        may_report_ = true;
        for_each_connection([](ServerConnection& connection) { connection.finish(); });
        report_stopped();
    }

    void drop_all() {
        while (!connections_.empty())
            connections_.back()->close();
    }

    void report_stopped() {
        if (!stopping_ || !may_report_ || !connections_.empty() || !stopped_)
            return;
        grace_timer_.cancel();
        shared_.env.scheduler.post(std::exchange(stopped_, {}));
    }

    ServerShared shared_;
    const Duration sweep_interval_;
    std::unique_ptr<Listener> listener_;
    Endpoint endpoint_;
    std::vector<ServerConnection*> connections_;  // a reference each
    std::vector<ServerConnection*> to_resume_;    // a reference each

    OwnedTimer sweep_timer_;
    OwnedTimer resume_timer_;
    OwnedTimer stop_timer_;
    OwnedTimer grace_timer_;
    Step stopped_;
    bool stopping_ = false;
    bool may_report_ = false;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(const Env& env, ServerOptions options, Handler& handler) {
    LEFTFOLD_CHECK(validate(options));
    auto impl = std::make_unique<Impl>(env, std::move(options), handler);
    LEFTFOLD_CHECK(impl->listen());
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

const Endpoint& Server::endpoint() const noexcept {
    return impl_->endpoint();
}
void Server::stop(Duration grace, Step stopped) {
    impl_->stop(grace, std::move(stopped));
}
const ServerCounters& Server::counters() const noexcept {
    return impl_->counters();
}

}  // namespace leftfold::http
