#include "schema.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

namespace leftfold::rows {

namespace {

bool is_name(std::string_view name) {
    const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto is_inner = [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; };
    return !name.empty() && is_lower(name.front()) && std::ranges::all_of(name, is_inner);
}

std::unexpected<Error> refused(std::string message, std::source_location where = std::source_location::current()) {
    return fail(ErrorCode::invalid_argument, std::move(message), Retry::no, where);
}

Result<> check_columns(const Table& table) {
    if (table.columns.empty() || table.key_columns < 1 || table.key_columns > table.columns.size())
        return refused(fmt::format("table '{}': {} of {} columns cannot be the key", table.name, table.key_columns,
                                   table.columns.size()));
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const Column& column = table.columns[i];
        if (!is_name(column.name))
            return refused(fmt::format("table '{}': '{}' is no name of a column: lower case letters, digits and '_'",
                                       table.name, column.name));
        if (!names.insert(column.name).second)
            return refused(fmt::format("table '{}': column '{}' is there twice", table.name, column.name));
        if (column.nullable && i < table.key_columns)
            return refused(
                fmt::format("table '{}': column '{}' is of the key and cannot be null", table.name, column.name));
    }
    return {};
}

Result<> check_indexes(const Table& table) {
    std::set<std::string_view> names;
    for (const Index& index : table.indexes) {
        if (!is_name(index.name))
            return refused(fmt::format("table '{}': '{}' is no name of an index: lower case letters, digits and '_'",
                                       table.name, index.name));
        if (!names.insert(index.name).second)
            return refused(fmt::format("table '{}': index '{}' is there twice", table.name, index.name));
        const std::set<std::uint32_t> columns(index.columns.begin(), index.columns.end());
        if (columns.empty() || columns.size() != index.columns.size() || *columns.rbegin() >= table.columns.size())
            return refused(
                fmt::format("index '{}' of table '{}' needs columns of the table, each once", index.name, table.name));
    }
    return {};
}

// Of a value that is compared or stored; null is settled by the caller.
Result<> check_type(const Table& table, const Column& column, const Cell& cell) {
    const auto type_index = 1 + static_cast<std::size_t>(column.type);
    if (cell.index() != type_index) {
        constexpr std::string_view kTypes[] = {"null", "integer", "real", "text"};
        return refused(fmt::format("column '{}' of table '{}' is {}, not {}", column.name, table.name,
                                   to_string(column.type), kTypes[cell.index()]));
    }
    if (const auto* real = std::get_if<double>(&cell); real != nullptr && std::isnan(*real))
        return refused(fmt::format("column '{}' of table '{}' cannot be NaN", column.name, table.name));
    if (const auto* text = std::get_if<std::string>(&cell))
        return check_text(*text);
    return {};
}

Result<> check_cells(const Table& table, std::span<const Cell> cells, std::size_t count, std::string_view what) {
    if (cells.size() != count)
        return refused(fmt::format("a {} of table '{}' has {} cells, not {}", what, table.name, count, cells.size()));
    for (std::size_t i = 0; i < count; ++i) {
        const Column& column = table.columns[i];
        if (column.nullable && std::holds_alternative<std::monostate>(cells[i]))
            continue;
        LEFTFOLD_CHECK(check_type(table, column, cells[i]));
    }
    return {};
}

Result<> check_cursor(const Table& table, const Query& query) {
    if (query.after.empty())
        return {};
    const std::vector<std::uint32_t> columns = order_columns(table, query);
    if (query.after.size() != columns.size())
        return refused(fmt::format("a cursor of this order of table '{}' has {} values, not {}", table.name,
                                   columns.size(), query.after.size()));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const Column& column = table.columns[columns[i]];
        if (!column.nullable || !std::holds_alternative<std::monostate>(query.after[i]))
            LEFTFOLD_CHECK(check_type(table, column, query.after[i]));
        for (std::size_t before = 0; before < i; ++before) {
            if (columns[before] == columns[i] && compare(query.after[before], query.after[i]) != 0)
                return refused(
                    fmt::format("the cursor has two values for column '{}' of table '{}'", column.name, table.name));
        }
    }
    return {};
}

}  // namespace

