// What is of SQLite alone: files that are damaged or not ours, stores beside each other, the size of the WAL.
#include "leftfold/rows/sqlite_store.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/env/real_env.hpp"

#include "seed_sqlite.hpp"
#include "sim_store.hpp"
#include "sqlite_connection.hpp"
#include "temporary_folder.hpp"

namespace leftfold::rows {
namespace {

using ::testing::HasSubstr;

const Schema kSchema{{{.name = "t", .columns = {{.name = "k"}, {.name = "v"}}, .key_columns = 1}}};
constexpr TableId kTable{0};

class SqliteStoreTest : public testing::Test {
  protected:
    std::unique_ptr<RowStore> open(const std::string& path = "store", const SqliteOptions& options = {}) {
        auto opened = open_sqlite_store(files_, path, kSchema, options);
        EXPECT_TRUE(opened) << opened.error().message();
        return opened ? *std::move(opened) : nullptr;
    }
    Error refusal() {
        auto opened = open_sqlite_store(files_, "store", kSchema);
        EXPECT_FALSE(opened);
        return opened ? Error(ErrorCode::invalid_argument, "was opened") : opened.error();
    }
    static Result<> put(RowStore& store, const std::string& key, const std::string& value = "") {
        LEFTFOLD_CHECK(store.begin());
        LEFTFOLD_CHECK(store.put(kTable, Row{key, value}));
        return store.commit();
    }
    static std::uint64_t count(RowReader& reader) { return *reader.count({.table = kTable}); }

