#include "opened_rows.hpp"

#include <gtest/gtest.h>

#include "leftfold/process/typed_process.hpp"
#include "leftfold/rows/sqlite_store.hpp"
#include "leftfold/sim/env.hpp"

#include "testing/bank.hpp"

namespace leftfold::process {
namespace {

class OpenRows : public ::testing::Test {
  protected:
    OpenRows() {
        options_.folder = "/data/processes/transfer";
        options_.open_store = [this](const std::string& path, const rows::Schema& schema) {
            return rows::open_sqlite_store(sim_.files(), path, schema);
        };
    }
    RowsIdentity identity(std::int64_t end, std::string log = "log-1") const {
        return {std::move(log), {{"bank.transfer", PartitionId(0), Position(end)}}};
    }
    std::unique_ptr<OpenedRows> open(const RowsIdentity& of, bool discard = false) {
        auto rows = open_rows(sim_.files(), options_, projection_, of, discard);
        if (!rows)
            throw std::runtime_error(rows.error().message());
        return *std::move(rows);
    }
    // One timer, and the position behind it.
    void fold_one(OpenedRows& rows) {
        static const std::string kPayload = R"({"name":"deadline","delay_us":1000})";
        Record record;
        record.meta.type = "bank.transfer.process.timer-set";
        record.meta.key = "t-1";
        record.meta.version = Version(3);
        record.meta.recorded_at = timestamp_from_micros(500);
        record.payload = kPayload;
        record.position = Position(6);
        RowBatch batch;
        batch.events.push_back(log::ReadBatch({}, {record}, Position(7)));
        batch.positions = {{"bank.transfer", PartitionId(0), Position(7)},
                           {"bank.account", PartitionId(1), Position(4)}};
        const BatchResult result = commit_batch(rows, batch);
        ASSERT_TRUE(result.result) << result.result.error().message();
    }
    std::uint64_t timers(OpenedRows& rows) { return rows.reader->count({.table = kTimers}).value(); }

