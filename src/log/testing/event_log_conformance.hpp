// The conformance suite of EventLog: what every engine must do, whatever is behind it.
//
// A test binary defines a LogWorld for its engine and instantiates the suite:
//
//     INSTANTIATE_TEST_SUITE_P(EmbeddedOnDisk, EventLogConformance, testing::Values(LogWorldFactory{"disk",
//     make_world}));
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "leftfold/base/murmur2.hpp"
#include "leftfold/env/env.hpp"
#include "leftfold/log/event_log.hpp"

namespace leftfold::log {

// One engine with its loop and its data. Data survives close and open.
class LogWorld {
  public:
    virtual ~LogWorld() = default;

    virtual Env& env() = 0;
    // Runs the loop until the condition holds; fails the test if that takes too long.
    virtual void run_until(const std::function<bool()>& condition) = 0;
    // Runs everything that is ready.
    virtual void run_ready() = 0;
    virtual Result<std::unique_ptr<EventLog>> open(std::vector<TopicDeclaration> topics) = 0;
};

struct LogWorldFactory {
    std::string name;
    std::function<std::unique_ptr<LogWorld>()> make;

    friend void PrintTo(const LogWorldFactory& factory, std::ostream* out) { *out << factory.name; }
};

// What a test appends: owns what the records view.
struct TestEvent {
    std::string type = "test.happened";
    std::string payload = "{}";
    std::string command_id = {};
    std::string actor = {};
};

class EventLogConformance : public testing::TestWithParam<LogWorldFactory> {
  protected:
    struct Outcome {
        bool is_done = false;
        Result<Appended> result;
    };

    void SetUp() override {
        world_ = GetParam().make();
        open();
    }
    void TearDown() override { close(); }

    void open() {
        auto opened = world_->open({{"accounts", 4}, {"audit", 1}});
        ASSERT_TRUE(opened) << opened.error().message();
        log_ = *std::move(opened);
    }
    void close() {
        if (!log_)
            return;
        bool is_stopped = false;
        log_->stop([&] { is_stopped = true; });
        world_->run_until([&] { return is_stopped; });
        log_.reset();
    }
    void reopen() {
        close();
        open();
    }

    static Slot slot_of(std::string_view key) { return {TopicId(0), partition_of(key, 4)}; }

    // Views the event.
    Record record_of(const TestEvent& event) {
        Record record;
        record.meta.id = Uuid::v7(world_->env().clock.now(), world_->env().random.next(), world_->env().random.next());
        record.meta.type = event.type;
        record.meta.type_version = 3;
        record.meta.time = timestamp_from_micros(725'846'400'000'001);
        record.meta.command_id = event.command_id;
        record.meta.command_id_source = event.command_id.empty() ? CommandIdSource::server : CommandIdSource::client;
        record.meta.payload_hash = {1, 2, 3, static_cast<std::uint8_t>(event.command_id.size())};
        record.meta.actor = event.actor;
        record.payload = event.payload;
        return record;
    }

    Result<Accepted> append(std::string_view key, const std::vector<TestEvent>& events, AppendDone done,
                            ExpectedVersion expected = ExpectedVersion::any()) {
        std::vector<Record> records;
        for (const TestEvent& event : events)
            records.push_back(record_of(event));
        return log_->append({slot_of(key), key, expected, records}, std::move(done));
    }
    // Waits until it is durable.
    Appended append_durably(std::string_view key, const std::vector<TestEvent>& events) {
        Outcome outcome;
        const auto accepted = append(key, events, into(outcome));
        EXPECT_TRUE(accepted) << accepted.error().message();
        world_->run_until([&] { return outcome.is_done; });
        EXPECT_TRUE(outcome.result) << outcome.result.error().message();
        return outcome.result.value_or(Appended{});
    }
    static AppendDone into(Outcome& outcome) {
        return [&outcome](Result<Appended> result) {
            ASSERT_FALSE(outcome.is_done) << "called twice";
            outcome.is_done = true;
            outcome.result = std::move(result);
        };
    }

    ReadBatch read(Slot slot, Position from, std::size_t bytes_max = kReadBytesDefault) {
        auto batch = log_->read(slot, from, bytes_max);
        EXPECT_TRUE(batch) << batch.error().message();
        return std::move(batch).value_or(ReadBatch());
    }
    ReadBatch read_stream(std::string_view key, Version from, std::size_t bytes_max = kReadBytesDefault) {
        auto batch = log_->read_stream(slot_of(key), key, from, bytes_max);
        EXPECT_TRUE(batch) << batch.error().message();
        return std::move(batch).value_or(ReadBatch());
    }
    Version head(std::string_view key) {
        const auto head = log_->stream_head(slot_of(key), key);
        EXPECT_TRUE(head) << head.error().message();
        return head ? head->version : Version(-1);
    }
    static std::vector<std::string> payloads(const ReadBatch& batch) {
        std::vector<std::string> payloads;
        for (const Record& record : batch.records())
            payloads.emplace_back(record.payload);
        return payloads;
    }