    sim::Trace trace_;
    sim::SimFileSystem files_{sim::SimRandom(1), trace_};
};

TEST_F(SqliteStoreTest, file_that_is_no_database_is_corrupt_and_says_what_to_do) {
    ASSERT_TRUE(replace_file(files_, "store", std::string(10'000, 'x')));
    const Error error = refusal();
    EXPECT_EQ(error.code(), ErrorCode::corrupt);
    EXPECT_THAT(error.message(), HasSubstr("row store 'store'"));
    EXPECT_THAT(error.message(), HasSubstr("Delete the file (and 'store-wal'), and it is built again from the log"));
}

TEST_F(SqliteStoreTest, damaged_page_is_corrupt_and_says_what_to_do) {
    {
        auto store = open();
        for (int i = 0; i < 200; ++i)
            ASSERT_TRUE(put(*store, fmt::format("{}", i), std::string(500, 'v')));
    }
    {
        auto file = files_.open("store", OpenMode::read_write);
        const std::string garbage(4096, '\xAA');
        for (std::uint64_t page = 4; page * 4096 < *(*file)->size(); ++page)
            ASSERT_TRUE((*file)->write_at(page * 4096, bytes_of(garbage)));
    }
    auto store = open();
    const auto rows = store->query({.table = kTable, .limit = 1000});
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().code(), ErrorCode::corrupt);
    EXPECT_THAT(rows.error().message(), HasSubstr("Delete the file"));
}

TEST_F(SqliteStoreTest, database_of_somebody_else_is_left_alone) {
    {
        auto other = SqliteConnection::open(SqliteVfs::of(files_), "store", SqliteAccess::create);
        ASSERT_TRUE(other->execute("CREATE TABLE theirs (x)"));
    }
    const Error error = refusal();
    EXPECT_EQ(error.code(), ErrorCode::corrupt);
    EXPECT_THAT(error.message(), HasSubstr("some other SQLite database"));
    auto other = SqliteConnection::open(SqliteVfs::of(files_), "store", SqliteAccess::read);
    EXPECT_TRUE(other->prepare("SELECT * FROM theirs"));
}

TEST_F(SqliteStoreTest, newer_format_is_unsupported) {
    open();
    {
        auto newer = SqliteConnection::open(SqliteVfs::of(files_), "store", SqliteAccess::read_write);
        ASSERT_TRUE(newer->execute("PRAGMA user_version = 2"));
    }
    const Error error = refusal();
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.message(), HasSubstr("has format 2, this program reads 1"));
}

TEST_F(SqliteStoreTest, file_without_a_table_that_it_describes_is_corrupt) {
    open();
    {
        auto other = SqliteConnection::open(SqliteVfs::of(files_), "store", SqliteAccess::read_write);
        ASSERT_TRUE(other->execute("DROP TABLE t"));
    }
    auto store = open();
    const auto rows = store->query({.table = kTable});
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().code(), ErrorCode::corrupt);
    EXPECT_THAT(rows.error().message(), HasSubstr("no such table: t. Delete the file"));
}

TEST_F(SqliteStoreTest, file_keeps_strict_types_for_who_reads_it_with_other_tools) {
    open();
    auto other = SqliteConnection::open(SqliteVfs::of(files_), "store", SqliteAccess::read_write);
    auto select = other->prepare("SELECT sql FROM sqlite_schema WHERE name = 't'");
    SqliteRun run(*other, *select);
    ASSERT_TRUE(*run.step("read"));
    EXPECT_EQ(*run.text(0),
              R"(CREATE TABLE "t" ("k" text NOT NULL, "v" text NOT NULL, PRIMARY KEY ("k")) STRICT, WITHOUT ROWID)");
}

TEST_F(SqliteStoreTest, missing_folder_is_said_as_the_file_system_says_it) {
    const auto opened = open_sqlite_store(files_, "nowhere/store", kSchema);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::not_found);
    EXPECT_THAT(opened.error().message(), HasSubstr("nowhere/store"));
}

TEST_F(SqliteStoreTest, options_out_of_range_are_refused) {
    EXPECT_EQ(open_sqlite_store(files_, "store", kSchema, {.checkpoint_wal_bytes = 100}).error().code(),
              ErrorCode::invalid_argument);
    EXPECT_EQ(open_sqlite_store(files_, "store", kSchema, {.checkpoint_wal_bytes = 8192, .wal_bytes_max = 4096})
                  .error()
                  .code(),
              ErrorCode::invalid_argument);
}

TEST_F(SqliteStoreTest, two_stores_of_one_path_see_each_other_and_take_turns) {
    auto one = open();
    auto other = open();
    ASSERT_TRUE(put(*one, "a"));
    EXPECT_EQ(count(*other), 1U);
    ASSERT_TRUE(one->begin());
    ASSERT_TRUE(one->put(kTable, Row{"b", ""}));
    const auto refused = other->begin();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
    EXPECT_TRUE(refused.error().retryable());
    ASSERT_TRUE(one->commit());
    ASSERT_TRUE(put(*other, "c"));
    EXPECT_EQ(count(*one), 3U);
    one.reset();
    ASSERT_TRUE(put(*other, "d"));
    EXPECT_EQ(count(*other), 4U);
}

TEST_F(SqliteStoreTest, stores_of_several_file_systems_are_apart) {
    sim::SimFileSystem others(sim::SimRandom(2), trace_);
    auto here = open();
    auto there = open_sqlite_store(others, "store", kSchema);
    ASSERT_TRUE(there);
    ASSERT_TRUE(here->begin());
    ASSERT_TRUE(put(**there, "a"));
    ASSERT_TRUE(here->commit());
    EXPECT_EQ(count(*here), 0U);
    EXPECT_EQ(count(**there), 1U);
}

TEST_F(SqliteStoreTest, wal_stays_within_its_bound_though_readers_come_and_go) {
    const SqliteOptions options{.checkpoint_wal_bytes = 16 * 4096, .wal_bytes_max = 32 * 4096};
    auto store = open("store", options);
    auto reader = store->reader();
    std::uint64_t wal_bytes_most = 0;
    for (int i = 0; i < 500; ++i) {
        ASSERT_TRUE(put(*store, fmt::format("{}", i), std::string(200, 'v')));
        EXPECT_EQ(count(**reader), static_cast<std::uint64_t>(i) + 1);
        wal_bytes_most = std::max(wal_bytes_most, *(*files_.open("store-wal", OpenMode::read))->size());
    }
    EXPECT_GT(wal_bytes_most, options.checkpoint_wal_bytes);
    EXPECT_LT(wal_bytes_most, options.wal_bytes_max + 20 * 4096);
}

TEST_F(SqliteStoreTest, begin_at_the_bound_of_the_wal_is_told_why_it_was_not_copied) {
    const SqliteOptions options{.checkpoint_wal_bytes = 16 * 4096, .wal_bytes_max = 32 * 4096};
    auto store = open("store", options);
    // The WAL takes what comes; its copying fails, and commits do not care, until the bound.
    files_.on_operation([&](std::uint64_t, std::string_view what, const std::string& path) {
        if (what == "write to" && path == "store")
            files_.fail_operation(1, ErrorCode::io);
    });
    Result<> written;
    int count_before = -1;
    for (; written; ++count_before)
        written = put(*store, fmt::format("{}", count_before), std::string(200, 'v'));
    EXPECT_THAT(written.error().message(), HasSubstr("cannot copy the WAL into the file: cannot "));
    EXPECT_EQ(written.error().code(), ErrorCode::io);
    EXPECT_GT(count_before, 5);
    EXPECT_EQ(count(*store), static_cast<std::uint64_t>(count_before));
    files_.on_operation({});
    files_.cancel_faults();
    ASSERT_TRUE(put(*store, "last"));
}

TEST_F(SqliteStoreTest, wal_left_over_from_another_store_is_not_taken_for_ours) {
    {
        auto store = open();
        ASSERT_TRUE(put(*store, "a"));
        store->sync().value();
        files_.power_off();
    }
    files_.kill_process();
    ASSERT_TRUE(*files_.exists("store-wal"));
    // A crash in the middle of removing a store, or of taking another's name.
    ASSERT_TRUE(files_.remove("store"));
    {
        auto store = open();
        EXPECT_EQ(count(*store), 0U);
        ASSERT_TRUE(put(*store, "b"));
        ASSERT_TRUE(replace_file(files_, "copy-wal", *read_file(files_, "store-wal", 1 << 20)));
        ASSERT_TRUE(store->copy_to("copy"));
        ASSERT_TRUE(put(*store, "c"));
    }
    auto copy = open("copy");
    EXPECT_EQ(count(*copy), 1U);
}

TEST_F(SqliteStoreTest, removed_store_leaves_nothing) {
    {
        auto store = open();
        ASSERT_TRUE(put(*store, "a"));
        files_.power_off();
    }
    files_.kill_process();
    ASSERT_TRUE(remove_sqlite_store(files_, "store"));
    ASSERT_TRUE(remove_sqlite_store(files_, "store"));
    EXPECT_TRUE(files_.list(".")->empty());
    files_.crash();
    EXPECT_TRUE(files_.list(".")->empty());
}

TEST_F(SqliteStoreTest, closed_store_is_one_file) {
    {
        auto store = open();
        ASSERT_TRUE(put(*store, "a"));
        EXPECT_TRUE(*files_.exists("store-wal"));
    }
    EXPECT_EQ(files_.list(".")->size(), 1U);
}

std::uint64_t trace_of_a_run(std::uint64_t seed) {
    seed_sqlite(seed);
    SimStore world(seed, {.checkpoint_wal_bytes = 8 * 4096, .wal_bytes_max = 8 * 4096});
    for (int life = 0; life < 3; ++life) {
        EXPECT_TRUE(world.open());
        EXPECT_EQ(world.check_opened(), std::nullopt);
        for (int i = 0; i < 10; ++i)
            EXPECT_TRUE(world.transact(10));
        world.crash();
    }
    return world.trace().hash();
}

TEST(SqliteSimulation, one_seed_gives_one_execution) {
    const std::uint64_t first = trace_of_a_run(7);
    EXPECT_NE(trace_of_a_run(8), first);
    EXPECT_EQ(trace_of_a_run(7), first);
}

}  // namespace
}  // namespace leftfold::rows
