// A writer on a worker's thread and a reader on this one, on the real disk.
#include <algorithm>
#include <atomic>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "leftfold/env/real_env.hpp"
#include "leftfold/rows/sqlite_store.hpp"

#include "temporary_folder.hpp"

namespace leftfold::rows {
namespace {

// A table of some hundred pages, of which the reader keeps few: it is still reading when the writer has gone on.
constexpr std::int64_t kTransactions = 150;
constexpr std::int64_t kRows = 400;
constexpr std::size_t kTextBytes = 400;
const Schema kSchema{
    {{.name = "t",
      .columns = {{.name = "k", .type = CellType::integer}, {.name = "v", .type = CellType::integer}, {.name = "text"}},
      .key_columns = 1,
      .indexes = {{.name = "by_v", .columns = {1}}}}}};
constexpr TableId kTable{0};

// Every row and the position have the number of the transaction.
Result<> write_one(RowStore& store, std::int64_t number) {
    LEFTFOLD_CHECK(store.begin());
    const std::string text(kTextBytes, static_cast<char>('a' + number % 26));
    for (std::int64_t key = 0; key < kRows; ++key)
        LEFTFOLD_CHECK(store.put(kTable, Row{key, number, text}));
    LEFTFOLD_CHECK(store.set_position({"t", PartitionId(0), Position(number)}));
    return store.commit();
}

// The number that all rows have; -1 and a failure if they do not.
std::int64_t number_of(RowReader& reader) {
    const auto rows = reader.query({.table = kTable, .order = IndexId(0), .limit = 1000});
    EXPECT_TRUE(rows) << rows.error().message();
    if (!rows || rows->size() != static_cast<std::size_t>(kRows))
        return -1;
    const Row& first = rows->front();
    const auto equals_first = [&](const Row& row) { return row[1] == first[1] && row[2] == first[2]; };
    return std::ranges::all_of(*rows, equals_first) ? std::get<std::int64_t>(first[1]) : -1;
}

TEST(Threads, reader_sees_whole_transactions_in_order_while_another_thread_writes) {
    TemporaryFolder folder;
    RealEnv real;
    // Small bounds: the WAL is copied and begun anew under the reader.
    auto store = *open_sqlite_store(
        real.env().files, join_path(folder.path(), "store"), kSchema,
        {.reader_cache_bytes = 4 * 4096, .checkpoint_wal_bytes = 40 * 4096, .wal_bytes_max = 120 * 4096});
    ASSERT_TRUE(write_one(*store, 0));
    auto reader = *store->reader();
    std::atomic<std::int64_t> committed = 0;
    std::atomic<bool> is_done = false;
    Result<> written;
    auto worker = real.env().workers.start("writer", real.env().scheduler);
    worker->submit(
        [&] {
            for (std::int64_t number = 1; written && number <= kTransactions; ++number) {
                written = write_one(*store, number);
                committed = number;
                if (written && number % 50 == 0)
                    written = store->sync();
            }
            is_done = true;
        },
        [&] { real.stop(); });
    std::int64_t last = 0;
    std::uint64_t reads = 0;
    while (!is_done) {
        const std::int64_t before = committed;
        const std::int64_t number = number_of(*reader);
        ASSERT_GE(number, std::max(last, before - 1)) << "after " << reads << " reads";
        const auto positions = reader->positions();
        ASSERT_TRUE(positions);
        ASSERT_GE(positions->at(0).position.value(), number);
        last = number;
        ++reads;
        // Readers come and go as well.
        if (reads % 20 == 0)
            reader = *store->reader();
    }
    real.run();
    ASSERT_TRUE(written) << written.error().message();
    EXPECT_EQ(number_of(*reader), kTransactions);
    EXPECT_GT(reads, 10U);
}

}  // namespace
}  // namespace leftfold::rows