    std::unique_ptr<LogWorld> world_;
    std::unique_ptr<EventLog> log_;
};

TEST_P(EventLogConformance, empty_log_has_nothing) {
    EXPECT_EQ(head("a"), Version(0));
    EXPECT_TRUE(read(slot_of("a"), Position(0)).records().empty());
    EXPECT_TRUE(read_stream("a", Version(1)).records().empty());
    const auto bounds = log_->bounds(slot_of("a"));
    ASSERT_TRUE(bounds);
    EXPECT_EQ(bounds->durable_end, bounds->start);
    const auto found = log_->find_command(slot_of("a"), "a", "c1");
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->has_value());
    EXPECT_FALSE(log_->incarnation().is_nil());
    ASSERT_EQ(log_->topics().size(), 2U);
    EXPECT_EQ(log_->topics()[0].name, "accounts");
}

TEST_P(EventLogConformance, append_gives_versions_at_once_and_positions_when_durable) {
    Outcome first, second;
    const auto a = append("a", {{.payload = "1"}, {.payload = "2"}}, into(first));
    const auto b = append("a", {{.payload = "3"}}, into(second));
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->first_version, Version(1));
    EXPECT_EQ(a->last_version, Version(2));
    EXPECT_EQ(b->first_version, Version(3));
    EXPECT_LE(a->recorded_at, b->recorded_at);
    EXPECT_EQ(head("a"), Version(3));
    EXPECT_FALSE(first.is_done) << "called within append()";
    EXPECT_TRUE(read(slot_of("a"), Position(0)).records().empty()) << "visible before it is durable";
    EXPECT_TRUE(read_stream("a", Version(1)).records().empty()) << "visible before it is durable";

    world_->run_until([&] { return second.is_done; });
    ASSERT_TRUE(first.is_done && first.result && second.result);
    EXPECT_LT(first.result->last_position, second.result->first_position);
    EXPECT_EQ(payloads(read_stream("a", Version(1))), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_P(EventLogConformance, record_comes_back_as_it_was_given) {
    const TestEvent event{.type = "bank.account.opened", .payload = R"({"owner":"Žofie"})", .command_id = "c-1"};
    Record record = record_of(event);
    record.meta.correlation_id = "corr";
    record.meta.causation_id = "cause";
    record.meta.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    record.meta.actor = "teller";
    record.meta.tenant = "branch-7";
    Outcome outcome;
    const auto accepted = log_->append({slot_of("k"), "k", ExpectedVersion::none(), {&record, 1}}, into(outcome));
    ASSERT_TRUE(accepted) << accepted.error().message();
    world_->run_until([&] { return outcome.is_done; });
    reopen();

    const ReadBatch batch = read(slot_of("k"), Position(0));
    ASSERT_EQ(batch.records().size(), 1U);
    const Record& got = batch.records()[0];
    EXPECT_EQ(got.meta.id, record.meta.id);
    EXPECT_EQ(got.meta.type, record.meta.type);
    EXPECT_EQ(got.meta.type_version, record.meta.type_version);
    EXPECT_EQ(got.meta.key, "k");
    EXPECT_EQ(got.meta.version, Version(1));
    EXPECT_EQ(got.meta.time, record.meta.time);
    EXPECT_EQ(got.meta.recorded_at, accepted->recorded_at);
    EXPECT_EQ(got.meta.command_id, "c-1");
    EXPECT_EQ(got.meta.command_id_source, CommandIdSource::client);
    EXPECT_EQ(got.meta.payload_hash, record.meta.payload_hash);
    EXPECT_EQ(got.meta.correlation_id, "corr");
    EXPECT_EQ(got.meta.causation_id, "cause");
    EXPECT_EQ(got.meta.traceparent, record.meta.traceparent);
    EXPECT_EQ(got.meta.actor, "teller");
    EXPECT_EQ(got.meta.tenant, "branch-7");
    EXPECT_EQ(got.payload, record.payload);
    EXPECT_EQ(got.position, outcome.result->first_position);
}

TEST_P(EventLogConformance, expected_version_is_held_against_all_accepted) {
    Outcome first, second, third;
    EXPECT_EQ(append("a", {{}}, into(first), ExpectedVersion::exists()).error().code(), ErrorCode::conflict);
    ASSERT_TRUE(append("a", {{}}, into(first), ExpectedVersion::none()));
    const auto refused = append("a", {{}}, into(second), ExpectedVersion::none());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::conflict);
    EXPECT_NE(refused.error().message().find("version 1"), std::string::npos) << refused.error().message();
    EXPECT_EQ(append("a", {{}}, into(second), ExpectedVersion::exactly(Version(2))).error().code(),
              ErrorCode::conflict);
    EXPECT_TRUE(append("a", {{}}, into(second), ExpectedVersion::exactly(Version(1))));
    EXPECT_TRUE(append("a", {{}}, into(third), ExpectedVersion::exists()));
    world_->run_until([&] { return third.is_done; });
    EXPECT_EQ(head("a"), Version(3));
}