std::string_view to_string(CellType type) noexcept {
    switch (type) {
        case CellType::integer:
            return "integer";
        case CellType::real:
            return "real";
        case CellType::text:
            return "text";
    }
    return "?";
}

Result<> check_schema(const Schema& schema) {
    std::set<std::string_view> names;
    for (const Table& table : schema.tables) {
        if (!is_name(table.name) || table.name.starts_with("sqlite_"))
            return refused(fmt::format(
                "'{}' is no name of a table: lower case letters, digits and '_', not beginning with 'sqlite_'",
                table.name));
        if (!names.insert(table.name).second)
            return refused(fmt::format("table '{}' is there twice", table.name));
        LEFTFOLD_CHECK(check_columns(table));
        LEFTFOLD_CHECK(check_indexes(table));
    }
    return {};
}

std::string describe(const Schema& schema) {
    std::string text;
    const auto out = std::back_inserter(text);
    for (const Table& table : schema.tables) {
        fmt::format_to(out, "table {} with a key of {}\n", table.name, table.key_columns);
        for (const Column& column : table.columns)
            fmt::format_to(out, "column {}.{} {}{}\n", table.name, column.name, to_string(column.type),
                           column.nullable ? " nullable" : "");
        for (const Index& index : table.indexes) {
            fmt::format_to(out, "index {}.{} on", table.name, index.name);
            for (const std::uint32_t column : index.columns)
                fmt::format_to(out, " {}", table.columns[column].name);
            text += '\n';
        }
    }
    return text;
}

std::string first_difference(std::string_view stored_text, std::string_view wanted_text) {
    const auto next_line = [](std::string_view& text) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        return line;
    };
    while (!stored_text.empty() || !wanted_text.empty()) {
        const std::string_view is = next_line(stored_text);
        const std::string_view wants = next_line(wanted_text);
        if (is != wants)
            return fmt::format("it has '{}', wanted is '{}'", is.empty() ? "nothing more" : is,
                               wants.empty() ? "nothing more" : wants);
    }
    return "none";
}

Result<const Table*> find_table(const Schema& schema, TableId table) {
    if (table.value() >= schema.tables.size())
        return refused(fmt::format("there is no table {}: the schema has {}", table.value(), schema.tables.size()));
    return &schema.tables[table.value()];
}

Result<> check_text(std::string_view text) {
    if (text.size() <= kTextBytesMax)
        return {};
    return fail(ErrorCode::too_large,
                fmt::format("a text of {} bytes is more than the {} that rows can have", text.size(), kTextBytesMax));
}

Result<> check_row(const Table& table, std::span<const Cell> row) {
    return check_cells(table, row, table.columns.size(), "row");
}

Result<> check_key(const Table& table, std::span<const Cell> key) {
    return check_cells(table, key, table.key_columns, "key");
}

Result<> check_filters(const Table& table, const Query& query) {
    for (const Filter& filter : query.filters) {
        if (filter.column >= table.columns.size())
            return refused(fmt::format("there is no column {} to filter by: table '{}' has {}", filter.column,
                                       table.name, table.columns.size()));
        for (const std::optional<Bound>* bound : {&filter.low, &filter.high}) {
            if (*bound && !std::holds_alternative<std::monostate>((*bound)->value))
                LEFTFOLD_CHECK(check_type(table, table.columns[filter.column], (*bound)->value));
        }
    }
    return {};
}

Result<> check_query(const Table& table, const Query& query) {
    LEFTFOLD_CHECK(check_filters(table, query));
    if (query.order && query.order->value() >= table.indexes.size())
        return refused(fmt::format("there is no index {}: table '{}' has {}", query.order->value(), table.name,
                                   table.indexes.size()));
    return check_cursor(table, query);
}

std::vector<std::uint32_t> order_columns(const Table& table, const Query& query) {
    std::vector<std::uint32_t> columns;
    if (query.order)
        columns = table.indexes[query.order->value()].columns;
    for (std::uint32_t i = 0; i < table.key_columns; ++i)
        columns.push_back(i);
    return columns;
}

Cell stored(const Cell& cell) {
    if (const auto* real = std::get_if<double>(&cell); real != nullptr && *real == 0.0)
        return 0.0;
    return cell;
}

}  // namespace leftfold::rows
