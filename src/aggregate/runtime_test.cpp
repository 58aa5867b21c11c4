#include "leftfold/aggregate/runtime.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/counter.hpp"
#include "testing/world.hpp"

namespace leftfold {
namespace {

using testing::Counter;
using testing::failure_of;
using testing::is;
using testing::version_of;
using CounterWorld = testing::World<Counter>;

std::string total(std::int64_t number) {
    return "\"total\":" + std::to_string(number) + ",";
}

TEST(Runtime, several_events_are_accepted_together) {
    CounterWorld world;
    const auto reply = world.tell("a", "add", R"({"amount":2,"times":3})");
    ASSERT_TRUE(is<CommandAccepted>(reply));
    EXPECT_EQ(version_of(reply), 3);
    EXPECT_TRUE(std::get<CommandAccepted>(reply.outcome).created);
    EXPECT_EQ(reply.position, Position(3));
    const auto next = world.tell("a", "add", R"({"amount":2,"times":1})");
    EXPECT_FALSE(std::get<CommandAccepted>(next.outcome).created);
    EXPECT_TRUE(world.read("a")->members.starts_with(total(8)));
}

TEST(Runtime, nothing_happens_and_is_accepted) {
    CounterWorld world;
    world.tell("a", "add", R"({"amount":2,"times":1})");
    const auto reply = world.tell("a", "ignore", "{}");
    ASSERT_TRUE(is<CommandAccepted>(reply));
    EXPECT_EQ(version_of(reply), 1);
}

TEST(Runtime, refusal_carries_reason_details_and_version) {
    CounterWorld world;
    world.tell("a", "add", R"({"amount":2,"times":2})");
    const auto reply = world.tell("a", "refuse", R"({"reason":"not-today"})");
    ASSERT_TRUE(is<CommandRejected>(reply));
    const Rejection& rejection = std::get<CommandRejected>(reply.outcome).rejection;
    EXPECT_EQ(rejection.reason(), "not-today");
    EXPECT_EQ(rejection.details(), R"("total":4,"why":"say \"so\"")");
    EXPECT_EQ(version_of(reply), 2);
}

TEST(Runtime, contexts_say_who_and_what_on_every_replay) {
    CounterWorld world;
    CommandRequest more;
    more.command_id = "id-1";
    more.actor = "ada";
    world.tell("a", "remember", "{}", more);
    const auto live = world.read("a");
    ASSERT_TRUE(live);
    EXPECT_NE(live->members.find(R"("command_id":"id-1","seen":"1 ada")"), std::string::npos) << live->members;
    world.restart();
    EXPECT_EQ(world.read("a")->members, live->members);
}

TEST(Runtime, malformed_command_names_the_path) {
    CounterWorld world;
    const auto reply = world.tell("a", "add", R"({"amount":"two","times":1})");
    ASSERT_TRUE(is<CommandMalformed>(reply));
    EXPECT_EQ(std::get<CommandMalformed>(reply.outcome).error.path, "/amount");
    EXPECT_EQ(world.statistics().hot, 0U);
}

TEST(Runtime, expected_version_that_does_not_hold_is_a_conflict) {
    CounterWorld world;
    const auto expecting = [](log::ExpectedVersion expected) {
        CommandRequest more;
        more.expected = expected;
        return more;
    };
    const char* body = R"({"amount":1,"times":1})";
    EXPECT_TRUE(is<CommandConflict>(world.tell("a", "add", body, expecting(log::ExpectedVersion::exists()))));
    EXPECT_TRUE(is<CommandAccepted>(world.tell("a", "add", body, expecting(log::ExpectedVersion::none()))));
    const auto conflict = world.tell("a", "add", body, expecting(log::ExpectedVersion::none()));
    ASSERT_TRUE(is<CommandConflict>(conflict));
    EXPECT_EQ(version_of(conflict), 1);
    EXPECT_TRUE(
        is<CommandAccepted>(world.tell("a", "add", body, expecting(log::ExpectedVersion::exactly(Version(1))))));
}

// ---------------------------------------------------------------------------------------------------------------------
// Memory

TEST(Runtime, read_of_what_does_not_exist_takes_no_place) {
    CounterWorld world;
    for (int i = 0; i < 10; ++i) {
        const auto state = world.read("nobody-" + std::to_string(i));
        ASSERT_FALSE(state);
        EXPECT_EQ(state.error().code(), ErrorCode::not_found);
    }
    EXPECT_EQ(world.statistics().hot, 0U);
}

TEST(Runtime, refused_command_to_what_does_not_exist_takes_no_place) {
    CounterWorld world;
    CommandRequest more;
    more.command_id = "id";
    EXPECT_TRUE(is<CommandRejected>(world.tell("nobody", "refuse", R"({"reason":"no"})", more)));
    EXPECT_TRUE(is<CommandRejected>(world.tell("nobody", "refuse", R"({"reason":"no"})")));
    EXPECT_EQ(world.statistics().hot, 0U);
}

TEST(Runtime, cold_aggregate_is_read_from_the_log) {
    CounterWorld world({.hot_aggregates_max = 1});
    world.tell("a", "add", R"({"amount":1,"times":1})");
    world.tell("b", "add", R"({"amount":2,"times":1})");
    EXPECT_EQ(world.statistics().hot, 1U);
    EXPECT_EQ(version_of(world.tell("a", "add", R"({"amount":4,"times":1})")), 2);
    EXPECT_TRUE(world.read("a")->members.starts_with(total(5)));
    EXPECT_EQ(world.statistics().loads, 1U);
}

TEST(Runtime, long_load_lets_others_have_their_turn) {
    CounterWorld world({.bytes_per_turn = 1});
    world.tell("long", "add", R"({"amount":1,"times":1})");
    for (int i = 0; i < 99; ++i)
        world.tell("long", "add", R"({"amount":1,"times":1})");
    world.restart();
    std::vector<std::string> order;
    const auto note = [&](std::string name) {
        return [&order, name = std::move(name)](const Result<StateReply>& state) {
            EXPECT_TRUE(state);
            order.push_back(name);
        };
    };
    world.tell("short", "add", R"({"amount":1,"times":1})");
    world.runtime().read("long", {}, note("long"));
    world.runtime().read("short", {}, note("short"));
    const auto second = world.send("long", "add", R"({"amount":1,"times":1})");
    world.run_until([&] { return order.size() == 2 && second->has_value(); });
    EXPECT_EQ(order, (std::vector<std::string>{"short", "long"}));
    EXPECT_EQ(version_of(**second), 101);
    EXPECT_EQ(world.statistics().loads, 1U);
}

TEST(Runtime, runtime_that_ends_while_it_loads_leaves_nothing_behind) {
    CounterWorld world({.bytes_per_turn = 1});
    for (int i = 0; i < 20; ++i)
        world.tell("long", "add", R"({"amount":1,"times":1})");
    world.restart();
    world.runtime().read("long", {}, [](const Result<StateReply>&) {});
    world.runtime().read("long", AsOfVersion{Version(20)}, [](const Result<StateReply>&) {});
    world.sim().scheduler().step();
}  // ~World runs what is left: asan would tell

// ---------------------------------------------------------------------------------------------------------------------
// Bounds and failures

// A large event needs a new one, and so space on the disk.
log::EmbeddedLogOptions small_segments() {
    log::EmbeddedLogOptions options;
    options.segment_bytes = 4096;
    return options;
}

TEST(Runtime, too_many_for_one_aggregate_are_told_to_come_again) {
    CounterWorld world({.commands_in_flight_max = 3});
    std::vector<std::shared_ptr<std::optional<CommandReply>>> replies;
    for (int i = 0; i < 5; ++i)
        replies.push_back(world.send("hot", "add", R"({"amount":1,"times":1})"));
    const auto other = world.send("other", "add", R"({"amount":1,"times":1})");
    world.run_until([&] {
        return other->has_value() && std::ranges::all_of(replies, [](const auto& reply) { return reply->has_value(); });
    });
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_EQ(version_of(**replies[i]), static_cast<std::int64_t>(i + 1));
    for (std::size_t i = 3; i < 5; ++i) {
        EXPECT_EQ(failure_of(**replies[i]), ErrorCode::overloaded);
        EXPECT_TRUE(std::get<CommandFailed>((**replies[i]).outcome).error.retryable());
    }
    EXPECT_TRUE(is<CommandAccepted>(**other));
    EXPECT_EQ(version_of(world.tell("hot", "add", R"({"amount":1,"times":1})")), 4);
}

TEST(Runtime, event_too_large_fails_and_changes_nothing) {
    log::EmbeddedLogOptions options;
    options.append_bytes_max = 1000;
    CounterWorld world({}, options);
    world.tell("a", "add", R"({"amount":5,"times":1})");
    EXPECT_EQ(failure_of(world.tell("a", "pad", R"({"bytes":5000})")), ErrorCode::too_large);
    EXPECT_EQ(version_of(world.tell("a", "add", R"({"amount":1,"times":1})")), 2);
    EXPECT_TRUE(world.read("a")->members.starts_with(total(6)));
}

TEST(Runtime, decide_that_throws_fails_its_command_only) {
    CounterWorld world;
    world.tell("a", "add", R"({"amount":5,"times":1})");
    const auto thrown = world.tell("a", "throw-in-decide", R"({"plainly":false})");
    EXPECT_EQ(failure_of(thrown), ErrorCode::user_code);
    EXPECT_EQ(std::get<CommandFailed>(thrown.outcome).error.message(), "decide threw: decided to throw");
    EXPECT_EQ(failure_of(world.tell("a", "throw-in-decide", R"({"plainly":true})")), ErrorCode::user_code);
    EXPECT_EQ(version_of(world.tell("a", "add", R"({"amount":1,"times":1})")), 2);
}

TEST(Runtime, evolve_that_throws_stores_nothing) {
    CounterWorld world;
    world.tell("a", "add", R"({"amount":5,"times":1})");
    const auto before = world.send("a", "add", R"({"amount":1,"times":1})");
    const auto thrown = world.send("a", "throw-in-evolve", "{}");
    const auto after = world.send("a", "add", R"({"amount":1,"times":1})");
    world.run_until([&] { return before->has_value() && thrown->has_value() && after->has_value(); });
    EXPECT_EQ(version_of(**before), 2);
    EXPECT_EQ(failure_of(**thrown), ErrorCode::user_code);
    EXPECT_EQ(failure_of(**after), ErrorCode::unavailable);  // the state is read anew
    EXPECT_EQ(version_of(world.tell("a", "add", R"({"amount":1,"times":1})")), 3);
    EXPECT_TRUE(world.read("a")->members.starts_with(total(7)));
}

TEST(Runtime, failed_append_takes_down_what_was_decided_on_it) {
    CounterWorld world({}, small_segments());
    world.tell("a", "add", R"({"amount":5,"times":1})");
    world.sim().files().set_capacity(world.sim().files().used_bytes());
    std::vector<std::shared_ptr<std::optional<CommandReply>>> replies;
    replies.push_back(world.send("a", "pad", R"({"bytes":900000})"));
    replies.push_back(world.send("a", "refuse", R"({"reason":"no"})"));
    replies.push_back(world.send("b", "add", R"({"amount":1,"times":1})"));
    world.run_until([&] { return std::ranges::all_of(replies, [](const auto& reply) { return reply->has_value(); }); });
    for (const auto& reply : replies)
        EXPECT_EQ(failure_of(**reply), ErrorCode::no_space);
    world.sim().files().set_capacity(0);
    EXPECT_EQ(version_of(world.tell("a", "add", R"({"amount":1,"times":1})")), 2);
    EXPECT_EQ(version_of(world.tell("b", "add", R"({"amount":1,"times":1})")), 1);
}

// Who hears of a failure and sends at once must not be answered from a state that is about to be thrown away.
TEST(Runtime, command_sent_from_within_a_failure_sees_what_is_stored) {
    CounterWorld world({}, small_segments());
    world.tell("b", "add", R"({"amount":5,"times":1})");
    world.sim().files().set_capacity(world.sim().files().used_bytes());
    std::optional<CommandReply> answer;
    const std::string big = R"({"bytes":900000})";
    CommandRequest first;
    first.key = "a";
    first.command = *world.runtime().model().find_command("pad");
    first.json = big;
    CommandRequest second;
    second.key = "b";
    second.command = *world.runtime().model().find_command("refuse");
    second.json = R"({"reason":"no"})";
    world.runtime().handle(first, [&](const CommandReply&) {
        world.runtime().handle(second, [&](CommandReply reply) { answer = std::move(reply); });
    });
    world.send("b", "add", R"({"amount":100,"times":1})");  // in the same group, told after the first
    world.run_until([&] { return answer.has_value(); });
    ASSERT_TRUE(is<CommandRejected>(*answer));
    EXPECT_EQ(version_of(*answer), 1);
    EXPECT_TRUE(std::get<CommandRejected>(answer->outcome).rejection.details().starts_with("\"total\":5,"));
}

TEST(Runtime, event_that_cannot_be_read_fails_every_command_and_says_why) {
    CounterWorld world;
    Record record;
    record.meta.type = "test.thing.of-another-time";
    record.payload = "{}";
    bool is_stored = false;
    ASSERT_TRUE(world.log().append({.slot = {testing::kEvents, PartitionId(0)}, .key = "a", .records = {&record, 1}},
                                   [&](const Result<log::Appended>&) { is_stored = true; }));
    world.run_until([&] { return is_stored; });
    for (int i = 0; i < 2; ++i) {
        const auto reply = world.tell("a", "add", R"({"amount":1,"times":1})");
        ASSERT_TRUE(is<CommandFailed>(reply));
        EXPECT_NE(std::get<CommandFailed>(reply.outcome).error.message().find("of-another-time"), std::string::npos);
    }
    EXPECT_FALSE(world.read("a"));
    EXPECT_EQ(world.statistics().hot, 0U);
}

}  // namespace
}  // namespace leftfold
