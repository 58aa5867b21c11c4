// Crashes of a simulated machine at every kind of moment, with appends, builds, switches and poison going on.
#include <cstdlib>

#include <gtest/gtest.h>

#include "planted_bugs.hpp"
#include "runner_crash_world.hpp"

namespace leftfold::testing {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(RunnerCrash, rows_are_the_fold_of_what_is_durable) {
    const std::uint64_t first = number_from_environment("LEFTFOLD_SEED", 1);
    const std::uint64_t count = number_from_environment("LEFTFOLD_SEEDS", 1'000);
    CrashCounts sum;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        RunnerCrashWorld world(seed);
        const auto problem = world.run();
        ASSERT_FALSE(problem) << *problem << "\nseed " << seed << "; again: LEFTFOLD_SEED=" << seed
                              << " LEFTFOLD_SEEDS=1 projection_test --gtest_filter=RunnerCrash.rows*";
        sum.events += world.counts().events;
        sum.crashes += world.counts().crashes;
        sum.checks += world.counts().checks;
        sum.switches += world.counts().switches;
        sum.skips += world.counts().skips;
        sum.stops += world.counts().stops;
        sum.store_failures += world.counts().store_failures;
    }
    RecordProperty("events", static_cast<int>(sum.events));
    std::printf("%lu events, %lu crashes, %lu checks, %lu switches, %lu stops, %lu skips, %lu store failures\n",
                sum.events, sum.crashes, sum.checks, sum.switches, sum.stops, sum.skips, sum.store_failures);
    if (count >= 100) {
        EXPECT_GT(sum.events, count * 20);
        EXPECT_GT(sum.crashes, count);
        EXPECT_GT(sum.checks, count * 10);
        EXPECT_GT(sum.switches, count);
        EXPECT_GT(sum.skips, count / 20);
        EXPECT_GT(sum.store_failures, count / 10);
    }
}

template <class Store>
Planted stores() {
    return {.store = [](std::unique_ptr<rows::RowStore> store) { return std::make_unique<Store>(std::move(store)); }};
}

int caught(const Planted& planted, int seeds) {
    int caught = 0;
    for (int seed = 1; seed <= seeds; ++seed)
        caught += RunnerCrashWorld(static_cast<std::uint64_t>(seed), planted).run() ? 1 : 0;
    return caught;
}

// A checker that never objects proves nothing.
TEST(Planted, positions_committed_apart_from_rows_are_caught) {
    EXPECT_GT(caught(stores<PositionsApart>(), 100), 10);
}

TEST(Planted, fold_that_keeps_what_was_undone_is_caught) {
    EXPECT_GT(caught({.forgets_to_discard = true}, 100), 10);
}

TEST(Planted, switch_to_rows_that_are_not_durable_is_caught) {
    EXPECT_GT(caught(stores<SyncForgotten>(), 200), 2);
}

TEST(Planted, events_folded_before_they_are_durable_are_caught) {
    EXPECT_GT(caught({.eager_log = true}, 100), 50);
}

}  // namespace
}  // namespace leftfold::testing
