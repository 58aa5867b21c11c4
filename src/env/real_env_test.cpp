// RealEnv's clock, random and signals.
#include "leftfold/env/real_env.hpp"

#include <csignal>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace leftfold {
namespace {

TEST(RealClock, time_goes_on_and_is_of_this_century) {
    RealEnv real;
    const Clock& clock = real.env().clock;
    const MonotonicTime first = clock.monotonic();
    EXPECT_LE(first, clock.monotonic());
    EXPECT_GT(clock.now(), parse_date("2024-01-01").value());
}

TEST(RealRandom, values_differ_within_and_between_instances) {
    RealEnv one;
    RealEnv other;
    std::set<std::uint64_t> values;
    for (int index = 0; index < 2'000; ++index) {
        values.insert(one.env().random.next());
        values.insert(other.env().random.next());
    }
    EXPECT_EQ(values.size(), 4'000U);
}

struct ScriptedRandom final : Random {
    std::vector<std::uint64_t> values;
    std::size_t index = 0;
    std::uint64_t next() override { return values.at(index++); }
};

// 2^64 = 3 · 6148914691236517205 + 1: of the values, one is too many for three equal shares.
TEST(Random, below_draws_again_where_shares_would_be_unequal) {
    ScriptedRandom random;
    random.values = {0, 5, 1, ~0ULL};
    EXPECT_EQ(random.below(3), 2U);
    EXPECT_EQ(random.below(3), 1U);
    EXPECT_EQ(random.below(3), 0U);
    EXPECT_EQ(random.index, 4U);
}

TEST(Random, below_a_power_of_two_takes_every_value) {
    ScriptedRandom random;
    random.values = {0, 7, 8};
    EXPECT_EQ(random.below(8), 0U);
    EXPECT_EQ(random.below(8), 7U);
    EXPECT_EQ(random.below(1), 0U);
}

TEST(RealEnv, termination_signals_become_steps_on_whichever_thread_they_arrive) {
    RealEnv real;
    std::vector<int> signals;
    real.on_termination_signal([&](int signal) {
        signals.push_back(signal);
        if (signals.size() == 2)
            real.stop();
    });
    real.env().scheduler.post([] { std::raise(SIGINT); });
    std::thread other([] { std::raise(SIGTERM); });
    other.join();
    real.run();
    EXPECT_EQ(std::multiset<int>(signals.begin(), signals.end()), (std::multiset<int>{SIGINT, SIGTERM}));
}

TEST(RealEnv, signal_after_the_end_of_a_process_that_was_told_to_end_is_ignored) {
    const auto end_at_a_signal = [] {
        {
            RealEnv real;
            real.on_termination_signal([&](int) { real.stop(); });
            std::raise(SIGTERM);
            real.run();
        }
        std::raise(SIGTERM);
        std::raise(SIGINT);
        std::_Exit(0);
    };
    EXPECT_EXIT(end_at_a_signal(), ::testing::ExitedWithCode(0), "");
}

TEST(RealEnv, stop_from_another_thread_wakes_the_loop) {
    RealEnv real;
    std::thread other;
    real.env().scheduler.post([&] { other = std::thread([&] { real.stop(); }); });
    real.run();
    other.join();
}

TEST(RealEnv, work_left_behind_is_destroyed_with_the_env) {
    const auto counted = std::make_shared<int>(0);
    {
        RealEnv real;
        real.env().scheduler.post([kept = counted] { ++*kept; });
        real.env().scheduler.call_after(std::chrono::seconds(1), [kept = counted] { ++*kept; });
        EXPECT_EQ(counted.use_count(), 3);
    }
    EXPECT_EQ(counted.use_count(), 1);
    EXPECT_EQ(*counted, 0);
}

}  // namespace
}  // namespace leftfold
