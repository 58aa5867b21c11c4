// Crashes of a simulated machine at every kind of moment. What was appended and what was answered is kept outside of
// the log.
#include <cstdlib>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim_log.hpp"

namespace leftfold::log {
namespace {

using sim::one_in;
using sim::PlantedFaults;

EmbeddedLogOptions options_by(sim::SimRandom& choice) {
    constexpr std::uint64_t kSegmentBytes[] = {4096, 16 * 1024, 256 * 1024};
    return {.topics = {{"accounts", 2}}, .segment_bytes = kSegmentBytes[choice.below(3)]};
}

// One machine with its log, through several lives.
class CrashWorld {
  public:
    explicit CrashWorld(std::uint64_t seed, PlantedFaults faults = {})
        : choice_(seed, "test"), world_(seed, options_by(choice_), faults), is_uniform_(one_in(choice_, 4)) {}

    // The first contradiction between what was answered and what is there.
    std::optional<std::string> run() {
        const std::uint64_t lives = 1 + choice_.below(4);
        for (std::uint64_t life = 0; life < lives; ++life) {
            if (auto problem = live_and_die())
                return fmt::format("in life {}: {}", life, *problem);
        }
        return live_and_stop();
    }

    std::size_t durable_count() { return world_.oracle().durable_count(); }

  private:
    sim::SimFileSystem& files() { return world_.sim().files(); }

    std::optional<std::string> live_and_die() {
        // Sometimes early enough to hit recovery.
        files().power_off_at(1 + choice_.below(one_in(choice_, 3) ? 60 : 400));
        if (one_in(choice_, 4))
            files().fail_operation(1 + choice_.below(200), one_in(choice_, 2) ? ErrorCode::io : ErrorCode::no_space);
        if (auto problem = open())
            return problem;
        if (world_.is_open())
            static_cast<void>(live(1 + choice_.below(8)));
        if (one_in(choice_, 4))
            world_.kill();
        else
            world_.crash();
        return std::nullopt;
    }

    std::optional<std::string> live_and_stop() {
        for (int round = 0; round < 2; ++round) {
            if (auto problem = open())
                return problem;
            if (!world_.is_open() || !live(1 + choice_.below(4)) || !world_.stop())
                return "not served to the end, though nothing fails any more";
        }
        return std::nullopt;
    }

    // Stays closed where the power went off or an operation was made to fail.
    std::optional<std::string> open() {
        const std::uint64_t faults_before = files().fault_count();
        const auto is_excused = [&] { return !world_.sim().is_powered() || files().fault_count() != faults_before; };
        if (auto opened = world_.open(); !opened)
            return is_excused() ? std::nullopt : std::optional("cannot be opened: " + opened.error().message());
        auto problem = world_.check();
        return is_excused() ? std::nullopt : problem;
    }

    // False if the power went off.
    bool live(std::uint64_t client_count) {
        budget_ = 10 + choice_.below(60);
        for (; client_count > 0; --client_count)
            append_on();
        return world_.settle();
    }

    // A client: its next append follows the answer to the one before. A partition that has stopped refuses; others go
    // on.
    void append_on() {
        bool is_accepted = false;
        while (budget_ > 0 && !is_accepted) {
            --budget_;
            const std::string key = fmt::format("account-{}", choice_.below(6));
            const std::uint64_t padding = one_in(choice_, 5) ? choice_.below(2000) : choice_.below(50);
            // Batches of equal size: what a torn one leaves behind would fit again behind the next in its place.
            const std::size_t digits = fmt::to_string(world_.oracle().next_number()).size();
            is_accepted = is_uniform_
                              ? world_.append(key, 1, 700 - 2 * digits, [this] { append_on(); }).has_value()
                              : world_.append(key, 1 + choice_.below(3), padding, [this] { append_on(); }).has_value();
        }
    }

    sim::SimRandom choice_;
    SimLog world_;
    bool is_uniform_;
    std::uint64_t budget_ = 0;
};

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

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
    EXPECT_GT(durable, count * 20) << "the worlds hardly append anything";
}

// Faults planted on purpose: a checker that never objects proves nothing.
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
