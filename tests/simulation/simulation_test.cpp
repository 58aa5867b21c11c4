// Crashes of a simulated machine under the command path. What clients asked and were told is kept outside of it.
#include "simulation.hpp"

#include <cstdlib>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace leftfold::simulation {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string again(std::uint64_t seed) {
    return fmt::format(
        "\nseed {0}; again: LEFTFOLD_SEED={0} LEFTFOLD_SEEDS=1 simulation_test "
        "--gtest_filter=Simulation.what_clients*",
        seed);
}

std::optional<std::string> run(std::uint64_t seed, Plant plant = {}) {
    try {
        return Simulation(seed, plant).run();
    } catch (const sim::SimulationError& error) {
        return error.what();
    }
}

TEST(Simulation, what_clients_were_told_survives_every_crash) {
    const std::uint64_t first = number_from_environment("LEFTFOLD_SEED", 1);
    const std::uint64_t count = number_from_environment("LEFTFOLD_SEEDS", LEFTFOLD_SIMULATION_SEEDS);
    std::uint64_t crashes = 0;
    std::size_t attempts = 0;
    std::size_t accepted = 0;
    std::size_t rejected = 0;
    std::size_t conflicts = 0;
    std::size_t repeats = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        Simulation simulation(seed);
        std::optional<std::string> problem;
        try {
            problem = simulation.run();
        } catch (const sim::SimulationError& error) {
            problem = error.what();
        }
        ASSERT_FALSE(problem) << *problem << again(seed);
        crashes += simulation.crash_count();
        attempts += simulation.journal().attempt_count();
        accepted += simulation.journal().told_count(Told::Kind::accepted);
        rejected += simulation.journal().told_count(Told::Kind::rejected);
        conflicts += simulation.journal().told_count(Told::Kind::conflict);
        repeats += simulation.journal().repeated_count();
    }
    fmt::print("{} crashes; of {} commands and reads {} accepted, {} rejected, {} in conflict, {} answered again\n",
               crashes, attempts, accepted, rejected, conflicts, repeats);
    if (count >= LEFTFOLD_SIMULATION_SEEDS) {
        EXPECT_GE(crashes, 1000U);
    }
}

TEST(Simulation, one_seed_gives_one_execution) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Simulation one(seed);
        Simulation two(seed);
        ASSERT_EQ(one.run(), std::nullopt) << again(seed);
        ASSERT_EQ(two.run(), std::nullopt) << again(seed);
        EXPECT_EQ(one.trace_hash(), two.trace_hash()) << "seed " << seed;
    }
}

// The seed of the first of `seeds` in which the checkers find the planted bug.
std::optional<std::uint64_t> found_within(std::uint64_t seeds, Plant plant) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        if (const auto problem = run(seed, plant)) {
            fmt::print("seed {}: {}\n", seed, problem->substr(0, 300));
            return seed;
        }
    }
    return std::nullopt;
}

TEST(Planted, disk_that_lies_about_syncing_is_found) {
    EXPECT_TRUE(found_within(20, {.sync_data_lies = true}));
}

TEST(Planted, refusal_that_passes_the_barrier_is_found) {
    EXPECT_TRUE(found_within(50, {.barrier_passes = true}));
}

TEST(Planted, id_forgotten_by_a_restart_is_found) {
    EXPECT_TRUE(found_within(20, {.ids_are_forgotten = true}));
}

TEST(Planted, torn_batch_that_is_believed_is_found) {
    EXPECT_TRUE(found_within(50, {.torn_batch_believed = true}));
}

}  // namespace
}  // namespace leftfold::simulation