TEST_P(EventLogConformance, callbacks_come_in_order_with_barriers_between) {
    const std::string key = "a";
    std::vector<int> order;
    const auto done = [&](int number) {
        return [&order, number](const auto& result) {
            EXPECT_TRUE(result);
            order.push_back(number);
        };
    };
    log_->barrier(slot_of(key), done(0));
    EXPECT_TRUE(order.empty()) << "called within barrier()";
    ASSERT_TRUE(append(key, {{}}, done(1)));
    log_->barrier(slot_of(key), done(2));
    ASSERT_TRUE(append(key, {{}}, done(3)));
    log_->barrier(slot_of(key), done(4));
    log_->barrier(slot_of(key), done(5));
    EXPECT_TRUE(order.empty());
    world_->run_until([&] { return order.size() == 6; });
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST_P(EventLogConformance, appends_from_callbacks_continue) {
    int count = 0;
    std::function<void()> next = [&] {
        ASSERT_TRUE(append("a", {{.payload = std::to_string(count)}}, [&](Result<Appended> result) {
            ASSERT_TRUE(result);
            if (++count < 50)
                next();
        }));
    };
    next();
    world_->run_until([&] { return count == 50; });
    EXPECT_EQ(head("a"), Version(50));
    EXPECT_EQ(read_stream("a", Version(1)).records().size(), 50U);
}

TEST_P(EventLogConformance, partitions_and_streams_are_kept_apart) {
    std::vector<Outcome> outcomes(200);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const std::string key = "key-" + std::to_string(i % 20);
        ASSERT_TRUE(append(key, {{.payload = std::to_string(i)}}, into(outcomes[i])));
    }
    world_->run_until([&] { return std::ranges::all_of(outcomes, &Outcome::is_done); });
    std::size_t total = 0;
    for (std::uint32_t p = 0; p < 4; ++p) {
        Position last(-1);
        for (Position from(0);;) {
            const ReadBatch batch = read({TopicId(0), PartitionId(p)}, from, 500);
            if (batch.records().empty())
                break;
            for (const Record& record : batch.records()) {
                EXPECT_EQ(partition_of(record.meta.key, 4), PartitionId(p));
                EXPECT_GT(record.position, last);
                last = record.position;
                ++total;
            }
            EXPECT_GT(batch.next(), last);
            from = batch.next();
        }
        EXPECT_EQ(log_->bounds({TopicId(0), PartitionId(p)})->durable_end, last.next());
    }
    EXPECT_EQ(total, outcomes.size());
    for (std::size_t k = 0; k < 20; ++k) {
        const ReadBatch stream = read_stream("key-" + std::to_string(k), Version(1));
        ASSERT_EQ(stream.records().size(), 10U);
        for (std::size_t i = 0; i < 10; ++i) {
            EXPECT_EQ(stream.records()[i].meta.version, Version(static_cast<std::int64_t>(i) + 1));
            EXPECT_EQ(stream.records()[i].payload, std::to_string(k + i * 20));
        }
    }
    EXPECT_TRUE(read({TopicId(1), PartitionId(0)}, Position(0)).records().empty());
}

