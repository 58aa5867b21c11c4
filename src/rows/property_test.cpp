// Random schemas, transactions and queries against the store in memory.
#include <array>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "leftfold/rows/sqlite_store.hpp"
#include "leftfold/sim/files.hpp"

#include "memory_store.hpp"
#include "random_rows.hpp"
#include "schema.hpp"
#include "seeds.hpp"

namespace leftfold::rows {
namespace {

class TwoStores {
  public:
    explicit TwoStores(std::uint64_t seed)
        : random_(seed, "test"),
          files_(sim::SimRandom(seed, "disk"), trace_),
          rows_(random_),
          wanted_(make_memory_store(rows_.schema())) {}

    std::optional<std::string> run() {
        if (auto problem = open())
            return problem;
        for (int round = 0; round < 12; ++round) {
            if (auto problem = transact())
                return problem;
            RowReader& reader = sim::one_in(random_, 2) ? *reader_ : static_cast<RowReader&>(*store_);
            for (int i = 0; i < 12; ++i)
                if (auto problem = compare_query(reader))
                    return problem;
            if (auto problem = compare_all(reader))
                return problem;
            if (sim::one_in(random_, 6))
                if (auto problem = open())
                    return problem;
        }
        return std::nullopt;
    }

  private:
    std::optional<std::string> open() {
        constexpr std::uint64_t kBounds[] = {4096, 16 * 4096, 1 << 20};
        const std::uint64_t bound = kBounds[random_.below(3)];
        reader_.reset();
        store_.reset();
        auto opened = open_sqlite_store(files_, "store", rows_.schema(),
                                        {.checkpoint_wal_bytes = bound, .wal_bytes_max = 2 * bound});
        if (!opened)
            return opened.error().message();
        store_ = *std::move(opened);
        auto reader = store_->reader();
        if (!reader)
            return reader.error().message();
        reader_ = *std::move(reader);
        return std::nullopt;
    }

    std::optional<std::string> transact() {
        const std::array<RowStore*, 2> both{store_.get(), wanted_.get()};
        for (RowStore* store : both)
            if (auto begun = store->begin(); !begun)
                return begun.error().message();
        const std::uint64_t count = random_.below(40);
        for (std::uint64_t i = 0; i < count; ++i) {
            rows_.write(both);
            if (sim::one_in(random_, 10))
                if (auto problem = compare_query(*store_))
                    return "within a transaction: " + *problem;
        }
        const bool commits = !sim::one_in(random_, 5);
        for (RowStore* store : both) {
            if (!commits)
                store->rollback();
            else if (auto committed = store->commit(); !committed)
                return committed.error().message();
        }
        return std::nullopt;
    }

    std::optional<std::string> compare_query(RowReader& reader) {
        const TableId id = rows_.table();
        const Table& table = rows_.schema().tables[id.value()];
        const auto known = *wanted_->query({.table = id});
        const Query query = rows_.query(known, id);
        const auto wanted = wanted_->query(query);
        const auto found = reader.query(query);
        if (!wanted || !found)
            return fmt::format("{}: {}", to_text(query, table), (found ? wanted : found).error().message());
        if (*wanted != *found) {
            std::string text = to_text(query, table) + "\nwanted:";
            for (const Row& row : *wanted)
                text += "\n  " + to_text(row);
            text += "\nfound:";
            for (const Row& row : *found)
                text += "\n  " + to_text(row);
            return text + "\n" + describe(rows_.schema());
        }
        const auto wanted_count = wanted_->count(query);
        const auto found_count = reader.count(query);
        if (!found_count || *found_count != *wanted_count)
            return fmt::format("count of {}: {} instead of {}", to_text(query, table),
                               found_count ? fmt::to_string(*found_count) : found_count.error().message(),
                               *wanted_count);
        const Row key = known.empty() || sim::one_in(random_, 3) ? rows_.key(id) : known[random_.below(known.size())];
        const std::span<const Cell> cells(key.data(), table.key_columns);
        const auto row = reader.get(id, cells);
        if (!row || *row != *wanted_->get(id, cells))
            return fmt::format("another row of key {}", to_text(key));
        return std::nullopt;
    }

    std::optional<std::string> compare_all(RowReader& reader) {
        const auto found = contents_of(reader, rows_.schema());
        if (!found)
            return found.error().message();
        return *found == *contents_of(*wanted_, rows_.schema()) ? std::nullopt : std::optional("other contents");
    }

    sim::SimRandom random_;
    sim::Trace trace_;
    sim::SimFileSystem files_;
    RandomRows rows_;
    std::unique_ptr<RowStore> wanted_;
    std::unique_ptr<RowStore> store_;
    std::unique_ptr<RowReader> reader_;
};

TEST(Property, sqlite_answers_as_the_store_in_memory) {
    const Seeds seeds(60);
    for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
        const auto problem = TwoStores(seed).run();
        ASSERT_FALSE(problem) << *problem << "\n" << rerun(seed, "Property.*");
    }
}

}  // namespace
}  // namespace leftfold::rows
