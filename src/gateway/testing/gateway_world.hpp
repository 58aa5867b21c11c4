// GatewayWorld: a gateway in front of boxes and an inbox for notes, on the embedded log of a simulated machine. No
// sockets: requests are values.
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
#include "notes.hpp"
#include "stream_client.hpp"

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
    StreamOptions streams = {};
    std::uint64_t seed = 7;
    Duration step_duration = {};  // so that what takes several steps takes time
};

class GatewayWorld {
  public:
    explicit GatewayWorld(GatewayWorldOptions options = {})
        : options_(std::move(options)),
          sim_(options_.seed, {.step_duration = options_.step_duration, .worker_delays = {}}) {
        options_.log.directory = "/data";
        options_.log.topics = {{.name = "test.box", .partition_count = 4},
                               {.name = "test.box.outcomes", .partition_count = 4},
                               {.name = "test.note", .partition_count = 2},
                               {.name = "test.note.outcomes", .partition_count = 2}};
        open();
    }
    ~GatewayWorld() { close(); }

    // As the next process does.
    void reopen() {
        close();
        open();
    }

    // The machine crashes, and is up again with what its disk kept.
    void crash() {
        sim_.power_off();
        drop();
        sim_.restart();
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
        std::optional<http::Response>& answer = answers_.emplace_back();
        hand_over(method, target, headers, body, on_loopback,
                  http::Responder::to([&answer](http::Response response) { answer = std::move(response); }));
        return answer;
    }
    // Asks for a live stream, and lets the world run for a moment.
    void stream(StreamClient& client, const std::string& target, const Headers& headers = {}) {
        hand_over(http::Method::get, target, headers, {}, true, client.responder());
        settle();
    }
    void settle() { sim_.scheduler().run_for(std::chrono::milliseconds(100)); }

    void hand_over(http::Method method, const std::string& target, const Headers& headers, std::string_view body,
                   bool on_loopback, http::Responder responder) {
        std::vector<http::HeaderField> fields;
        for (const auto& [name, value] : headers)
            fields.push_back({name, value});
        const std::size_t question_mark = std::min(target.find('?'), target.size());
        const std::string raw_path = target.substr(0, question_mark);
        const std::string path = http::percent_decode(raw_path).value_or("");
        const std::string query = target.substr(std::min(question_mark + 1, target.size()));
        const Endpoint peer = TcpEndpoint{.host = "127.0.0.1", .port = 50'000};
        gateway_->handle({.method = method,
                          .target = target,
                          .raw_path = raw_path,
                          .path = path,
                          .query = query,
                          .fields = fields,
                          .body = body,
                          .peer = &peer,
                          .on_loopback = on_loopback},
                         std::move(responder));
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

    std::string metrics() const { return registry_->prometheus_text(); }
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
        inbox_model_ = make_typed_model<Inbox<notes::NoteEvents>>("test", "note");
        inbox_runtime_ = std::make_unique<AggregateRuntime>(sim_.env(), *log_, *inbox_model_, TopicId(2), TopicId(3),
                                                            options_.aggregates);
        gateway_ = std::make_unique<Gateway>(sim_.env(), *log_, *registry_, logger_, options_.streams);
        const auto added = gateway_->add_aggregate(
            {.pattern = "/boxes/{id}", .problem_scope = "test.box", .event_source = "/test/box"}, *runtime_);
        ASSERT_TRUE(added) << added.error().message();
        gateway_->add_inbox({.event_source = "/test/note"}, *inbox_runtime_);
        ASSERT_TRUE(gateway_->add_event_routes());
    }
    void close() {
        bool stopped = false;
        log_->stop([&stopped] { stopped = true; });
        EXPECT_TRUE(sim_.scheduler().run_until([&stopped] { return stopped; }));
        drop();
    }
    void drop() {
        gateway_.reset();
        runtime_.reset();
        inbox_runtime_.reset();
        log_.reset();
    }

    GatewayWorldOptions options_;
    sim::SimEnv sim_;
    std::unique_ptr<log::EventLog> log_;
    std::unique_ptr<AggregateModel> model_;
    std::unique_ptr<AggregateRuntime> runtime_;
    std::unique_ptr<AggregateModel> inbox_model_;
    std::unique_ptr<AggregateRuntime> inbox_runtime_;
    std::unique_ptr<MetricRegistry> registry_;
    MemoryLogSink log_lines_;
    Logger logger_{sim_.env().clock, log_lines_};
    std::unique_ptr<Gateway> gateway_;
    std::deque<std::optional<http::Response>> answers_;
};

}  // namespace leftfold::gateway