TEST_P(EventLogConformance, reads_begin_in_the_middle_and_page) {
    for (int i = 0; i < 10; ++i)
        append_durably("a", {{.payload = std::to_string(2 * i)}, {.payload = std::to_string(2 * i + 1)}});
    // In the middle of an append.
    EXPECT_EQ(payloads(read_stream("a", Version(4))).front(), "3");
    const ReadBatch from_position = read(slot_of("a"), Position(5));
    ASSERT_FALSE(from_position.records().empty());
    EXPECT_EQ(from_position.records()[0].position, Position(5));
    // Too small a limit still gives one append.
    const ReadBatch one = read_stream("a", Version(7), 1);
    EXPECT_EQ(payloads(one), (std::vector<std::string>{"6", "7"}));
    std::vector<std::string> paged;
    for (Version from(1);;) {
        const ReadBatch page = read_stream("a", from, 400);
        if (page.records().empty())
            break;
        EXPECT_LT(page.records().size(), 20U) << "the limit was not looked at";
        for (const std::string& payload : payloads(page))
            paged.push_back(payload);
        from = page.records().back().meta.version.next();
    }
    ASSERT_EQ(paged.size(), 20U);
    EXPECT_EQ(paged[19], "19");
    EXPECT_TRUE(read_stream("a", Version(21)).records().empty());
    EXPECT_TRUE(read(slot_of("a"), Position(20)).records().empty());
    EXPECT_EQ(read(slot_of("a"), Position(20)).next(), Position(20));
}

TEST_P(EventLogConformance, follower_reads_each_record_once_as_they_come) {
    Position from(0);
    std::vector<std::string> seen;
    for (int i = 0; i < 60; ++i) {
        append_durably("a", {{.payload = std::to_string(i) + std::string(200, ' ')}});
        const ReadBatch batch = read(slot_of("a"), from);
        for (const Record& record : batch.records())
            seen.emplace_back(record.payload.substr(0, record.payload.find(' ')));
        from = batch.next();
        ASSERT_EQ(seen.size(), static_cast<std::size_t>(i) + 1);
        ASSERT_EQ(seen.back(), std::to_string(i));
    }
}

