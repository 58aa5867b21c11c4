// Snapshots, SEMANTICS 17: answers with them equal answers without.
#include "snapshots.hpp"

#include <chrono>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "leftfold/sim/random.hpp"

#include "testing/world.hpp"

namespace leftfold {
namespace {

struct Put {
    std::string text;
    std::int64_t times = 1;
};
struct Erased {
    bool all = false;
};
struct Written {
    std::string text;
};

// Its state depends on the order of its events.
template <std::uint32_t Build, char Between>
struct Diary {
    using Command = std::variant<Put>;
    using Event = std::variant<Written, Erased>;
    static constexpr std::uint32_t snapshot_version = Build;

    std::string text;
    std::int64_t count = 0;

    Decision<Event> decide(const Put& command) const {
        if (command.text == "erase")
            return Erased{true};
        return std::vector<Event>(static_cast<std::size_t>(command.times), Written{command.text});
    }
    void evolve(const Written& event) {
        text = (text + Between + event.text).substr(0, 64);
        ++count;
    }
    void evolve(const Erased&) { text.clear(); }
};
using Book = Diary<1, '-'>;
using BookOfLaterCode = Diary<2, '+'>;

template <class Aggregate>
using World = testing::World<Aggregate>;

AggregateOptions with_snapshots(std::int64_t every) {
    AggregateOptions options;
    options.hot_aggregates_max = 1;
    options.snapshot_folder = "/data/snapshots";
    options.snapshot_every = every;
    return options;
}

std::string put(std::string_view text, std::int64_t times = 1) {
    return R"({"text":")" + std::string(text) + R"(","times":)" + std::to_string(times) + "}";
}

const SnapshotIdentity kIdentity = *snapshot_identity(Uuid({1, 2, 3}), "test.thing", "{}", 1);
const Snapshot kSnapshot{.version = Version(7),
                         .last_event = Uuid({9, 8}),
                         .time_max = timestamp_from_micros(-5),
                         .recorded_at = timestamp_from_micros(1'700'000'000'000'000),
                         .state = R"({"count":7})"};

TEST(Snapshot, comes_back_as_it_was) {
    const auto again = decode_snapshot(kIdentity, "key", encode_snapshot(kIdentity, "key", kSnapshot));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->version, kSnapshot.version);
    EXPECT_EQ(again->last_event, kSnapshot.last_event);
    EXPECT_EQ(again->time_max, kSnapshot.time_max);
    EXPECT_EQ(again->recorded_at, kSnapshot.recorded_at);
    EXPECT_EQ(again->state, kSnapshot.state);
}

TEST(Snapshot, torn_or_trashed_is_not_believed) {
    const std::string whole = encode_snapshot(kIdentity, "key", kSnapshot);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(decode_snapshot(kIdentity, "key", std::string_view(whole).substr(0, size))) << size;
        std::string trashed = whole;
        trashed[size] = static_cast<char>(trashed[size] ^ 1);
        EXPECT_FALSE(decode_snapshot(kIdentity, "key", trashed)) << size;
    }
    EXPECT_FALSE(decode_snapshot(kIdentity, "key", whole + "x"));
}

TEST(Snapshot, of_another_key_log_shape_or_code_is_not_believed) {
    const std::string bytes = encode_snapshot(kIdentity, "key", kSnapshot);
    EXPECT_FALSE(decode_snapshot(kIdentity, "other", bytes));
    const Uuid log({1, 2, 3});
    EXPECT_TRUE(decode_snapshot(*snapshot_identity(log, "test.thing", "{}", 1), "key", bytes));
    EXPECT_FALSE(decode_snapshot(*snapshot_identity(Uuid(), "test.thing", "{}", 1), "key", bytes));
    EXPECT_FALSE(decode_snapshot(*snapshot_identity(log, "test.other", "{}", 1), "key", bytes));
    EXPECT_FALSE(decode_snapshot(*snapshot_identity(log, "test.thing", "[]", 1), "key", bytes));
    EXPECT_FALSE(decode_snapshot(*snapshot_identity(log, "test.thing", "{}", 2), "key", bytes));
    if (const auto of_this_build = snapshot_identity(log, "test.thing", "{}", std::nullopt)) {
        EXPECT_FALSE(decode_snapshot(*of_this_build, "key", bytes));
        EXPECT_EQ(of_this_build->model, snapshot_identity(log, "test.thing", "{}", std::nullopt)->model);
    }
}

TEST(Snapshots, cold_aggregate_is_loaded_from_one) {
    World<Book> world(with_snapshots(10));
    for (int i = 0; i < 25; ++i)
        world.tell("a", "put", put(std::to_string(i)));
    const auto before = world.read("a");
    EXPECT_EQ(world.statistics().loads_from_snapshot, 0U);
    world.restart();
    EXPECT_EQ(world.read("a")->members, before->members);
    EXPECT_EQ(world.statistics().loads_from_snapshot, 1U);
    EXPECT_EQ(testing::version_of(world.tell("a", "put", put("x"))), 26);
}

TEST(Snapshots, short_stream_has_none) {
    World<Book> world(with_snapshots(10));
    for (int i = 0; i < 9; ++i)
        world.tell("a", "put", put(std::to_string(i)));
    EXPECT_FALSE(*world.sim().files().exists("/data/snapshots"));
}

TEST(Snapshots, long_stream_that_has_none_gets_one_when_it_is_read) {
    World<Book> world(with_snapshots(1'000'000));
    world.tell("a", "put", put("x", 50));
    world.change_options(with_snapshots(10));
    world.read("a");
    EXPECT_EQ(world.statistics().loads_from_snapshot, 0U);
    world.restart();
    world.read("a");
    EXPECT_EQ(world.statistics().loads_from_snapshot, 1U);
}

TEST(Snapshots, may_be_deleted_or_damaged_at_any_time) {
    World<Book> world(with_snapshots(10));
    for (int i = 0; i < 25; ++i)
        world.tell("a", "put", put(std::to_string(i)));
    const std::string right = world.read("a")->members;
    world.restart();
    auto& files = world.sim().files();
    const auto entries = files.list("/data/snapshots/test.thing");
    ASSERT_TRUE(entries);
    ASSERT_EQ(entries->size(), 1U);
    const std::string path = "/data/snapshots/test.thing/" + entries->front().name;
    {
        auto file = files.open(path, OpenMode::read_write);
        ASSERT_TRUE(file);
        ASSERT_TRUE((*file)->write_at(100, bytes_of("damage")));
    }
    EXPECT_EQ(world.read("a")->members, right);
    EXPECT_EQ(world.statistics().loads_from_snapshot, 0U);
    world.restart();
    ASSERT_TRUE(files.remove(path));
    EXPECT_EQ(world.read("a")->members, right);
}

TEST(Snapshots, later_code_replays) {
    World<Book> world(with_snapshots(10));
    for (int i = 0; i < 25; ++i)
        world.tell("a", "put", put("x"));
    world.template change_model<BookOfLaterCode>();
    EXPECT_NE(world.read("a")->members.find("+x+x"), std::string::npos);
    EXPECT_EQ(world.statistics().loads_from_snapshot, 0U);
}

TEST(Snapshots, disk_that_fails_costs_nothing_but_time) {
    World<Book> world(with_snapshots(5));
    for (int i = 0; i < 4; ++i)
        world.tell("a", "put", put("x"));
    ASSERT_TRUE(world.sim().files().open("/data/snapshots", OpenMode::create_new));  // no folder can be made
    for (int i = 0; i < 30; ++i)
        EXPECT_TRUE(testing::is<CommandAccepted>(world.tell("a", "put", put("x"))));
    world.restart();
    EXPECT_EQ(world.read("a")->version, Version(34));
}

// Random histories, asked in every way, in a world with snapshots and in one without.
TEST(Snapshots, answers_with_them_equal_answers_without) {
    const char* chosen = std::getenv("LEFTFOLD_SEED");
    const std::uint64_t first = chosen == nullptr ? 1 : std::strtoull(chosen, nullptr, 10);
    std::uint64_t used = 0;
    for (std::uint64_t seed = first; seed < first + (chosen == nullptr ? 40 : 1); ++seed) {
        SCOPED_TRACE("again: LEFTFOLD_SEED=" + std::to_string(seed) +
                     " aggregate_test --gtest_filter=Snapshots.answers*");
        sim::SimRandom random(seed);
        World<Book> with(with_snapshots(1 + static_cast<std::int64_t>(random.below(12))));
        World<Book> without;
        for (int turn = 0; turn < 60; ++turn) {
            const std::string key = random.below(3) == 0 ? "b" : "a";
            const auto jump = std::chrono::seconds(random.below(100));
            with.sim().clock().jump_wall(jump);
            without.sim().clock().jump_wall(jump);
            const Timestamp some_time = sim::kSimStart + std::chrono::seconds(random.below(4000));
            if (random.below(3) != 0) {
                CommandRequest more;
                more.time = some_time;
                const std::string body = random.below(10) == 0
                                             ? put("erase")
                                             : put(std::to_string(turn), 1 + static_cast<int>(random.below(3)));
                EXPECT_EQ(testing::version_of(with.tell(key, "put", body, more)),
                          testing::version_of(without.tell(key, "put", body, more)));
            } else if (random.below(6) == 0) {
                used += with.statistics().loads_from_snapshot;
                with.restart();
            } else {
                const AsOf questions[] = {AsOf(), AsOfVersion{Version(static_cast<std::int64_t>(random.below(60)))},
                                          AsOfTime{some_time}, AsOfRecorded{some_time}};
                const AsOf& question = questions[random.below(4)];
                const auto a = with.read(key, question);
                const auto b = without.read(key, question);
                ASSERT_EQ(a.has_value(), b.has_value()) << question.index();
                if (a) {
                    EXPECT_EQ(a->members, b->members) << question.index();
                    EXPECT_EQ(a->version, b->version) << question.index();
                }
            }
        }
        used += with.statistics().loads_from_snapshot;
    }
    EXPECT_GT(used, 0U);
}

}  // namespace
}  // namespace leftfold
