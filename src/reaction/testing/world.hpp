// World: a reaction over the embedded log on a simulated machine, for the tests of this module.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "leftfold/base/murmur2.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/reaction/runner.hpp"
#include "leftfold/rows/memory_store.hpp"
#include "leftfold/sim/env.hpp"

#include "testing/script.hpp"

namespace leftfold::testing {

inline constexpr std::uint32_t kPartitions = 2;

// Nobody is called.
class NoCaller final : public HttpCaller {
  public:
    void call(HttpCall, Answered) override { ADD_FAILURE() << "no call was expected"; }
};

class World {
  public:
    explicit World(ReactionOptions options = {})
        : options_(std::move(options)), sim_(1), model_(make_typed_reaction<Probe>("test", "probe", Probe{&script})) {
        options_.folder = "/data/reactions/probe";
        if (!options_.open_store) {
            options_.open_store = [this](const std::string& path, const rows::Schema& schema) {
                return stores_.open(path, schema);
            };
        }
        open_log();
    }
    ~World() {
        stop();
        close_log();
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    Script script;

    ReactionOptions& options() noexcept { return options_; }
    sim::SimEnv& sim() noexcept { return sim_; }
    log::EventLog& log() noexcept { return *log_; }
    ReactionRunner& runner() noexcept { return *runner_; }
    ReactionStatus status() { return runner_->status(); }
    const ReactionStatistics& statistics() { return runner_->statistics(); }
    rows::MemoryStores& stores() noexcept { return stores_; }

    void start() {
        runner_ = std::make_unique<ReactionRunner>(sim_.env(), *log_, *model_, caller_, options_);
        const auto started = runner_->start();
        ASSERT_TRUE(started) << started.error().message();
        run_until([&] { return status().is_running || status().is_stopped_by_trouble; });
    }
    void stop() {
        if (!runner_)
            return;
        bool is_stopped = false;
        runner_->stop([&] { is_stopped = true; });
        run_until([&] { return is_stopped; });
        runner_.reset();
    }
    // As if the process had died, with what was committed.
    void crash() {
        runner_.reset();
        script.began.clear();
        script.completed.clear();
    }
    void restart() {
        stop();
        start();
    }
    void replace_log() {
        stop();
        close_log();
        log_folder_ += "-other";
        open_log();
    }

    // Durable when this returns.
    void append(std::string_view key, int count = 1, std::string_view type = "test.book.noted") {
        int left = count;
        for (int i = 0; i < count; ++i) {
            const std::string payload = fmt::format("{{\"amount\":{}}}", i);
            Record record;
            record.meta.id = Uuid::v7(sim_.clock().now(), 0, ++ids_);
            record.meta.type = type;
            record.payload = payload;
            const auto accepted = log_->append({.slot = slot_of(key), .key = key, .records = {&record, 1}},
                                               [&](const Result<log::Appended>& appended) {
                                                   ASSERT_TRUE(appended) << appended.error().message();
                                                   --left;
                                               });
            ASSERT_TRUE(accepted) << accepted.error().message();
        }
        run_until([&] { return left == 0; });
    }
    static log::Slot slot_of(std::string_view key) { return {TopicId(0), partition_of(key, kPartitions)}; }

    void run_until(const std::function<bool()>& done) { ASSERT_TRUE(sim_.scheduler().run_until(done)); }
    void run_for(Duration duration) { sim_.scheduler().run_for(duration); }
    // Until nothing is under way, but what is retried or dead.
    void settle() {
        run_until([&] {
            const ReactionStatus now = status();
            return now.lag == 0 && now.in_flight == 0;
        });
        run_for(std::chrono::milliseconds(100));
    }
    Result<> ask(const std::function<void(ReactionRunner::Done)>& question) {
        std::optional<Result<>> answer;
        question([&](Result<> result) { answer = std::move(result); });
        run_until([&] { return answer.has_value(); });
        return answer.value_or(Result<>());
    }
    Result<> retry(const std::string& key, std::int64_t version) {
        return ask([&](auto done) { runner_->retry("test.book", key, Version(version), std::move(done)); });
    }
    Result<> discard(const std::string& key, std::int64_t version, const std::string& reason = "asked for") {
        return ask([&](auto done) { runner_->discard("test.book", key, Version(version), reason, std::move(done)); });
    }

  private:
    void open_log() {
        auto log =
            log::open_embedded_log(sim_.env(), {.directory = log_folder_, .topics = {{"test.book", kPartitions}}});
        ASSERT_TRUE(log) << log.error().message();
        log_ = *std::move(log);
    }
    void close_log() {
        bool is_stopped = false;
        log_->stop([&] { is_stopped = true; });
        run_until([&] { return is_stopped; });
        log_.reset();
        sim_.scheduler().run_until_idle();
    }

    ReactionOptions options_;
    std::string log_folder_ = "/data";
    sim::SimEnv sim_;
    NoCaller caller_;
    rows::MemoryStores stores_;
    std::unique_ptr<ReactionModel> model_;
    std::unique_ptr<log::EventLog> log_;
    std::unique_ptr<ReactionRunner> runner_;
    std::uint64_t ids_ = 0;
};

}  // namespace leftfold::testing
