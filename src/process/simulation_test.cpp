// Transfers between accounts on a machine that dies again and again. See testing/bank_simulation.hpp.
#include <cstdlib>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "testing/bank_simulation.hpp"

namespace leftfold::testing {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string again(std::uint64_t seed) {
    return fmt::format(
        "\nseed {0}; again: LEFTFOLD_SEED={0} LEFTFOLD_SEEDS=1 process_test "
        "--gtest_filter=Simulation.every_transfer*",
        seed);
}

Problem run(BankSimulation& simulation) {
    try {
        return simulation.run();
    } catch (const sim::SimulationError& error) {
        return error.what();
    }
}

TEST(Simulation, every_transfer_ends_once_whatever_dies) {
    const std::uint64_t first = number_from_environment("LEFTFOLD_SEED", 1);
    const std::uint64_t count = number_from_environment("LEFTFOLD_SEEDS", LEFTFOLD_PROCESS_SEEDS);
    BankStatistics total;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        BankSimulation simulation(seed);
        const Problem problem = run(simulation);
        ASSERT_FALSE(problem) << *problem << again(seed);
        const BankStatistics& one = simulation.statistics();
        total.crashes += one.crashes;
        total.transfers += one.transfers;
        total.completed += one.completed;
        total.compensated += one.compensated;
        total.refused += one.refused;
        total.timers_fired += one.timers_fired;
    }
    fmt::print("{} crashes; of {} transfers {} completed, {} compensated, {} refused; {} timers fired\n", total.crashes,
               total.transfers, total.completed, total.compensated, total.refused, total.timers_fired);
}

TEST(Simulation, one_seed_gives_one_execution) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        BankSimulation one(seed);
        BankSimulation two(seed);
        ASSERT_EQ(run(one), std::nullopt) << again(seed);
        ASSERT_EQ(run(two), std::nullopt) << again(seed);
        EXPECT_EQ(one.trace_hash(), two.trace_hash()) << "seed " << seed;
    }
}

// The seed of the first of `seeds` in which the planted bug is found.
std::optional<std::uint64_t> found_within(std::uint64_t seeds, Plant plant) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        BankSimulation simulation(seed, plant);
        if (const auto problem = run(simulation)) {
            fmt::print("seed {}: {}\n", seed, problem->substr(0, 300));
            return seed;
        }
    }
    return std::nullopt;
}

TEST(Planted, dispatch_ahead_of_durability_is_found) {
    EXPECT_TRUE(found_within(200, {.dispatch_is_ahead = true}));
}

TEST(Planted, answer_ahead_of_durability_is_found) {
    EXPECT_TRUE(found_within(200, {.answer_is_ahead = true}));
}

TEST(Planted, fresh_id_of_a_command_sent_again_is_found) {
    EXPECT_TRUE(found_within(200, {.ids_are_fresh = true}));
}

TEST(Planted, timer_on_another_clock_is_found) {
    EXPECT_TRUE(found_within(200, {.clock_is_wrong = true}));
}

TEST(Planted, checkpoint_outside_of_the_transaction_is_found) {
    EXPECT_TRUE(found_within(200, {.checkpoint_is_apart = true}));
}

}  // namespace
}  // namespace leftfold::testing