    sim::SimEnv sim_{1};
    std::unique_ptr<ProcessModel> model_ = make_typed_process<testing::transfers::Transfer>("bank", "transfer");
    DispatchProjection projection_{*model_, 4};
    ProcessOptions options_;
};

TEST_F(OpenRows, rows_and_positions_are_there_again) {
    fold_one(*open(identity(7)));
    const auto rows = open(identity(9));
    EXPECT_FALSE(rows->is_new);
    EXPECT_FALSE(rows->was_thrown_away);
    EXPECT_EQ(timers(*rows), 1U);
    ASSERT_EQ(rows->positions.size(), 2U);
    const auto page = rows->reader->query({.table = kTimers}).value();
    EXPECT_EQ(timer_row(rows::Row(page[0])).due, timestamp_from_micros(1500)) << "recorded_at and the delay";
}

TEST_F(OpenRows, rows_of_another_log_are_thrown_away) {
    fold_one(*open(identity(7)));
    const auto rows = open(identity(9, "log-2"));
    EXPECT_TRUE(rows->was_thrown_away);
    EXPECT_TRUE(rows->is_new);
    EXPECT_TRUE(rows->positions.empty());
    EXPECT_EQ(timers(*rows), 0U);
}

TEST_F(OpenRows, rows_ahead_of_the_log_are_thrown_away) {
    fold_one(*open(identity(7)));
    EXPECT_TRUE(open(identity(6))->was_thrown_away);
}

TEST_F(OpenRows, rows_are_thrown_away_on_demand) {
    fold_one(*open(identity(7)));
    EXPECT_EQ(timers(*open(identity(7), true)), 0U);
}

TEST_F(OpenRows, store_with_other_tables_is_thrown_away) {
    ASSERT_TRUE(sim_.files().create_directories(options_.folder));
    {
        const rows::Schema other{.tables = {{.name = "other", .columns = {{.name = "id"}}}}};
        ASSERT_TRUE(rows::open_sqlite_store(sim_.files(), options_.folder + "/dispatch.rows", other));
    }
    EXPECT_TRUE(open(identity(7))->was_thrown_away);
}

TEST_F(OpenRows, failure_of_the_disk_throws_nothing_away) {
    fold_one(*open(identity(7)));
    sim_.files().fail_operation(4, ErrorCode::io);
    EXPECT_FALSE(open_rows(sim_.files(), options_, projection_, identity(7), false));
    sim_.files().cancel_faults();
    EXPECT_EQ(timers(*open(identity(7))), 1U);
}

TEST_F(OpenRows, event_that_cannot_be_read_is_told_from_a_store_that_fails) {
    const auto rows = open(identity(7));
    Record record;
    record.meta.type = "bank.transfer.process.timer-set";
    record.payload = "{";
    RowBatch batch;
    batch.events.push_back(log::ReadBatch({}, {record}, Position(7)));
    batch.positions = {{"bank.transfer", PartitionId(0), Position(7)}};
    const BatchResult result = commit_batch(*rows, batch);
    EXPECT_FALSE(result.result);
    EXPECT_TRUE(result.is_event);
    EXPECT_TRUE(rows->store->positions()->empty());
}

TEST_F(OpenRows, command_answered_in_the_same_batch_leaves_no_row) {
    const auto rows = open(identity(7));
    const std::string requested = R"({"aggregate":"account","key":"a-1","command":"withdraw","body":{}})";
    const auto record = [](std::string_view type, std::int64_t version, std::string_view payload) {
        Record of;
        of.meta.type = type;
        of.meta.key = "t-1";
        of.meta.version = Version(version);
        of.payload = payload;
        of.position = Position(version);
        return of;
    };
    RowBatch batch;
    batch.events.push_back(
        log::ReadBatch({},
                       {record("bank.transfer.started", 1, "not looked at"),
                        record("bank.transfer.process.command-requested", 2, requested),
                        record("bank.transfer.process.command-requested", 3, requested),
                        record("bank.transfer.process.answered", 4, R"({"request":2,"outcome":"accepted"})")},
                       Position(5)));
    batch.positions = {{"bank.transfer", PartitionId(0), Position(5)}};
    ASSERT_TRUE(commit_batch(*rows, batch).result);
    const auto left = rows->reader->query({.table = kCommands}).value();
    ASSERT_EQ(left.size(), 1U);
    const CommandRow row = command_row(rows::Row(left[0]));
    EXPECT_EQ(row.place, (Place{"t-1", Version(3)}));
    EXPECT_EQ(row.position, Position(3));
    EXPECT_EQ(row.command.command, "withdraw");

    RowBatch later;
    later.events.push_back(log::ReadBatch(
        {}, {record("bank.transfer.process.answered", 5, R"({"request":3,"outcome":"failed"})")}, Position(6)));
    later.positions = {{"bank.transfer", PartitionId(0), Position(6)}};
    ASSERT_TRUE(commit_batch(*rows, later).result);
    EXPECT_EQ(rows->reader->count({.table = kCommands}).value(), 0U);
}

TEST_F(OpenRows, due_time_beyond_the_end_of_time_is_its_end) {
    const auto rows = open(identity(7));
    const std::string payload = R"({"name":"never","delay_us":9223372036854775807})";
    Record record;
    record.meta.type = "bank.transfer.process.timer-set";
    record.meta.key = "t-1";
    record.meta.version = Version(1);
    record.meta.recorded_at = sim::kSimStart;
    record.payload = payload;
    RowBatch batch;
    batch.events.push_back(log::ReadBatch({}, {record}, Position(1)));
    batch.positions = {{"bank.transfer", PartitionId(0), Position(1)}};
    ASSERT_TRUE(commit_batch(*rows, batch).result);
    const auto page = rows->reader->query({.table = kTimers}).value();
    EXPECT_EQ(timer_row(rows::Row(page.at(0))).due, Timestamp::max());
}

}  // namespace
}  // namespace leftfold::process
