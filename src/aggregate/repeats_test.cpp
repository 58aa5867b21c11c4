// Command ids, SEMANTICS 4.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "testing/counter.hpp"
#include "testing/world.hpp"

namespace leftfold {
namespace {

using testing::Counter;
using testing::is;
using testing::version_of;
using CounterWorld = testing::World<Counter>;

const char* const kAdd = R"({"amount":1,"times":2})";
const char* const kRefuse = R"({"reason":"no"})";

CommandRequest with_id(std::string_view id) {
    CommandRequest more;
    more.command_id = id;
    return more;
}

void expect_same(const CommandReply& first, const CommandReply& again) {
    EXPECT_FALSE(first.repeated);
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(first.outcome.index(), again.outcome.index());
    EXPECT_EQ(version_of(first), version_of(again));
    if (is<CommandRejected>(first)) {
        EXPECT_EQ(std::get<CommandRejected>(first.outcome).rejection,
                  std::get<CommandRejected>(again.outcome).rejection);
    }
    if (is<CommandAccepted>(first)) {
        EXPECT_EQ(std::get<CommandAccepted>(first.outcome).created, std::get<CommandAccepted>(again.outcome).created);
    }
}

TEST(Repeat, gets_the_first_answer_also_after_a_restart) {
    CounterWorld world;
    const auto accepted = world.tell("a", "add", kAdd, with_id("accepted"));
    const auto refused = world.tell("a", "refuse", kRefuse, with_id("refused"));
    const auto eventless = world.tell("a", "ignore", "{}", with_id("eventless"));
    world.tell("a", "add", kAdd);
    for (int round = 0; round < 2; ++round) {
        expect_same(accepted, world.tell("a", "add", kAdd, with_id("accepted")));
        expect_same(refused, world.tell("a", "refuse", kRefuse, with_id("refused")));
        expect_same(eventless, world.tell("a", "ignore", "{}", with_id("eventless")));
        EXPECT_EQ(world.read("a")->version, Version(4));
        world.restart();
    }
}

TEST(Repeat, while_the_first_is_in_flight_waits_for_it) {
    CounterWorld world;
    const auto first = world.send("a", "add", kAdd, with_id("accepted"));
    const auto again = world.send("a", "add", kAdd, with_id("accepted"));
    const auto refused = world.send("a", "refuse", kRefuse, with_id("refused"));
    const auto refused_again = world.send("a", "refuse", kRefuse, with_id("refused"));
    EXPECT_FALSE(again->has_value());
    world.run_until([&] { return again->has_value() && refused_again->has_value(); });
    expect_same(**first, **again);
    expect_same(**refused, **refused_again);
    EXPECT_EQ(world.read("a")->version, Version(2));
}

TEST(Repeat, comes_before_the_expected_version) {
    CounterWorld world;
    CommandRequest more = with_id("id");
    more.expected = log::ExpectedVersion::none();
    const auto first = world.tell("a", "add", kAdd, more);
    expect_same(first, world.tell("a", "add", kAdd, more));
}

TEST(Repeat, of_a_conflict_is_looked_at_anew) {
    CounterWorld world;
    CommandRequest more = with_id("id");
    more.expected = log::ExpectedVersion::exactly(Version(2));
    EXPECT_TRUE(is<CommandConflict>(world.tell("a", "add", kAdd, more)));
    world.tell("a", "add", kAdd);
    const auto again = world.tell("a", "add", kAdd, more);
    EXPECT_TRUE(is<CommandAccepted>(again));
    EXPECT_FALSE(again.repeated);
}

TEST(Repeat, with_other_content_is_refused_in_flight_and_later) {
    CounterWorld world;
    const auto in_flight = world.send("a", "refuse", kRefuse, with_id("refused"));
    const auto other = world.send("a", "refuse", R"({"reason":"else"})", with_id("refused"));
    world.run_until([&] { return in_flight->has_value() && other->has_value(); });
    EXPECT_TRUE(is<CommandIdReused>(**other));
    world.tell("a", "add", kAdd, with_id("accepted"));
    for (int round = 0; round < 2; ++round) {
        EXPECT_TRUE(is<CommandIdReused>(world.tell("a", "add", R"({"amount":9,"times":2})", with_id("accepted"))));
        EXPECT_TRUE(is<CommandIdReused>(world.tell("a", "ignore", "{}", with_id("accepted"))));
        EXPECT_TRUE(is<CommandIdReused>(world.tell("a", "ignore", "{}", with_id("refused"))));
        world.restart();
    }
}

TEST(Repeat, differs_neither_by_white_space_nor_by_order) {
    CounterWorld world;
    const auto first = world.tell("a", "add", kAdd, with_id("id"));
    expect_same(first, world.tell("a", "add", R"( { "times" : 2, "amount" : 1 } )", with_id("id")));
}

TEST(Repeat, is_per_aggregate) {
    CounterWorld world;
    world.tell("a", "add", kAdd, with_id("id"));
    const auto other = world.tell("b", "add", kAdd, with_id("id"));
    EXPECT_FALSE(other.repeated);
    EXPECT_EQ(version_of(other), 2);
}

TEST(Repeat, of_a_refusal_ends_with_its_window_and_of_an_acceptance_never) {
    CounterWorld world({.outcomes_kept = std::chrono::hours(1)});
    const auto accepted = world.tell("a", "add", kAdd, with_id("accepted"));
    const auto refused = world.tell("a", "refuse", kRefuse, with_id("refused"));
    world.sim().clock().jump_wall(std::chrono::minutes(59));
    expect_same(refused, world.tell("a", "refuse", kRefuse, with_id("refused")));
    world.sim().clock().jump_wall(std::chrono::minutes(2));
    EXPECT_FALSE(world.tell("a", "refuse", kRefuse, with_id("refused")).repeated);
    expect_same(accepted, world.tell("a", "add", kAdd, with_id("accepted")));
    // The new answer counts from now on.
    EXPECT_TRUE(world.tell("a", "refuse", kRefuse, with_id("refused")).repeated);
}

}  // namespace
}  // namespace leftfold
