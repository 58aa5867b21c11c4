// Crashes of a simulated machine at every kind of moment. What was appended and what was answered is kept outside of
// the log.
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "leftfold/base/murmur2.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/sim/env.hpp"

#include "append_oracle.hpp"

namespace leftfold::log {
namespace {

using sim::one_in;
using sim::PlantedFaults;

constexpr std::uint32_t kPartitions = 2;

// One machine with its log, through several lives.
class CrashWorld {
  public:
    explicit CrashWorld(std::uint64_t seed, PlantedFaults faults = {}) : sim_(seed), choice_(sim_.random_for("test")) {
        sim_.files().plant(faults);
        constexpr std::uint64_t kSegmentBytes[] = {4096, 16 * 1024, 256 * 1024};
        options_.directory = "/var/lib/leftfold";
        options_.segment_bytes = kSegmentBytes[choice_.below(3)];
        options_.topics = {{"accounts", kPartitions}};
    }

    // The first contradiction between what was answered and what is there.
    std::optional<std::string> run() {
        const std::uint64_t lives = 1 + choice_.below(4);
        for (std::uint64_t life = 0; life < lives; ++life) {
            if (auto problem = live_and_die())
                return fmt::format("in life {}: {}", life, *problem);
        }
        return live_and_stop();
    }

    std::size_t durable_count() const { return oracle_.durable_count(); }

  private:
    std::optional<std::string> live_and_die() {
        // Sometimes early enough to hit recovery.
        sim_.files().power_off_at(1 + choice_.below(one_in(choice_, 3) ? 60 : 400));
        if (one_in(choice_, 4))
            sim_.files().fail_operation(1 + choice_.below(200),
                                        one_in(choice_, 2) ? ErrorCode::io : ErrorCode::no_space);
        if (auto problem = open())
            return problem;
        if (log_) {
            for (int client = 0; client < 5; ++client)
                append_on();
            static_cast<void>(sim_.scheduler().run_until([&] { return budget_ == 0 && waiting_ == 0; }));
        }
        if (sim_.is_powered())
            sim_.power_off();
        log_.reset();
        waiting_ = 0;
        if (one_in(choice_, 4))
            sim_.restart_process();
        else
            sim_.restart();
        return std::nullopt;
    }

    std::optional<std::string> live_and_stop() {
        for (int round = 0; round < 2; ++round) {
            if (auto problem = open())
                return problem;
            if (!log_)
                return "not opened, though nothing fails any more";
            for (int client = 0; client < 3; ++client)
                append_on();
            if (!sim_.scheduler().run_until([&] { return budget_ == 0 && waiting_ == 0; }))
                return "the power went off";
            bool is_stopped = false;
            log_->stop([&] { is_stopped = true; });
            if (!sim_.scheduler().run_until([&] { return is_stopped; }))
                return "the power went off";
            log_.reset();
        }
        return std::nullopt;
    }

    // log_ stays empty where the power went off or an operation was made to fail.
    std::optional<std::string> open() {
        budget_ = 10 + choice_.below(60);
        const std::uint64_t faults_before = sim_.files().fault_count();
        auto opened = open_embedded_log(sim_.env(), options_);
        if (!opened) {
            if (!sim_.is_powered() || sim_.files().fault_count() != faults_before)
                return std::nullopt;
            return fmt::format("cannot be opened: {}", opened.error().message());
        }
        log_ = *std::move(opened);
        const auto problem = oracle_.check(*log_);
        return sim_.is_powered() && sim_.files().fault_count() == faults_before ? problem : std::nullopt;
    }

    // A client: its next append follows the answer to the one before.
    void append_on() {
        if (budget_ == 0 || !log_)
            return;
        --budget_;
        const std::string key = fmt::format("account-{}", choice_.below(6));
        const std::size_t number = oracle_.next_number();
        AppendOracle::Append append;
        append.slot = {TopicId(0), partition_of(key, kPartitions)};
        append.key = key;
        append.command_id = fmt::format("command-{}", number);
        append.record_count = 1 + choice_.below(3);
        std::vector<std::string> payloads;
        std::vector<Record> records(append.record_count);
        for (std::size_t i = 0; i < append.record_count; ++i)
            payloads.push_back(
                AppendOracle::payload(number, i, one_in(choice_, 5) ? choice_.below(2000) : choice_.below(50)));
        for (std::size_t i = 0; i < append.record_count; ++i) {
            records[i].meta.type = "test.happened";
            records[i].meta.command_id = append.command_id;
            records[i].meta.command_id_source = CommandIdSource::client;
            records[i].payload = payloads[i];
        }
        const auto accepted =
            log_->append({append.slot, key, ExpectedVersion::any(), records}, [this, number](auto result) {
                --waiting_;
                oracle_.ended(number, result);
                append_on();
            });
        if (!accepted)
            return append_on();  // a partition that has stopped: others go on
        ++waiting_;
        append.first_version = accepted->first_version;
        append.recorded_at = accepted->recorded_at;
        oracle_.accepted(std::move(append));
    }

    sim::SimEnv sim_;
    sim::SimRandom choice_;
    EmbeddedLogOptions options_;
    AppendOracle oracle_;
    std::unique_ptr<EventLog> log_;
    std::uint64_t budget_ = 0;
    std::int64_t waiting_ = 0;
};

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// One seed: LEFTFOLD_SEED=17 LEFTFOLD_SEEDS=1 log_test --gtest_filter=Crash.*
TEST(Crash, nothing_acknowledged_is_lost_and_nothing_gone_comes_back) {
    const std::uint64_t first = number_from_environment("LEFTFOLD_SEED", 1);
    const std::uint64_t count = number_from_environment("LEFTFOLD_SEEDS", 1000);
    std::size_t durable = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        CrashWorld world(seed);
        const auto problem = world.run();
        ASSERT_FALSE(problem) << *problem << "\nseed " << seed << "; again: LEFTFOLD_SEED=" << seed
                              << " LEFTFOLD_SEEDS=1 log_test --gtest_filter=Crash.nothing*";
        durable += world.durable_count();
    }
    RecordProperty("durable_appends", static_cast<int>(durable));
}

TEST(Crash, disk_that_lies_about_syncing_is_caught) {
    int caught = 0;
    for (std::uint64_t seed = 1; seed <= 50; ++seed)
        caught += CrashWorld(seed, {.sync_data_lies = true}).run() ? 1 : 0;
    EXPECT_GT(caught, 25);
}

TEST(Crash, disk_that_lies_about_names_is_caught) {
    int caught = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed)
        caught += CrashWorld(seed, {.sync_directory_lies = true}).run() ? 1 : 0;
    EXPECT_GT(caught, 10);
}

}  // namespace
}  // namespace leftfold::log
