// GatewayWorld: a gateway in front of boxes, on the embedded log of a simulated machine. No sockets: requests are
// values.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "leftfold/gateway/gateway.hpp"
#include "leftfold/http/url.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/sim/env.hpp"

#include "box.hpp"

namespace leftfold::gateway {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The first value of a header of an answer.
inline std::optional<std::string> header_of(const http::Response& response, std::string_view name) {
    std::string_view lines = response.header_lines;
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find("\r\n"));
        lines.remove_prefix(line.size() + 2);
        if (const std::size_t colon = line.find(": ");
            colon != std::string_view::npos && http::equal_ignoring_case(line.substr(0, colon), name))
            return std::string(line.substr(colon + 2));
    }
    return std::nullopt;
}

struct GatewayWorldOptions {
    AggregateOptions aggregates = {};
    log::EmbeddedLogOptions log = {};
};

class GatewayWorld {
  public:
    explicit GatewayWorld(GatewayWorldOptions options = {}) : options_(std::move(options)) {
        options_.log.directory = "/data";
        options_.log.topics = {{.name = "test.box", .partition_count = 4},
                               {.name = "test.box.outcomes", .partition_count = 4}};
        open();
    }
    ~GatewayWorld() { close(); }

    // As the next process does.
    void reopen() {
        close();
        open();
    }

    sim::SimEnv& sim() noexcept { return sim_; }
    log::EventLog& log() noexcept { return *log_; }
    Gateway& gateway() noexcept { return *gateway_; }
    AggregateRuntime& runtime() noexcept { return *runtime_; }

    // Hands the request over, and runs nothing. The answer appears in what is returned, which lives as long as the
    // world.
    const std::optional<http::Response>& begin(http::Method method, const std::string& target,
                                               const Headers& headers = {}, std::string_view body = {},
                                               bool on_loopback = true) {
        std::vector<http::HeaderField> fields;
        for (const auto& [name, value] : headers)
            fields.push_back({name, value});
        const std::size_t question_mark = std::min(target.find('?'), target.size());
        const std::string raw_path = target.substr(0, question_mark);
        const std::string path = http::percent_decode(raw_path).value_or("");
        const std::string query = target.substr(std::min(question_mark + 1, target.size()));
        const Endpoint peer = TcpEndpoint{.host = "127.0.0.1", .port = 50'000};
        std::optional<http::Response>& answer = answers_.emplace_back();
        gateway_->handle({.method = method,
                          .target = target,
                          .raw_path = raw_path,
                          .path = path,
                          .query = query,
                          .fields = fields,
                          .body = body,
                          .peer = &peer,
                          .on_loopback = on_loopback},
                         http::Responder::to([&answer](http::Response response) { answer = std::move(response); }));
        return answer;
    }
    http::Response send(http::Method method, const std::string& target, const Headers& headers = {},
                        std::string_view body = {}, bool on_loopback = true) {
        const auto& answer = begin(method, target, headers, body, on_loopback);
        EXPECT_TRUE(sim_.scheduler().run_until([&answer] { return answer.has_value(); }));
        return answer.value_or(http::Response{.status = 0});
    }
    http::Response post(const std::string& target, std::string_view body, const Headers& headers = {}) {
        return send(http::Method::post, target, headers, body);
    }
    http::Response get(const std::string& target, const Headers& headers = {}) {
        return send(http::Method::get, target, headers);
    }

    const std::vector<std::string>& log_lines() const noexcept { return log_lines_.lines(); }

  private:
    void open() {
        auto opened = log::open_embedded_log(sim_.env(), options_.log);
        ASSERT_TRUE(opened) << opened.error().message();
        log_ = std::move(*opened);
        model_ = make_typed_model<box::Box>("test", "box");
        runtime_ =
            std::make_unique<AggregateRuntime>(sim_.env(), *log_, *model_, TopicId(0), TopicId(1), options_.aggregates);
        registry_ = std::make_unique<MetricRegistry>();
        gateway_ = std::make_unique<Gateway>(sim_.env(), *log_, *registry_, logger_);
        const auto added = gateway_->add_aggregate(
            {.pattern = "/boxes/{id}", .problem_scope = "test.box", .event_source = "/test/box"}, *runtime_);
        ASSERT_TRUE(added) << added.error().message();
    }
    void close() {
        bool stopped = false;
        log_->stop([&stopped] { stopped = true; });
        EXPECT_TRUE(sim_.scheduler().run_until([&stopped] { return stopped; }));
        gateway_.reset();
        runtime_.reset();
        log_.reset();
    }

    GatewayWorldOptions options_;
    sim::SimEnv sim_{7};
    std::unique_ptr<log::EventLog> log_;
    std::unique_ptr<AggregateModel> model_;
    std::unique_ptr<AggregateRuntime> runtime_;
    std::unique_ptr<MetricRegistry> registry_;
    MemoryLogSink log_lines_;
    Logger logger_{sim_.env().clock, log_lines_};
    std::unique_ptr<Gateway> gateway_;
    std::deque<std::optional<http::Response>> answers_;
};

}  // namespace leftfold::gateway