TEST_P(EventLogConformance, large_appends_come_back_whole) {
    const std::string large(600'000, 'L');
    append_durably("a", {{.payload = "small"}});
    append_durably("a", {{.payload = large}, {.payload = "behind"}});
    append_durably("a", std::vector<TestEvent>(500, TestEvent{.payload = "one of many"}));
    reopen();
    std::size_t count = 0;
    for (Position from(0);;) {
        const ReadBatch batch = read(slot_of("a"), from, 1000);
        if (batch.records().empty())
            break;
        for (const Record& record : batch.records()) {
            if (count == 1) {
                EXPECT_EQ(record.payload, large);
            }
            ++count;
        }
        from = batch.next();
    }
    EXPECT_EQ(count, 503U);
    EXPECT_EQ(read_stream("a", Version(2), 1).records().size(), 2U);
    EXPECT_EQ(read_stream("a", Version(100), 1).records().size(), 404U);
}

TEST_P(EventLogConformance, command_is_found_by_key_and_id) {
    Outcome outcome;
    ASSERT_TRUE(append("a", {{.command_id = "c1"}, {.command_id = "c1"}}, into(outcome)));
    auto found = log_->find_command(slot_of("a"), "a", "c1");
    ASSERT_TRUE(found && found->has_value()) << "not found while not durable";
    EXPECT_EQ((*found)->first_version, Version(1));
    EXPECT_EQ((*found)->last_version, Version(2));
    EXPECT_FALSE((*found)->last_position.has_value());
    world_->run_until([&] { return outcome.is_done; });
    append_durably("a", {{.command_id = "c2"}});
    for (int round = 0; round < 2; ++round, reopen()) {
        found = log_->find_command(slot_of("a"), "a", "c1");
        ASSERT_TRUE(found && found->has_value());
        EXPECT_EQ((*found)->first_version, Version(1));
        EXPECT_EQ((*found)->last_version, Version(2));
        EXPECT_EQ((*found)->last_position, Position(1));
        EXPECT_EQ((*found)->payload_hash, (PayloadHash{1, 2, 3, 2}));
        found = log_->find_command(slot_of("a"), "a", "c2");
        ASSERT_TRUE(found && found->has_value());
        EXPECT_EQ((*found)->first_version, Version(3));
        EXPECT_FALSE(log_->find_command(slot_of("a"), "a", "c3")->has_value());
        EXPECT_FALSE(log_->find_command(slot_of("b"), "b", "c1")->has_value()) << "ids are scoped to their key";
    }
}

TEST_P(EventLogConformance, ids_that_the_server_chose_are_not_found) {
    const TestEvent event{.command_id = "s1"};
    Record record = record_of(event);
    record.meta.command_id_source = CommandIdSource::server;
    Outcome outcome;
    ASSERT_TRUE(log_->append({slot_of("a"), "a", ExpectedVersion::any(), {&record, 1}}, into(outcome)));
    world_->run_until([&] { return outcome.is_done; });
    EXPECT_FALSE(log_->find_command(slot_of("a"), "a", "s1")->has_value());
}

TEST_P(EventLogConformance, watchers_hear_of_every_durable_end) {
    Position heard(0);
    int calls = 0;
    const auto watch = log_->watch([&](Slot slot, Position end) {
        EXPECT_EQ(slot, slot_of("a"));
        EXPECT_GT(end, heard);
        EXPECT_EQ(log_->bounds(slot)->durable_end, end);
        heard = end;
        ++calls;
    });
    EventLog::WatchId once{};
    int once_calls = 0;
    once = log_->watch([&](Slot, Position) { ++once_calls, log_->unwatch(once); });
    append_durably("a", {{}, {}});
    world_->run_until([&] { return heard == Position(2); });
    append_durably("a", {{}});
    world_->run_until([&] { return heard == Position(3); });
    EXPECT_EQ(once_calls, 1);
    log_->unwatch(watch);
    const int before = calls;
    append_durably("a", {{}});
    world_->run_ready();
    EXPECT_EQ(calls, before);
}

TEST_P(EventLogConformance, everything_is_there_after_reopening) {
    const Uuid incarnation = log_->incarnation();
    for (int i = 0; i < 20; ++i)
        append_durably("k" + std::to_string(i % 3),
                       {{.payload = std::to_string(i), .command_id = "c" + std::to_string(i)}});
    reopen();
    EXPECT_EQ(log_->incarnation(), incarnation);
    EXPECT_EQ(head("k0"), Version(7));
    EXPECT_EQ(payloads(read_stream("k1", Version(1))),
              (std::vector<std::string>{"1", "4", "7", "10", "13", "16", "19"}));
    Outcome outcome;
    const auto accepted = append("k2", {{}}, into(outcome), ExpectedVersion::exactly(Version(6)));
    ASSERT_TRUE(accepted) << accepted.error().message();
    world_->run_until([&] { return outcome.is_done; });
    EXPECT_EQ(outcome.result->last_position.next(), log_->bounds(slot_of("k2"))->durable_end);
}

TEST_P(EventLogConformance, what_cannot_be_is_refused) {
    const auto refused = [](Result<Appended>) { ADD_FAILURE() << "called for a refused append"; };
    EXPECT_EQ(log_->append({slot_of("a"), "a", ExpectedVersion::any(), {}}, refused).error().code(),
              ErrorCode::invalid_argument);
    EXPECT_EQ(append("", {{}}, refused).error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(append(std::string(100'000, 'k'), {{}}, refused).error().code(), ErrorCode::too_large);
    EXPECT_EQ(append("a", {{.payload = std::string(64 * 1024 * 1024, 'p')}}, refused).error().code(),
              ErrorCode::too_large);
    const TestEvent event;
    const Record record = record_of(event);
    EXPECT_FALSE(log_->append({{TopicId(7), PartitionId(0)}, "a", ExpectedVersion::any(), {&record, 1}}, refused));
    EXPECT_FALSE(log_->append({{TopicId(1), PartitionId(1)}, "a", ExpectedVersion::any(), {&record, 1}}, refused));
    EXPECT_FALSE(log_->read({TopicId(0), PartitionId(4)}, Position(0)));
    const Slot other{TopicId(0), PartitionId((slot_of("a").partition.value() + 1) % 4)};
    EXPECT_EQ(log_->append({other, "a", ExpectedVersion::any(), {&record, 1}}, refused).error().code(),
              ErrorCode::invalid_argument)
        << "a stream lies in the partition of its key";
    EXPECT_EQ(head("a"), Version(0));
    world_->run_ready();
}

TEST_P(EventLogConformance, stop_waits_for_what_was_accepted) {
    std::vector<Outcome> outcomes(30);
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        ASSERT_TRUE(append("k" + std::to_string(i), {{}}, into(outcomes[i])));
    bool is_stopped = false;
    log_->stop([&] { is_stopped = true; });
    EXPECT_FALSE(is_stopped) << "called within stop()";
    EXPECT_EQ(append("late", {{}}, [](auto) {}).error().code(), ErrorCode::unavailable);
    world_->run_until([&] { return is_stopped; });
    for (const Outcome& outcome : outcomes)
        EXPECT_TRUE(outcome.is_done && outcome.result);
    log_.reset();
    open();
    EXPECT_EQ(head("k29"), Version(1));
}

TEST_P(EventLogConformance, recorded_time_never_falls) {
    Timestamp last = Timestamp::min();
    for (int i = 0; i < 20; ++i) {
        append_durably("a", {{}});
        if (i == 10)
            reopen();
    }
    for (const Record& record : read(slot_of("a"), Position(0)).records()) {
        EXPECT_GE(record.meta.recorded_at, last);
        last = record.meta.recorded_at;
    }
}

}  // namespace leftfold::log
