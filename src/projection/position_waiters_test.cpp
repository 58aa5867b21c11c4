#include "position_waiters.hpp"

#include <gtest/gtest.h>

#include "leftfold/sim/env.hpp"

namespace leftfold {
namespace {

using std::chrono::seconds;

struct World {
    sim::SimEnv sim{1};
    PositionWaiters waiters{sim.scheduler(), 2, [] { return Error(ErrorCode::unavailable, "late"); }};
    std::vector<std::string> told;

    void wait(std::string name, std::vector<PositionWaiters::Want> wants, Duration at_most = seconds(10)) {
        waiters.add(std::move(wants), at_most, [this, name = std::move(name)](const Result<>& result) {
            told.push_back(name + (result ? "" : " " + result.error().message()));
        });
    }
};

Positions at(std::int64_t first, std::int64_t second) {
    return {Position(first), Position(second)};
}

TEST(PositionWaiters, answered_when_all_that_they_want_is_reached) {
    World world;
    world.wait("both", {{0, Position(5)}, {1, Position(3)}});
    world.wait("first", {{0, Position(5)}});
    world.wait("nothing", {});
    EXPECT_TRUE(world.told.empty());
    world.waiters.reached(at(0, 0));
    EXPECT_EQ(world.told, std::vector<std::string>{"nothing"});
    world.waiters.reached(at(4, 9));
    EXPECT_EQ(world.told.size(), 1U);
    world.waiters.reached(at(5, 2));
    EXPECT_EQ(world.told, (std::vector<std::string>{"nothing", "first"}));
    world.waiters.reached(at(5, 3));
    EXPECT_EQ(world.told.back(), "both");
    EXPECT_EQ(world.waiters.size(), 0U);
}

TEST(PositionWaiters, positions_may_fall_between) {
    World world;
    world.wait("both", {{0, Position(5)}, {1, Position(3)}});
    world.waiters.reached(at(5, 0));
    world.waiters.reached(at(0, 3));
    EXPECT_TRUE(world.told.empty()) << "the first of them is not reached any more";
    world.waiters.reached(at(5, 3));
    EXPECT_EQ(world.told.size(), 1U);
}

TEST(PositionWaiters, told_at_the_deadline_and_leave_nothing_behind) {
    World world;
    for (int i = 0; i < 1'000; ++i)
        world.wait("late", {{0, Position(5)}}, seconds(1));
    world.waiters.reached(at(0, 0));
    world.sim.scheduler().run_for(seconds(2));
    EXPECT_EQ(world.told.size(), 1'000U);
    EXPECT_EQ(world.told[0], "late late");
    EXPECT_EQ(world.waiters.size(), 0U);
    world.waiters.reached(at(5, 5));
    EXPECT_EQ(world.told.size(), 1'000U);
}

TEST(PositionWaiters, who_is_answered_may_ask_again) {
    World world;
    world.waiters.add({{0, Position(1)}}, seconds(1), [&](const Result<>&) {
        world.wait("again", {{0, Position(2)}});
        world.waiters.reached(at(2, 0));
    });
    world.waiters.reached(at(1, 0));
    EXPECT_EQ(world.told, std::vector<std::string>{"again"});
}

TEST(PositionWaiters, all_fail_at_the_end) {
    World world;
    world.wait("a", {{0, Position(5)}});
    world.wait("b", {{1, Position(5)}});
    world.waiters.reached(at(0, 0));
    world.waiters.fail_all(Error(ErrorCode::unavailable, "stopped"));
    EXPECT_EQ(world.told, (std::vector<std::string>{"a stopped", "b stopped"}));
    world.sim.scheduler().run_until_idle();
    EXPECT_EQ(world.told.size(), 2U);
}

}  // namespace
}  // namespace leftfold
