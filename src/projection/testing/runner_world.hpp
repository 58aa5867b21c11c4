// RunnerWorld: a projection over the embedded log on a simulated machine, for the tests of the runner.
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
#include "leftfold/projection/runner.hpp"
#include "leftfold/rows/sqlite_store.hpp"
#include "leftfold/sim/env.hpp"

#include "memory_store.hpp"
#include "tally.hpp"

namespace leftfold::testing {

class RunnerWorld {
  public:
    explicit RunnerWorld(ProjectionRunnerOptions options = {}, TallyOptions tally = {})
        : options_(std::move(options)), sim_(1), tally_(std::make_unique<Tally>(std::move(tally))) {
        options_.folder = "/data/projections/tally";
        if (!options_.open_store) {
            options_.open_store = [this](const std::string& path, const rows::Schema& schema) {
                return stores_.open(path, schema);
            };
        }
        open_log();
    }
    ~RunnerWorld() {
        stop();
        close_log();
    }
    RunnerWorld(const RunnerWorld&) = delete;
    RunnerWorld& operator=(const RunnerWorld&) = delete;

    // Before start().
    StoreFactory sqlite() {
        return [this](const std::string& path, const rows::Schema& schema) {
            return rows::open_sqlite_store(sim_.files(), path, schema);
        };
    }
    ProjectionRunnerOptions& options() noexcept { return options_; }

    void start() {
        runner_ = std::make_unique<ProjectionRunner>(sim_.env(), *log_, *tally_, options_);
        const auto started = runner_->start();
        ASSERT_TRUE(started) << started.error().message();
    }
    void start_and_settle() {
        start();
        settle();
    }
    void stop() {
        if (!runner_)
            return;
        bool is_stopped = false;
        runner_->stop([&] { is_stopped = true; });
        run_until([&] { return is_stopped; });
        runner_.reset();
    }
    void restart() {
        stop();
        start_and_settle();
    }
    // As a later build would have it.
    void change(TallyOptions tally) {
        stop();
        tally_ = std::make_unique<Tally>(std::move(tally));
    }
    // As if somebody had put another log in its place.
    void replace_log() {
        stop();
        close_log();
        log_folder_ += "-other";
        open_log();
    }

    // Durable when this returns.
    void append(std::string_view key, std::int64_t amount, std::string_view type = "bank.account.deposited") {
        bool is_done = false;
        begin_append(key, amount, [&] { is_done = true; }, type);
        run_until([&] { return is_done; });
    }
    void append_many(int count, int keys = 7) {
        int left = count;
        for (int i = 0; i < count; ++i)
            begin_append(fmt::format("account-{}", i % keys), i + 1, [&] { --left; });
        run_until([&] { return left == 0; });
    }
    void begin_append(std::string_view key, std::int64_t amount, std::function<void()> done,
                      std::string_view type = "bank.account.deposited") {
        const std::string payload = fmt::to_string(amount);
        Record record;
        record.meta.type = type;
        record.payload = payload;
        const auto accepted = log_->append({.slot = slot_of(key), .key = key, .records = {&record, 1}},
                                           [done = std::move(done)](const Result<log::Appended>& appended) {
                                               ASSERT_TRUE(appended) << appended.error().message();
                                               done();
                                           });
        ASSERT_TRUE(accepted) << accepted.error().message();
    }
    static log::Slot slot_of(std::string_view key) { return {TopicId(0), partition_of(key, 2)}; }
    log::PositionToken token_of(std::string_view key) {
        log::PositionToken token(log_->incarnation());
        const log::Slot slot = slot_of(key);
        token.advance(log::topic_hash("bank.account"), slot.partition, log_->bounds(slot)->durable_end);
        return token;
    }

    void run_until(const std::function<bool()>& done) { ASSERT_TRUE(sim_.scheduler().run_until(done)); }
    // Until the projection is where the log is, or has stopped.
    void settle() {
        run_until([&] {
            const ProjectionStatus status = runner_->status();
            return status.state == ProjectionState::stopped ||
                   (status.state == ProjectionState::live && status.live->lag() == 0 && !status.build);
        });
    }
    void settle_until(BuildStage stage) {
        run_until([&] {
            const ProjectionStatus status = runner_->status();
            return status.build && status.build->stage == stage;
        });
    }
    // The answer to an operator.
    Result<> ask(const std::function<void(OperatorDone)>& question) {
        std::optional<Result<>> answer;
        question([&](Result<> result) { answer = std::move(result); });
        run_until([&] { return answer.has_value(); });
        return answer.value_or(Result<>());
    }

    TallyRows rows() {
        rows::RowReader* reader = runner_->reader();
        EXPECT_NE(reader, nullptr);
        return reader == nullptr ? TallyRows() : read_tally(*reader).value();
    }
    // What the rows must be, by the positions that the store has.
    TallyRows expected(const std::set<LogPlace>& without = {}, std::int64_t factor = 1) {
        return tally_of(*log_, runner_->reader()->positions().value(), without, factor).value();
    }
    std::string read(const std::string& path) { return read_file(sim_.files(), path, 1U << 20U).value_or(""); }

    sim::SimEnv& sim() noexcept { return sim_; }
    log::EventLog& log() noexcept { return *log_; }
    Tally& tally() noexcept { return *tally_; }
    ProjectionRunner& runner() noexcept { return *runner_; }
    ProjectionStatus status() { return runner_->status(); }
    rows::MemoryStores& stores() noexcept { return stores_; }

  private:
    void open_log() {
        auto log = log::open_embedded_log(
            sim_.env(), {.directory = log_folder_, .topics = {{"bank.account", 2}, {"bank.transfer", 1}}});
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

    ProjectionRunnerOptions options_;
    std::string log_folder_ = "/data";
    sim::SimEnv sim_;
    rows::MemoryStores stores_;
    std::unique_ptr<Tally> tally_;
    std::unique_ptr<log::EventLog> log_;
    std::unique_ptr<ProjectionRunner> runner_;
};

}  // namespace leftfold::testing
