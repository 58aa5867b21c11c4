#include "comparison.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "leftfold/event/json_writer.hpp"

namespace leftfold {

namespace {

using rows::Cell;
using rows::Row;
using rows::Table;

std::weak_ordering compare_keys(const Row& a, const Row& b, std::size_t key_columns) noexcept {
    for (std::size_t i = 0; i < key_columns; ++i) {
        if (const auto order = rows::compare(a[i], b[i]); order != 0)
            return order;
    }
    return std::weak_ordering::equivalent;
}

const Table* find_table(const rows::Schema& schema, std::string_view name, rows::TableId& id) {
    const auto found = std::ranges::find(schema.tables, name, &Table::name);
    if (found == schema.tables.end())
        return nullptr;
    id = rows::TableId(static_cast<std::uint32_t>(found - schema.tables.begin()));
    return &*found;
}

bool has_same_key(const Table& a, const Table& b) {
    if (a.key_columns != b.key_columns)
        return false;
    for (std::size_t i = 0; i < a.key_columns; ++i) {
        if (a.columns[i].name != b.columns[i].name || a.columns[i].type != b.columns[i].type)
            return false;
    }
    return true;
}

// Of `table`, those that `other` has not.
std::vector<std::string> columns_without(const Table& table, const Table& other) {
    std::vector<std::string> names;
    for (const rows::Column& column : table.columns) {
        if (std::ranges::find(other.columns, column.name, &rows::Column::name) == other.columns.end())
            names.push_back(column.name);
    }
    return names;
}

std::string object_of(const Table& table, const Row& row) {
    std::string out = "{";
    for (std::size_t i = 0; i < row.size(); ++i) {
        json::write_key(out, table.columns[i].name);
        if (const auto* integer = std::get_if<std::int64_t>(&row[i]))
            json::write_integer(out, *integer);
        else if (const auto* real = std::get_if<double>(&row[i]))
            out += std::isfinite(*real) ? fmt::format("{}", *real) : "null";
        else if (const auto* text = std::get_if<std::string>(&row[i]))
            json::write_string(out, *text);
        else
            out += "null";
    }
    out += '}';
    return out;
}

void write_names(std::string& out, const std::vector<std::string>& names) {
    out += '[';
    for (const std::string& name : names) {
        if (out.back() != '[')
            out += ',';
        json::write_string(out, name);
    }
    out += ']';
}

void write_count(std::string& out, std::string_view key, const std::optional<std::uint64_t>& count) {
    json::write_key(out, key);
    if (count)
        json::write_integer(out, *count);
    else
        out += "null";
}

void write_table(std::string& out, const TableDifference& table) {
    out += '{';
    json::write_key(out, "name");
    json::write_string(out, table.name);
    write_count(out, "older_rows", table.older_rows);
    write_count(out, "newer_rows", table.newer_rows);
    json::write_key(out, "older_columns");
    write_names(out, table.older_columns);
    json::write_key(out, "newer_columns");
    write_names(out, table.newer_columns);
    json::write_key(out, "compared");
    out += table.is_compared ? "true" : "false";
    write_count(out, "only_older", table.only_older);
    write_count(out, "only_newer", table.only_newer);
    write_count(out, "different", table.different);
    json::write_key(out, "sample");
    out += '[';
    for (const RowDifference& row : table.sample) {
        if (out.back() != '[')
            out += ',';
        out += '{';
        json::write_key(out, "older");
        out += row.older.empty() ? "null" : row.older;
        json::write_key(out, "newer");
        out += row.newer.empty() ? "null" : row.newer;
        out += '}';
    }
    out += "]}";
}

}  // namespace

bool TableDifference::is_equal() const noexcept {
    return older_rows == newer_rows && older_columns.empty() && newer_columns.empty() && only_older == 0 &&
           only_newer == 0 && different == 0;
}

Comparison::Comparison(Side older, Side newer, Limits limits)
    : older_side_(older), newer_side_(newer), limits_(limits) {
    for (const Table& table : newer.schema->tables)
        names_.push_back(table.name);
    for (const Table& table : older.schema->tables) {
        if (std::ranges::find(names_, table.name) == names_.end())
            names_.push_back(table.name);
    }
}

bool Comparison::is_equal() const noexcept {
    return std::ranges::all_of(tables_, &TableDifference::is_equal);
}

bool Comparison::is_complete() const noexcept {
    return table_ == names_.size() && std::ranges::all_of(tables_, &TableDifference::is_compared);
}

bool Comparison::Cursor::is_over() const noexcept {
    return current() == nullptr && is_at_end;
}

Result<> Comparison::Cursor::fill(std::size_t page_rows) {
    if (at < page.size() || is_at_end)
        return {};
    rows::Query query{.table = id, .limit = page_rows};
    if (!page.empty())
        query.after.assign(page.back().begin(), page.back().begin() + table->key_columns);
    auto next = side.rows->query(query);
    has_failed = !next;
    if (!next)
        return std::unexpected(std::move(next).error());
    page = *std::move(next);
    at = 0;
    is_at_end = page.size() < page_rows;
    return {};
}

Result<std::optional<std::uint64_t>> Comparison::Cursor::count() {
    if (table == nullptr)
        return std::nullopt;
    auto counted = side.rows->count({.table = id});
    has_failed = !counted;
    return counted;
}

Result<bool> Comparison::step() {
    if (table_ == names_.size())
        return true;
    if (!has_begun_) {
        LEFTFOLD_CHECK(begin_table());
        has_begun_ = true;
        return false;
    }
    TableDifference& table = tables_.back();
    const bool is_matched =
        older_.table != nullptr && newer_.table != nullptr && has_same_key(*older_.table, *newer_.table);
    if (is_matched && rows_seen_ < limits_.rows_max) {
        LEFTFOLD_CHECK(compare_page());
        if (!older_.is_over() || !newer_.is_over())
            return false;
        table.is_compared = true;
    }
    // A table that only one of them has was compared by that.
    table.is_compared = table.is_compared || !table.older_rows || !table.newer_rows;
    has_begun_ = false;
    ++table_;
    return table_ == names_.size();
}

Result<> Comparison::begin_table() {
    const auto cursor_of = [&](Side side) {
        Cursor cursor{.side = side};
        cursor.table = find_table(*side.schema, names_[table_], cursor.id);
        return cursor;
    };
    older_ = cursor_of(older_side_);
    newer_ = cursor_of(newer_side_);
    TableDifference table;
    table.name = names_[table_];
    LEFTFOLD_TRY(older_rows, older_.count());
    LEFTFOLD_TRY(newer_rows, newer_.count());
    table.older_rows = older_rows;
    table.newer_rows = newer_rows;
    columns_.clear();
    if (older_.table != nullptr && newer_.table != nullptr) {
        table.older_columns = columns_without(*older_.table, *newer_.table);
        table.newer_columns = columns_without(*newer_.table, *older_.table);
        for (std::size_t i = 0; i < older_.table->columns.size(); ++i) {
            const auto same =
                std::ranges::find(newer_.table->columns, older_.table->columns[i].name, &rows::Column::name);
            if (same != newer_.table->columns.end())
                columns_.emplace_back(i, static_cast<std::size_t>(same - newer_.table->columns.begin()));
        }
    }
    tables_.push_back(std::move(table));
    return {};
}

Result<> Comparison::compare_page() {
    for (std::size_t looked_at = 0; looked_at < limits_.page_rows; ++looked_at) {
        LEFTFOLD_CHECK(older_.fill(limits_.page_rows));
        LEFTFOLD_CHECK(newer_.fill(limits_.page_rows));
        const Row* older = older_.current();
        const Row* newer = newer_.current();
        if (older == nullptr && newer == nullptr)
            return {};
        ++rows_seen_;
        auto order = std::weak_ordering::equivalent;
        if (older == nullptr || newer == nullptr)
            order = newer == nullptr ? std::weak_ordering::less : std::weak_ordering::greater;
        else
            order = compare_keys(*older, *newer, older_.table->key_columns);
        compare_rows(order <= 0 ? older : nullptr, order >= 0 ? newer : nullptr);
        older_.at += order <= 0 ? 1U : 0U;
        newer_.at += order >= 0 ? 1U : 0U;
    }
    return {};
}

void Comparison::compare_rows(const Row* older, const Row* newer) {
    TableDifference& table = tables_.back();
    if (older != nullptr && newer != nullptr) {
        if (has_same_values(*older, *newer))
            return;
        ++table.different;
    } else {
        ++(older != nullptr ? table.only_older : table.only_newer);
    }
    if (table.sample.size() < limits_.sample_max) {
        table.sample.push_back({older == nullptr ? "" : object_of(*older_.table, *older),
                                newer == nullptr ? "" : object_of(*newer_.table, *newer)});
    }
}

bool Comparison::has_same_values(const Row& older, const Row& newer) const {
    return std::ranges::all_of(columns_, [&](const auto& pair) { return older[pair.first] == newer[pair.second]; });
}

void write_tables(std::string& out, const std::vector<TableDifference>& tables) {
    out += '[';
    for (const TableDifference& table : tables) {
        if (out.back() != '[')
            out += ',';
        write_table(out, table);
    }
    out += ']';
}

}  // namespace leftfold
