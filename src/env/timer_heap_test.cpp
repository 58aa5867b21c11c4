#include "timer_heap.hpp"

#include <map>
#include <optional>
#include <random>

#include <gtest/gtest.h>

namespace leftfold {
namespace {

MonotonicTime at(int nanoseconds) {
    return MonotonicTime(Duration(nanoseconds));
}

TEST(TimerHeap, cancelled_and_taken_ids_name_nothing_even_after_reuse) {
    TimerHeap timers;
    int ran = 0;
    const TimerId first = timers.add(at(1), [&] { ++ran; });
    EXPECT_TRUE(timers.cancel(first));
    EXPECT_FALSE(timers.cancel(first));
    const TimerId second = timers.add(at(1), [&] { ++ran; });
    EXPECT_NE(first, second);
    EXPECT_FALSE(timers.cancel(first));
    EXPECT_FALSE(timers.cancel(TimerId()));
    timers.take_due(at(1))();
    EXPECT_EQ(ran, 1);
    EXPECT_FALSE(timers.cancel(second));
    EXPECT_TRUE(timers.empty());
}

// Against a map ordered by (time, order of adding), as the interface says.
TEST(TimerHeap, random_operations_agree_with_an_ordered_map) {
    const auto seed = static_cast<unsigned>(testing::UnitTest::GetInstance()->random_seed());
    SCOPED_TRACE("rerun with --gtest_filter=TimerHeap.* --gtest_random_seed=" + std::to_string(seed));
    std::mt19937 random(seed);
    TimerHeap timers;
    std::map<std::pair<int, int>, TimerId> expected;
    int added = 0;
    int last_ran = -1;
    int now = 0;
    for (int round = 0; round < 50'000; ++round) {
        const auto choice = random() % 10;
        if (choice < 4) {
            const int due = now + static_cast<int>(random() % 50);
            const int name = added++;
            expected[{due, name}] = timers.add(at(due), [&last_ran, name] { last_ran = name; });
        } else if (choice < 7 && !expected.empty()) {
            auto victim = expected.begin();
            std::advance(victim, static_cast<long>(random() % std::min<std::size_t>(expected.size(), 20)));
            ASSERT_TRUE(timers.cancel(victim->second));
            expected.erase(victim);
        } else {
            now += static_cast<int>(random() % 8);
            while (Step step = timers.take_due(at(now))) {
                step();
                ASSERT_FALSE(expected.empty());
                ASSERT_LE(expected.begin()->first.first, now);
                ASSERT_EQ(last_ran, expected.begin()->first.second);
                expected.erase(expected.begin());
            }
        }
        const auto due = expected.empty() ? std::nullopt : std::optional(at(expected.begin()->first.first));
        ASSERT_EQ(timers.next_due(), due);
    }
}

}  // namespace
}  // namespace leftfold
