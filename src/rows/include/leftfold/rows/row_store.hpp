// RowStore: the port to a database of rows that are a fold over the log: projections, timers, dead letters.
//
// A store has tables, fixed when it is made; a table has a key (its first columns) and indexes. Rows, the positions up
// to which the log has been folded, and named values change together in one transaction, so that no crash leaves one
// without the others. After a crash the store is as some transaction left it: the last one, or one before it. What was
// lost is folded again: the log is the truth.
//
// Errors: invalid_argument for what the schema does not allow (a cell of another type than its column, null in a column
// that is not nullable, NaN, a cursor of the wrong length), too_large for a text over the bound, and those of the disk:
// no_space (goes on when there is space), read_only, unavailable, io, corrupt (delete the file, it is folded again).
//
// Thread rule: a RowStore or RowReader is used by one thread at a time; calls block, for as long as the disk takes.
// Each reader sees whole transactions only, and each of its calls sees the newest one committed before the call. Life
// cycle: readers end before their store.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/base/strong_id.hpp"

namespace leftfold::rows {

enum class CellType : std::uint8_t { integer, real, text };

// Texts, in cells and elsewhere, are any bytes, of at most:
inline constexpr std::size_t kTextBytesMax = 64ULL * 1024 * 1024;

// Has the type of its column, or is null where that is nullable. -0.0 is stored as 0.0.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;
using Row = std::vector<Cell>;

// Null sorts before all else, then numbers by value, then texts by their bytes. NaN equals what it is compared with.
std::weak_ordering compare(const Cell& left, const Cell& right) noexcept;

struct Column {
    std::string name;  // [a-z][a-z0-9_]*, as JSON has it
    CellType type = CellType::text;
    bool nullable = false;

    friend bool operator==(const Column&, const Column&) = default;
};

struct Index {
    std::string name;
    std::vector<std::uint32_t> columns = {};  // at least one; rows that are equal in them are ordered by key

    friend bool operator==(const Index&, const Index&) = default;
};

struct Table {
    std::string name;
    std::vector<Column> columns;
    std::uint32_t key_columns = 1;  // the first so many columns; never null
    std::vector<Index> indexes = {};

    friend bool operator==(const Table&, const Table&) = default;
};

struct Schema {
    std::vector<Table> tables;

    friend bool operator==(const Schema&, const Schema&) = default;
};

using TableId = StrongId<struct TableIdTag, std::uint32_t>;  // index into Schema::tables
using IndexId = StrongId<struct IndexIdTag, std::uint32_t>;  // index into Table::indexes

// Of a partition of a topic: all before it is folded.
struct FoldedPosition {
    std::string topic;
    PartitionId partition;
    Position position;

    friend bool operator==(const FoldedPosition&, const FoldedPosition&) = default;
};

struct Bound {
    Cell value = {};
    bool inclusive = true;
};

// Lets through what lies between the bounds, in the order of cells; null only if a bound is null. So both bounds equal
// and inclusive is equality, both null is "is null", and low null and exclusive is "is not null".
struct Filter {
    std::uint32_t column = 0;
    std::optional<Bound> low = {};
    std::optional<Bound> high = {};
};

struct Query {
    TableId table = {};
    std::vector<Filter> filters = {};
    std::optional<IndexId> order = {};  // none: by key
    bool descending = false;
    // Go on behind this row of the order: the values of the index's columns (if any), then those of the key. The row
    // need not exist (any more).
    std::vector<Cell> after = {};
    std::size_t limit = 100;
};

class RowReader {
  public:
    virtual ~RowReader() = default;

    // Nothing is an answer.
    virtual Result<std::optional<Row>> get(TableId table, std::span<const Cell> key) = 0;
    virtual Result<std::vector<Row>> query(const Query& query) = 0;
    // Of all rows that the filters let through; order, after and limit have no meaning.
    virtual Result<std::uint64_t> count(const Query& query) = 0;

    // By topic and partition.
    virtual Result<std::vector<FoldedPosition>> positions() = 0;
    virtual Result<std::optional<std::string>> value(std::string_view name) = 0;
};

class RowStore : public RowReader {
  public:
    virtual const Schema& schema() const noexcept = 0;

    // One transaction at a time; reads of this object see what it has written so far. Any error of a write leaves the
    // transaction to be rolled back: until then all its writes, and the commit, fail by it. A commit that fails has
    // rolled back; a transaction whose commit failed by an error of the disk may still be there after a crash.
    virtual Result<> begin() = 0;
    virtual Result<> put(TableId table, std::span<const Cell> row) = 0;  // in place of the one with that key
    virtual Result<> erase(TableId table, std::span<const Cell> key) = 0;
    virtual Result<> set_position(const FoldedPosition& position) = 0;
    virtual Result<> set_value(std::string_view name, std::string_view value) = 0;
    virtual Result<> commit() = 0;
    virtual void rollback() = 0;  // without a transaction: does nothing

    // Another view, for another thread.
    virtual Result<std::unique_ptr<RowReader>> reader() = 0;

    // Makes all commits so far durable. If it fails, the store takes no more writes until it is opened again: what
    // a failed sync left on the disk is not known.
    virtual Result<> sync() = 0;
    // A copy as of now, durable, under another name, which must not exist. Whole or not at all. Not in a transaction.
    virtual Result<> copy_to(const std::string& path) = 0;
};

}  // namespace leftfold::rows
