// Questions about the past, SEMANTICS 9.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "testing/counter.hpp"
#include "testing/world.hpp"

namespace leftfold {
namespace {

using namespace std::chrono_literals;
using testing::Counter;
using CounterWorld = testing::World<Counter>;

constexpr Timestamp kNoon = sim::kSimStart - 12h;

// Four events, a minute of recording apart; the third happened before the first.
class History : public ::testing::Test {
  protected:
    History() {
        const Timestamp times[] = {kNoon + 1h, kNoon + 2h, kNoon, kNoon + 3h};
        std::int64_t amount = 1;
        for (const Timestamp time : times) {
            CommandRequest more;
            more.time = time;
            const std::string body = R"({"amount":)" + std::to_string(amount) + R"(,"times":1})";
            EXPECT_TRUE(testing::is<CommandAccepted>(world_.tell("a", "add", body, more)));
            recorded_.push_back(world_.sim().clock().now());
            world_.sim().clock().jump_wall(1min);
            amount *= 10;
        }
    }

    // The total, and at what version; -1 where there was none.
    std::pair<std::int64_t, std::int64_t> ask(const AsOf& as_of) {
        const auto state = world_.read("a", as_of);
        if (!state) {
            EXPECT_EQ(state.error().code(), ErrorCode::not_found);
            return {-1, -1};
        }
        return {std::stoll(state->members.substr(state->members.find(':') + 1)), state->version.value()};
    }

    CounterWorld world_{AggregateOptions{.bytes_per_turn = 1}};
    std::vector<Timestamp> recorded_;
};

using Answer = std::pair<std::int64_t, std::int64_t>;

TEST_F(History, of_a_version_is_a_prefix) {
    EXPECT_EQ(ask(AsOfVersion{Version(1)}), Answer(1, 1));
    EXPECT_EQ(ask(AsOfVersion{Version(3)}), Answer(111, 3));
    EXPECT_EQ(ask(AsOfVersion{Version(4)}), Answer(1111, 4));
    EXPECT_EQ(ask(AsOfVersion{Version(0)}), Answer(-1, -1));
    EXPECT_EQ(ask(AsOfVersion{Version(5)}), Answer(-1, -1));
}

TEST_F(History, of_a_time_is_what_had_happened_by_then_inclusive) {
    EXPECT_EQ(ask(AsOfTime{kNoon - 1us}), Answer(-1, -1));
    EXPECT_EQ(ask(AsOfTime{kNoon}), Answer(100, 3));
    EXPECT_EQ(ask(AsOfTime{kNoon + 1h}), Answer(101, 3));
    EXPECT_EQ(ask(AsOfTime{kNoon + 2h - 1us}), Answer(101, 3));
    EXPECT_EQ(ask(AsOfTime{kNoon + 2h}), Answer(111, 3));
    EXPECT_EQ(ask(AsOfTime{kNoon + 24h}), Answer(1111, 4));
}

TEST_F(History, of_the_recording_is_a_prefix_whatever_the_time) {
    EXPECT_EQ(ask(AsOfRecorded{recorded_[0] - 1h}), Answer(-1, -1));
    EXPECT_EQ(ask(AsOfRecorded{recorded_[0]}), Answer(1, 1));
    EXPECT_EQ(ask(AsOfRecorded{recorded_[2]}), Answer(111, 3));
    EXPECT_EQ(ask(AsOfRecorded{recorded_[3] + 1h}), Answer(1111, 4));
}

TEST_F(History, of_nobody_is_not_found) {
    const auto state = world_.read("nobody", AsOfTime{kNoon});
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().code(), ErrorCode::not_found);
}

TEST_F(History, beyond_the_last_version_says_which_is_the_last) {
    const auto state = world_.read("a", AsOfVersion{Version(5)});
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().message(), "thing 'a' is at version 4");
}

TEST_F(History, does_not_disturb_the_present) {
    EXPECT_EQ(ask(AsOfVersion{Version(1)}), Answer(1, 1));
    EXPECT_EQ(ask({}), Answer(1111, 4));
}

}  // namespace
}  // namespace leftfold
