// Crashes of a simulated machine under a reaction. What the outside world saw is kept outside of it.
#include "testing/simulation.hpp"

#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace leftfold {
namespace {

using testing::Plant;
using testing::Problem;
using testing::Simulation;
using testing::SimulationCounts;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

Problem run(Simulation& simulation) {
    try {
        return simulation.run();
    } catch (const sim::SimulationError& error) {
        return error.what();
    }
}

TEST(ReactionSimulation, nothing_is_skipped_or_out_of_order_whatever_fails) {
    const std::uint64_t first = number_from_environment("LEFTFOLD_SEED", 1);
    const std::uint64_t count = number_from_environment("LEFTFOLD_SEEDS", LEFTFOLD_REACTION_SEEDS);
    SimulationCounts all;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        Simulation simulation(seed);
        const Problem problem = run(simulation);
        if (problem && count == 1)
            fmt::print("{}", simulation.story());
        ASSERT_FALSE(problem) << *problem
                              << fmt::format(
                                     "\nseed {0}; again: LEFTFOLD_SEED={0} LEFTFOLD_SEEDS=1 reaction_test "
                                     "--gtest_filter=ReactionSimulation.nothing*",
                                     seed);
        const SimulationCounts& counts = simulation.counts();
        all.crashes += counts.crashes;
        all.completions += counts.completions;
        all.repeats += counts.repeats;
        all.dead += counts.dead;
        all.retried += counts.retried;
        all.discarded += counts.discarded;
        all.kept += counts.kept;
        all.reopened += counts.reopened;
    }
    RecordProperty("crashes", static_cast<int>(all.crashes));
    fmt::print(
        "{} crashes, {} completions, {} of them repeats, {} died, {} retried, {} discarded, {} kept, {} reopened\n",
        all.crashes, all.completions, all.repeats, all.dead, all.retried, all.discarded, all.kept, all.reopened);
    if (count < LEFTFOLD_REACTION_SEEDS)
        return;
    // The simulation reaches what it is there for.
    EXPECT_GT(all.crashes, count);
    EXPECT_GT(all.repeats, count / 4);
    EXPECT_GT(all.retried, count);
    EXPECT_GT(all.discarded, count / 2);
    EXPECT_GT(all.reopened, count / 30);
}

TEST(ReactionSimulation, one_seed_gives_one_execution) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Simulation one(seed);
        Simulation other(seed);
        EXPECT_EQ(run(one), run(other));
        EXPECT_EQ(one.story(), other.story()) << seed;
    }
}

// How many seeds it takes until one finds it; 0: none of the first hundred does.
std::uint64_t seeds_until_found(Plant plant, std::string_view what) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        Simulation simulation(seed, plant);
        const Problem problem = run(simulation);
        if (problem && problem->find(what) != std::string::npos)
            return seed;
    }
    return 0;
}

TEST(Planted, positions_ahead_of_the_handler_are_found) {
    EXPECT_NE(seeds_until_found({.positions_are_ahead = true}, "skipped"), 0U);
}

TEST(Planted, dead_letter_that_holds_nothing_back_is_found) {
    EXPECT_NE(seeds_until_found({.dead_hold_nothing_back = true}, "began before"), 0U);
}

TEST(Planted, operator_told_before_it_is_durable_is_found) {
    EXPECT_NE(seeds_until_found({.syncs_are_dropped = true}, "discard"), 0U);
}

}  // namespace
}  // namespace leftfold
