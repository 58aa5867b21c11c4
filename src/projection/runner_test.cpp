#include "leftfold/projection/runner.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "bank.hpp"
#include "broken_world.hpp"
#include "events.hpp"
#include "forwarding_log.hpp"
#include "runner_world.hpp"

namespace leftfold::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kBad = 666;
const std::string kBadPayload = "666";

bool has_file(RunnerWorld& world, std::string_view begin) {
    const auto entries = world.sim().files().list("/data/projections/tally");
    return entries && std::ranges::any_of(*entries, [&](const auto& entry) { return entry.name.starts_with(begin); });
}

TEST(Runner, first_build_becomes_live_and_follows) {
    RunnerWorld world;
    world.append_many(50);
    world.start();
    EXPECT_EQ(world.runner().reader(), nullptr);
    EXPECT_EQ(world.runner().not_served().code(), ErrorCode::unavailable);
    world.settle();
    EXPECT_EQ(world.status().state, ProjectionState::live);
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_EQ(world.rows().accounts.size(), 7U);

    world.append("account-1", 1000);
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_EQ(world.status().live->events_folded, 51U);
    EXPECT_EQ(world.runner().statistics().builds, 1U);
}

TEST(Runner, projection_without_events_is_live) {
    RunnerWorld world;
    world.start_and_settle();
    EXPECT_EQ(world.status().state, ProjectionState::live);
    ASSERT_NE(world.runner().reader(), nullptr);
    EXPECT_TRUE(world.rows().accounts.empty());
}

TEST(Runner, unknown_topic_refused_at_start) {
    RunnerWorld world({}, {.topics = {"bank.account", "bank.nobody"}});
    ProjectionRunner runner(world.sim().env(), world.log(), world.tally(), world.options());
    const auto started = runner.start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), ErrorCode::invalid_argument);
    EXPECT_NE(started.error().message().find("bank.nobody"), std::string::npos);
}

TEST(Runner, what_comes_while_a_batch_is_folded_is_one_batch) {
    RunnerWorld world;
    world.start_and_settle();
    const std::uint64_t before = world.runner().statistics().batches;
    for (int i = 0; i < 300; ++i)
        world.append(fmt::format("account-{}", i % 7), i);
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());
    const std::uint64_t batches = world.runner().statistics().batches - before;
    EXPECT_GT(batches, 10U);
    EXPECT_LE(batches, 300U);
}

