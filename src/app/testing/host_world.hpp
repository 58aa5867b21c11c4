// HostWorld: the services of an application on a simulated machine, without sockets.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "leftfold/sim/env.hpp"

#include "../host.hpp"
#include "counter.hpp"

namespace leftfold {

class HostWorld {
  public:
    HostWorld() = default;
    ~HostWorld() { stop(); }

    sim::SimEnv& sim() noexcept { return sim_; }
    Host& host() noexcept { return *host_; }

    Result<std::unique_ptr<Host>> try_open(const std::vector<Service>& services) {
        return Host::open(sim_.env(), "test", services, {.directory = "/data", .aggregates = {}}, registry_, logger_);
    }
    void open(const std::vector<Service>& services = {counter::service()}) {
        auto host = try_open(services);
        ASSERT_TRUE(host) << host.error().message();
        host_ = std::move(*host);
    }
    void stop() {
        if (!host_)
            return;
        bool stopped = false;
        host_->stop([&stopped] { stopped = true; });
        EXPECT_TRUE(sim_.scheduler().run_until([&stopped] { return stopped; }));
        host_.reset();
    }

    // Hands a request over and runs nothing; the answer appears in what is returned, which lives as long as the world.
    const std::optional<http::Response>& begin(http::Handler& handler, http::Method method, std::string_view target,
                                               std::string_view body = {},
                                               const std::vector<http::HeaderField>& fields = {}) {
        const std::size_t question_mark = std::min(target.find('?'), target.size());
        const std::string_view path = target.substr(0, question_mark);
        const Endpoint peer = UnixEndpoint{};
        std::optional<http::Response>& answer = answers_.emplace_back();
        handler.handle({.method = method,
                        .target = target,
                        .raw_path = path,
                        .path = path,
                        .query = target.substr(std::min(question_mark + 1, target.size())),
                        .fields = fields,
                        .body = body,
                        .peer = &peer,
                        .on_loopback = true},
                       http::Responder::to([&answer](http::Response response) { answer = std::move(response); }));
        return answer;
    }
    http::Response finish(const std::optional<http::Response>& answer) {
        EXPECT_TRUE(sim_.scheduler().run_until([&answer] { return answer.has_value(); }));
        return answer.value_or(http::Response{.status = 0});
    }
    http::Response post(std::string_view target, std::string_view body) {
        return finish(begin(host_->gateway(), http::Method::post, target, body));
    }
    http::Response get(std::string_view target) { return finish(begin(host_->gateway(), http::Method::get, target)); }

  private:
    sim::SimEnv sim_{11};
    MetricRegistry registry_;
    NullLogger logger_;
    std::unique_ptr<Host> host_;
    std::deque<std::optional<http::Response>> answers_;
};

}  // namespace leftfold
