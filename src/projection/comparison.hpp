// Comparison: how the rows of two generations differ, table by table, in memory of a bound. Used by one worker.
//
// Tables are matched by name, rows by key, and values by the names of their columns: a column that only one of two
// shapes has is reported, and makes no row different. Where keys are not alike, rows are only counted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leftfold/rows/row_store.hpp"

namespace leftfold {

struct RowDifference {
    // As JSON objects; empty: there is no such row.
    std::string older;
    std::string newer;
};

struct TableDifference {
    std::string name;
    std::optional<std::uint64_t> older_rows;  // none: no such table
    std::optional<std::uint64_t> newer_rows;
    std::vector<std::string> older_columns;  // that only the one has
    std::vector<std::string> newer_columns;
    bool is_compared = false;  // row by row, to the end
    std::uint64_t only_older = 0;
    std::uint64_t only_newer = 0;
    std::uint64_t different = 0;
    std::vector<RowDifference> sample;

    bool is_equal() const noexcept;
};

class Comparison {
  public:
    struct Side {
        rows::RowReader* rows = nullptr;
        const rows::Schema* schema = nullptr;
    };
    struct Limits {
        std::uint64_t rows_max = 1'000'000;  // looked at one by one
        std::size_t sample_max = 20;         // of each table
        std::size_t page_rows = 1'000;       // in memory, of each side
    };

    // Borrows what the sides point at.
    Comparison(Side older, Side newer, Limits limits);

    // Goes on by about a page; true when there is nothing left. The rows must stand still from the first call to the
    // last.
    Result<bool> step();

    const std::vector<TableDifference>& tables() const noexcept { return tables_; }
    bool is_equal() const noexcept;
    bool is_complete() const noexcept;
    // Whose rows could not be read, after a step() that failed.
    bool has_newer_failed() const noexcept { return newer_.has_failed; }

  private:
    // The rows of one table of one side, in the order of their keys.
    struct Cursor {
        Side side = {};
        const rows::Table* table = nullptr;
        rows::TableId id{};
        std::vector<rows::Row> page = {};
        std::size_t at = 0;
        bool is_at_end = false;  // of the table: no page behind this one
        bool has_failed = false;

        const rows::Row* current() const noexcept { return at < page.size() ? &page[at] : nullptr; }
        bool is_over() const noexcept;
        Result<> fill(std::size_t page_rows);
        Result<std::optional<std::uint64_t>> count();
    };

    Result<> begin_table();
    Result<> compare_page();
    void compare_rows(const rows::Row* older, const rows::Row* newer);
    bool has_same_values(const rows::Row& older, const rows::Row& newer) const;

    Side older_side_;
    Side newer_side_;
    Limits limits_;
    std::vector<std::string> names_;  // of all tables
    std::size_t table_ = 0;           // the one that is compared
    bool has_begun_ = false;          // with that table
    Cursor older_;
    Cursor newer_;
    std::vector<std::pair<std::size_t, std::size_t>> columns_;  // that both have: index in each
    std::uint64_t rows_seen_ = 0;
    std::vector<TableDifference> tables_;
};

// JSON for people and tools.
void write_tables(std::string& out, const std::vector<TableDifference>& tables);

}  // namespace leftfold