TEST(Runner, catching_up_takes_large_batches_in_turns) {
    RunnerWorld world({.batch_bytes_max = 64U << 10U, .turn_bytes_max = 20U << 10U});
    world.append_many(2'000);
    world.start_and_settle();
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_GE(world.runner().statistics().batches, 4U);
    EXPECT_LE(world.runner().statistics().batches, 20U);
}

TEST(Runner, little_is_read_ahead) {
    class CountingLog : public ForwardingLog {
      public:
        using ForwardingLog::ForwardingLog;
        Result<log::ReadBatch> read(log::Slot slot, Position from, std::size_t bytes_max) override {
            auto batch = log_.read(slot, from, bytes_max);
            read_count += batch->records().size();
            return batch;
        }
        std::uint64_t read_count = 0;
    };
    RunnerWorld world({.batch_bytes_max = 64U << 10U, .turn_bytes_max = 16U << 10U});
    world.append_many(5'000);
    CountingLog log(world.log());
    ProjectionRunner runner(world.sim().env(), log, world.tally(), world.options());
    ASSERT_TRUE(runner.start());
    std::uint64_t ahead_max = 0;
    world.run_until([&] {
        ahead_max = std::max(ahead_max, log.read_count - runner.statistics().events_folded);
        return runner.status().state == ProjectionState::live;
    });
    EXPECT_EQ(log.read_count, 5'000U);
    const std::uint64_t batch = (64U << 10U) / sizeof(Record);
    EXPECT_GT(ahead_max, batch) << "the next batch is read while one is folded";
    EXPECT_LE(ahead_max, 3 * batch);
    bool is_stopped = false;
    runner.stop([&] { is_stopped = true; });
    world.run_until([&] { return is_stopped; });
}

TEST(Runner, several_topics_are_read) {
    RunnerWorld world({}, {.topics = {"bank.account", "bank.transfer"}});
    world.append_many(20);
    world.start_and_settle();
    ASSERT_EQ(world.status().live->partitions.size(), 3U);
    EXPECT_EQ(world.status().live->partitions[2].topic, "bank.transfer");
    EXPECT_EQ(world.rows(), world.expected());
}

TEST(Runner, restart_goes_on_from_the_positions) {
    RunnerWorld world;
    world.append_many(40);
    world.start_and_settle();
    world.stop();
    world.append_many(5);
    world.start_and_settle();
    EXPECT_EQ(world.status().live->events_folded, 5U);
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_EQ(world.status().remark, "");
}

TEST(Runner, another_log_is_noticed_and_rows_built_anew) {
    RunnerWorld world;
    world.append_many(40);
    world.start_and_settle();
    world.replace_log();
    world.append("other", 3);
    world.start();
    world.run_until([&] { return world.status().state != ProjectionState::starting; });
    EXPECT_EQ(world.runner().reader(), nullptr);
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_EQ(world.rows().accounts.size(), 1U);
    EXPECT_NE(world.status().remark.find("the log was replaced"), std::string::npos) << world.status().remark;
    EXPECT_EQ(world.runner().statistics().generations_lost, 1U);
}

TEST(Runner, positions_beyond_the_log_mean_that_it_was_restored) {
    RunnerWorld world;
    world.append_many(10);
    world.start_and_settle();
    world.stop();
    const auto store = world.stores().open("/data/projections/tally/1.sqlite", world.tally().schema());
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->begin() && (*store)->set_position({"bank.account", PartitionId(1), Position(1'000)}) &&
                (*store)->commit());
    world.start_and_settle();
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_NE(world.status().remark.find("restored to an earlier state"), std::string::npos) << world.status().remark;
}

TEST(Runner, lost_manifest_means_a_first_build) {
    RunnerWorld world;
    world.options().open_store = world.sqlite();
    world.append_many(10);
    world.start_and_settle();
    world.stop();
    const std::string path = "/data/projections/tally/manifest.json";
    ASSERT_TRUE(replace_file(world.sim().files(), path, "{\"format\":"));
    world.start_and_settle();
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_EQ(world.status().live->generation, Generation(2)) << "a number is never used again";
    EXPECT_NE(world.status().remark.find("damaged"), std::string::npos);
    EXPECT_FALSE(has_file(world, "1."));
}

TEST(Runner, missing_store_of_live_rows_is_not_served_empty) {
    RunnerWorld world;
    world.append_many(10);
    world.start_and_settle();
    world.stop();
    world.stores().remove("/data/projections/tally/1.sqlite");
    world.start();
    world.run_until([&] { return world.status().state == ProjectionState::building; });
    EXPECT_EQ(world.runner().reader(), nullptr);
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());
}

TEST(Runner, damaged_store_is_built_anew) {
    RunnerWorld world;
    world.options().open_store = world.sqlite();
    world.append_many(10);
    world.start_and_settle();
    world.stop();
    ASSERT_TRUE(replace_file(world.sim().files(), "/data/projections/tally/1.sqlite", "this is no database"));
    world.start_and_settle();
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_EQ(world.status().live->generation, Generation(2));
    EXPECT_FALSE(has_file(world, "1."));
}

TEST(Runner, projection_of_a_user_is_kept_up_and_stopped) {
    sim::SimEnv sim(1);
    const auto log =
        log::open_embedded_log(sim.env(), {.directory = "/data", .topics = {{"bank.account", 2}, {"bank.loan", 1}}})
            .value();
    const auto model = make_typed_projection<Balances>("bank", "balances");
    ProjectionRunner runner(sim.env(), *log, *model,
                            {.folder = "/data/projections/balances",
                             .open_store = [&](const std::string& path, const rows::Schema& schema) {
                                 return rows::open_sqlite_store(sim.files(), path, schema);
                             }});
    ASSERT_TRUE(runner.start());
    const auto append = [&](const OwnedRecord& event) {
        const Record record = event.view();
        const std::uint32_t topic = event.type.starts_with("bank.loan") ? 1 : 0;
        bool is_done = false;
        ASSERT_TRUE(log->append(
            {.slot = {TopicId(topic), partition_of(event.key, 2 - topic)}, .key = event.key, .records = {&record, 1}},
            [&](const Result<log::Appended>&) { is_done = true; }));
        ASSERT_TRUE(sim.scheduler().run_until([&] { return is_done; }));
    };
    append(record_of<AccountEvents>("a", Opened{"Jana"}));
    append(record_of<AccountEvents>("a", Deposited{Money::parse("5.00").value()}));
    append(record_of<LoanEvents>("loan", Lent{"a", Money::parse("2.50").value()}));
    append(record_of<AccountEvents>("a", Broken{"standard"}));
    append(record_of<AccountEvents>("a", Deposited{Money::parse("1.00").value()}));
    ASSERT_TRUE(sim.scheduler().run_until([&] {
        const ProjectionStatus status = runner.status();
        return status.state == ProjectionState::stopped || (status.build && status.build->generation.fault.has_value());
    }));
    const ProjectionStatus status = runner.status();
    const EventFault fault = status.live ? *status.live->fault : *status.build->generation.fault;
    EXPECT_EQ(fault.type, "bank.account.broken");
    EXPECT_NE(fault.message.find("broken on purpose"), std::string::npos) << fault.message;
    runner.skip(fault.place, [](const Result<>& skipped) { EXPECT_TRUE(skipped); });
    ASSERT_TRUE(sim.scheduler().run_until(
        [&] { return runner.status().state == ProjectionState::live && runner.status().live->lag() == 0; }));
    const rows::Cell key = std::string("a");
    const auto row = runner.reader()->get(rows::TableId(0), {&key, 1});
    ASSERT_TRUE(row && *row);
    EXPECT_EQ(std::get<std::int64_t>((**row)[1]), 850) << "in minor units";
    EXPECT_EQ(std::get<std::int64_t>((**row)[3]), 2);
    bool is_stopped = false;
    runner.stop([&] { log->stop([&] { is_stopped = true; }); });
    ASSERT_TRUE(sim.scheduler().run_until([&] { return is_stopped; }));
}

// --- events that cannot be folded ---

TEST(Runner, poison_event_stops_before_it_and_keeps_what_came_before) {
    RunnerWorld world;
    world.tally().poison().in_apply = {kBadPayload};
    int changes = 0;
    for (int i = 1; i <= 5; ++i)
        world.append("a", i);
    world.append("a", kBad);
    for (int i = 1; i <= 5; ++i)
        world.append("a", i);
    world.start();
    world.runner().on_change([&] { ++changes; });
    world.run_until([&] { return world.status().build && world.status().build->generation.fault; });
    EXPECT_EQ(world.runner().reader(), nullptr) << "a first build that cannot go on is not served";
    EXPECT_GT(changes, 0);

    world.tally().poison().in_apply.clear();
    ASSERT_TRUE(world.runner().retry());
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());

    world.tally().poison().in_apply = {kBadPayload};
    world.append("a", 7);
    world.append("a", kBad);
    world.append("a", 8);
    world.settle();
    const ProjectionStatus status = world.status();
    ASSERT_EQ(status.state, ProjectionState::stopped);
    const EventFault& fault = *status.live->fault;
    EXPECT_EQ(fault.key, "a");
    EXPECT_EQ(fault.version, Version(13));
    EXPECT_EQ(fault.type, "bank.account.deposited");
    EXPECT_EQ(fault.place.position, Position(12));
    EXPECT_NE(fault.message.find("cannot stand 666"), std::string::npos);
    EXPECT_EQ(world.rows(), world.expected()) << "what came before is there";
    EXPECT_EQ(world.rows().accounts["a"].count, 12);
    EXPECT_EQ(status.live->lag(), 2);
}

TEST(Runner, poison_in_the_middle_of_a_batch_keeps_the_part_before_it) {
    enum Kind { in_apply, in_flush, in_flush_and_hushed };
    for (const Kind kind : {in_apply, in_flush, in_flush_and_hushed}) {
        RunnerWorld world;
        world.start_and_settle();
        (kind == in_apply ? world.tally().poison().in_apply : world.tally().poison().in_flush) = {kBadPayload};
        world.tally().poison().is_hushed = kind == in_flush_and_hushed;
        int left = 21;
        for (int i = 0; i < 21; ++i)
            world.begin_append("a", i == 10 ? kBad : i, [&] { --left; });
        world.run_until([&] { return left == 0; });
        world.settle();
        ASSERT_EQ(world.status().state, ProjectionState::stopped) << kind;
        EXPECT_EQ(world.status().live->fault->place.position, Position(10)) << kind;
        EXPECT_EQ(world.rows(), world.expected()) << kind;
        EXPECT_EQ(world.rows().accounts["a"].count, 10) << kind;
        EXPECT_EQ(world.runner().statistics().faults, 1U);
    }
}

TEST(Runner, retry_meets_the_same_event_or_goes_on) {
    RunnerWorld world;
    world.start_and_settle();
    EXPECT_EQ(world.runner().retry().error().code(), ErrorCode::conflict);
    world.tally().poison().in_apply = {kBadPayload};
    world.append("a", kBad);
    world.append("a", 1);
    world.settle();
    ASSERT_TRUE(world.runner().retry());
    world.settle();
    EXPECT_EQ(world.status().state, ProjectionState::stopped);
    world.tally().poison().in_apply.clear();
    ASSERT_TRUE(world.runner().retry());
    world.settle();
    EXPECT_EQ(world.status().state, ProjectionState::live);
    EXPECT_EQ(world.rows(), world.expected());
}

TEST(Runner, skip_moves_past_one_event_and_is_remembered) {
    RunnerWorld world;
    world.tally().poison().in_apply = {kBadPayload};
    world.start_and_settle();
    world.append("a", 1);
    world.append("a", kBad);
    world.append("a", 2);
    world.settle();
    const EventPlace place = world.status().live->fault->place;
    EventPlace other = place;
    other.position = other.position.next();
    const auto refused = world.ask([&](OperatorDone done) { world.runner().skip(other, std::move(done)); });
    EXPECT_EQ(refused.error().code(), ErrorCode::conflict);

    EXPECT_TRUE(world.ask([&](OperatorDone done) { world.runner().skip(place, std::move(done)); }));
    world.settle();
    const std::set<LogPlace> without{{"bank.account", place.partition.value(), place.position.value()}};
    EXPECT_EQ(world.status().state, ProjectionState::live);
    EXPECT_EQ(world.rows(), world.expected(without));
    world.restart();
    ASSERT_EQ(world.status().live->skipped.size(), 1U);
    const SkippedEvent skipped = world.status().live->skipped[0];
    EXPECT_EQ(skipped.fault.place, place);
    EXPECT_EQ(skipped.fault.key, "a");
    EXPECT_NE(skipped.fault.message.find("cannot stand"), std::string::npos);
    EXPECT_EQ(world.rows(), world.expected(without));

    // A build meets the event again, and passes it without asking again.
    EXPECT_TRUE(world.ask([&](OperatorDone done) { world.runner().rebuild(std::move(done)); }));
    world.settle();
    EXPECT_EQ(world.status().live->generation, Generation(2));
    EXPECT_EQ(world.status().live->skipped.size(), 1U);
    EXPECT_TRUE(world.status().difference->is_equal);
    EXPECT_EQ(world.rows(), world.expected(without));
}

TEST(Runner, build_of_mended_code_folds_what_was_skipped) {
    RunnerWorld world;
    world.tally().poison().in_apply = {kBadPayload};
    world.start_and_settle();
    world.append("a", kBad);
    world.settle();
    const EventPlace place = world.status().live->fault->place;
    EXPECT_TRUE(world.ask([&](OperatorDone done) { world.runner().skip(place, std::move(done)); }));
    world.tally().poison().in_apply.clear();
    EXPECT_TRUE(world.ask([&](OperatorDone done) { world.runner().rebuild(std::move(done)); }));
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_TRUE(world.status().live->skipped.empty());
    EXPECT_FALSE(world.status().difference->is_equal);
    const std::string report = world.read(world.status().difference->path);
    EXPECT_NE(report.find("\"sample\":[{\"older\":null,\"newer\":{\"account\":\"a\",\"count\":1,\"total\":666}}]"),
              std::string::npos)
        << report;
}

// --- stores that fail ---

TEST(Runner, full_disk_is_tried_again_ever_more_slowly_and_said) {
    for (const std::string call : {"begin", "get", "put", "commit"}) {
        BrokenWorld broken;
        RunnerWorld& world = broken.world;
        world.append_many(5);
        world.start_and_settle();
        broken.break_calls(call, ErrorCode::no_space, 6);
        world.append("a", 5);
        world.run_until([&] { return world.status().live->trouble && world.status().live->trouble->attempts == 5; });
        const Trouble trouble = *world.status().live->trouble;
        EXPECT_EQ(trouble.retry_after, milliseconds(1'600)) << call;
        EXPECT_NE(trouble.message.find(call), std::string::npos);
        EXPECT_NE(world.runner().reader(), nullptr) << "rows are served meanwhile";
        EXPECT_EQ(world.status().live->lag(), 1);
        world.settle();
        EXPECT_FALSE(world.status().live->trouble);
        EXPECT_EQ(world.rows(), world.expected());
        EXPECT_EQ(world.runner().statistics().store_failures, 6U);
        EXPECT_EQ(world.runner().statistics().faults, 0U) << "no event is to blame";
    }
}

TEST(Runner, store_that_keeps_failing_is_opened_again) {
    BrokenWorld broken;
    RunnerWorld& world = broken.world;
    world.start_and_settle();
    broken.break_calls("commit", ErrorCode::io, 9);
    world.append("a", 5);
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_EQ(world.status().live->events_folded, 1U);
    EXPECT_EQ(world.runner().statistics().generations_lost, 0U);
}

TEST(Runner, store_found_damaged_while_folding_is_built_anew) {
    BrokenWorld broken;
    RunnerWorld& world = broken.world;
    world.append_many(5);
    world.start_and_settle();
    broken.break_calls("get", ErrorCode::corrupt, 1);
    world.append("a", 5);
    world.run_until([&] { return world.status().live && world.status().live->generation == Generation(2); });
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_EQ(world.status().state, ProjectionState::live);
    EXPECT_EQ(world.runner().statistics().generations_lost, 1U);
}

TEST(Runner, damage_seen_by_a_query_takes_the_rows_out_of_service) {
    RunnerWorld world;
    world.append_many(5);
    world.start_and_settle();
    world.runner().read_failed(Error(ErrorCode::unavailable, "busy"));
    EXPECT_NE(world.runner().reader(), nullptr);
    world.runner().read_failed(Error(ErrorCode::corrupt, "a page of nonsense"));
    EXPECT_EQ(world.runner().reader(), nullptr);
    world.settle();
    EXPECT_EQ(world.status().live->generation, Generation(2));
    EXPECT_EQ(world.rows(), world.expected());
}

TEST(Runner, build_that_cannot_be_made_durable_is_tried_again) {
    BrokenWorld broken;
    RunnerWorld& world = broken.world;
    world.append_many(5);
    broken.break_calls("sync", ErrorCode::io, 2);
    world.start();
    world.run_until([&] { return world.status().trouble.has_value(); });
    EXPECT_EQ(world.runner().reader(), nullptr);
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_FALSE(world.status().trouble);
}

// --- waiting for positions ---

TEST(Runner, position_reached_is_answered_without_waiting) {
    RunnerWorld world;
    world.append("a", 1);
    world.start_and_settle();
    EXPECT_TRUE(world.runner().has_reached(world.token_of("a")).value());
    EXPECT_TRUE(world.runner().has_reached(log::PositionToken(world.log().incarnation())).value());
    EXPECT_TRUE(world.ask([&](OperatorDone done) {
        world.runner().wait_for(world.token_of("a"), seconds(1), std::move(done));
    })) << "asked nevertheless";
}

TEST(Runner, wait_ends_when_the_rows_have_come_so_far) {
    RunnerWorld world;
    world.start_and_settle();
    std::optional<Result<>> answer;
    world.begin_append("a", 1, [&] {
        const log::PositionToken token = world.token_of("a");
        EXPECT_FALSE(world.runner().has_reached(token).value());
        world.runner().wait_for(token, seconds(1), [&](Result<> result) {
            answer = std::move(result);
            EXPECT_EQ(world.rows().accounts["a"].count, 1);
        });
        EXPECT_FALSE(answer);
    });
    world.run_until([&] { return answer.has_value(); });
    EXPECT_TRUE(*answer) << answer->error().message();
    EXPECT_EQ(world.runner().statistics().waiting, 0U);
}

TEST(Runner, wait_ends_at_its_deadline) {
    RunnerWorld world;
    world.start_and_settle();
    world.tally().poison().in_apply = {kBadPayload};
    world.append("a", kBad);
    world.settle();
    const MonotonicTime before = world.sim().clock().monotonic();
    const auto answer = world.ask(
        [&](OperatorDone done) { world.runner().wait_for(world.token_of("a"), milliseconds(700), std::move(done)); });
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::unavailable);
    EXPECT_TRUE(answer.error().retryable());
    EXPECT_NE(answer.error().message().find("stopped before an event"), std::string::npos);
    EXPECT_EQ(world.sim().clock().monotonic() - before, milliseconds(700));
    EXPECT_EQ(world.runner().statistics().waits_timed_out, 1U);
}

TEST(Runner, waits_are_bounded) {
    RunnerWorld world({.waiters_max = 2});
    world.start_and_settle();
    world.tally().poison().in_apply = {kBadPayload};
    world.append("a", kBad);
    world.settle();
    int ended = 0;
    for (int i = 0; i < 2; ++i)
        world.runner().wait_for(world.token_of("a"), seconds(1), [&](const Result<>&) { ++ended; });
    const auto refused = world.ask(
        [&](OperatorDone done) { world.runner().wait_for(world.token_of("a"), seconds(1), std::move(done)); });
    EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
    EXPECT_EQ(ended, 0);
    EXPECT_EQ(world.runner().statistics().waits_refused, 1U);
    world.run_until([&] { return ended == 2; });
}

TEST(Runner, foreign_positions_and_those_beyond_the_end_are_refused_at_once) {
    RunnerWorld world;
    world.append("a", 1);
    world.start_and_settle();
    const log::PositionToken foreign{Uuid()};
    EXPECT_EQ(world.runner().has_reached(foreign).error().code(), ErrorCode::conflict);
    log::PositionToken beyond = world.token_of("a");
    const PartitionId partition = RunnerWorld::slot_of("a").partition;
    beyond.advance(log::topic_hash("bank.account"), partition, Position(2));
    EXPECT_EQ(world.runner().has_reached(beyond).error().code(), ErrorCode::conflict);
    const auto refused =
        world.ask([&](OperatorDone done) { world.runner().wait_for(beyond, seconds(1), std::move(done)); });
    EXPECT_EQ(refused.error().code(), ErrorCode::conflict);
    log::PositionToken nowhere(world.log().incarnation());
    nowhere.advance(log::topic_hash("bank.account"), PartitionId(77), Position(0));
    EXPECT_EQ(world.runner().has_reached(nowhere).error().code(), ErrorCode::conflict);
    log::PositionToken elsewhere(world.log().incarnation());
    elsewhere.advance(log::topic_hash("bank.transfer"), PartitionId(0), Position(99));
    EXPECT_TRUE(world.runner().has_reached(elsewhere).value()) << "a topic that it does not follow";
}

TEST(Runner, wait_for_rows_that_are_being_built) {
    RunnerWorld world;
    world.append_many(30);
    world.start();
    EXPECT_FALSE(world.runner().has_reached(world.token_of("account-1")).value());
    EXPECT_TRUE(world.ask(
        [&](OperatorDone done) { world.runner().wait_for(world.token_of("account-1"), seconds(5), std::move(done)); }));
    EXPECT_NE(world.runner().reader(), nullptr);
}

TEST(Runner, stop_answers_all_that_wait) {
    RunnerWorld world;
    world.start_and_settle();
    world.tally().poison().in_apply = {kBadPayload};
    world.append("a", kBad);
    world.settle();
    std::optional<Result<>> waited, rebuilt;
    world.runner().wait_for(world.token_of("a"), seconds(100), [&](Result<> result) { waited = std::move(result); });
    world.runner().rebuild([&](Result<> result) { rebuilt = std::move(result); });
    world.stop();
    ASSERT_TRUE(waited && rebuilt);
    EXPECT_EQ(waited->error().code(), ErrorCode::unavailable);
    EXPECT_EQ(rebuilt->error().code(), ErrorCode::cancelled);
}

}  // namespace
}  // namespace leftfold::testing
