#include "random_rows.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

#include "schema.hpp"

namespace leftfold::rows {

RandomRows::RandomRows(Random& random, std::size_t columns_max) : random_(random) {
    const std::size_t count = 1 + random_.below(3);
    for (std::size_t i = 0; i < count; ++i)
        schema_.tables.push_back(make_table(i, columns_max));
    LEFTFOLD_ASSERT(check_schema(schema_));
}

Table RandomRows::make_table(std::size_t number, std::size_t columns_max) {
    Table table{.name = fmt::format("t{}", number), .columns = {}};
    const std::size_t count = 1 + random_.below(columns_max);
    table.key_columns = static_cast<std::uint32_t>(1 + random_.below(std::min<std::size_t>(count, 3)));
    for (std::size_t i = 0; i < count; ++i)
        table.columns.push_back({.name = fmt::format("c{}", i),
                                 .type = static_cast<CellType>(random_.below(3)),
                                 .nullable = i >= table.key_columns && one_in(2)});
    const std::size_t index_count = random_.below(4);
    for (std::size_t i = 0; i < index_count; ++i) {
        Index index{.name = fmt::format("i{}", i)};
        const std::size_t wanted = 1 + random_.below(std::min<std::size_t>(count, 3));
        while (index.columns.size() < wanted) {
            const auto column = static_cast<std::uint32_t>(random_.below(count));
            if (std::ranges::find(index.columns, column) == index.columns.end())
                index.columns.push_back(column);
        }
        table.indexes.push_back(std::move(index));
    }
    return table;
}

TableId RandomRows::table() {
    return TableId(static_cast<std::uint32_t>(random_.below(schema_.tables.size())));
}

Cell RandomRows::value(CellType type) {
    using Integers = std::numeric_limits<std::int64_t>;
    using Reals = std::numeric_limits<double>;
    static const std::vector<Cell> kIntegers{Integers::min(), std::int64_t{-2}, std::int64_t{-1}, std::int64_t{0},
                                             std::int64_t{1}, std::int64_t{2},  std::int64_t{3},  Integers::max()};
    static const std::vector<Cell> kReals{-Reals::infinity(), -1e18, -1.5, -0.0, 0.5, 1.0, 2.0, Reals::infinity()};
    static const std::vector<Cell> kTexts{
        "", std::string("\0", 1), "A", "a", std::string("a\0", 2), "ab", "\xC3\xA4", "\xFF", std::string(3000, 'x')};
    const auto& values = type == CellType::integer ? kIntegers : type == CellType::real ? kReals : kTexts;
    return values[random_.below(values.size())];
}

Cell RandomRows::cell(const Column& column) {
    return column.nullable && one_in(3) ? Cell{} : value(column.type);
}

Row RandomRows::row(TableId id) {
    Row row;
    for (const Column& column : schema_.tables[id.value()].columns)
        row.push_back(cell(column));
    return row;
}

Row RandomRows::key(TableId id) {
    Row key = row(id);
    key.resize(schema_.tables[id.value()].key_columns);
    return key;
}

Filter RandomRows::filter(const Table& table) {
    Filter filter{.column = static_cast<std::uint32_t>(random_.below(table.columns.size()))};
    const CellType type = table.columns[filter.column].type;
    const auto bound = [&] { return Bound{one_in(6) ? Cell{} : value(type), !one_in(3)}; };
    if (one_in(2)) {
        filter.low = Bound{one_in(6) ? Cell{} : value(type)};
        filter.high = filter.low;
        return filter;
    }
    if (!one_in(3))
        filter.low = bound();
    if (!one_in(3))
        filter.high = bound();
    return filter;
}

std::vector<Cell> RandomRows::cursor(const Table& table, const Query& query, const std::vector<Row>& known) {
    const Row from = known.empty() || one_in(4) ? row(query.table) : known[random_.below(known.size())];
    std::vector<Cell> cells;
    for (const std::uint32_t column : order_columns(table, query))
        cells.push_back(from[column]);
    return cells;
}

Query RandomRows::query(const std::vector<Row>& known, TableId id) {
    const Table& table = schema_.tables[id.value()];
    Query query{.table = id, .descending = one_in(2)};
    const std::size_t filter_count = random_.below(4);
    for (std::size_t i = 0; i < filter_count; ++i)
        query.filters.push_back(filter(table));
    if (!table.indexes.empty() && !one_in(3))
        query.order = IndexId(static_cast<std::uint32_t>(random_.below(table.indexes.size())));
    if (!one_in(3))
        query.after = cursor(table, query, known);
    query.limit = one_in(3) ? random_.below(5) : 1000;
    return query;
}

void RandomRows::write(std::span<RowStore* const> stores) {
    const TableId id = table();
    const std::uint64_t what = random_.below(10);
    const Row new_row = row(id);
    const Row old_key = key(id);
    const FoldedPosition position{one_in(2) ? "a" : "b", PartitionId(static_cast<std::uint32_t>(random_.below(2))),
                                  Position(static_cast<std::int64_t>(random_.below(1'000'000)))};
    const std::string& name = kValueNames[random_.below(kValueNames.size())];
    for (RowStore* store : stores) {
        Result<> written;
        if (what < 6)
            written = store->put(id, new_row);
        else if (what < 8)
            written = store->erase(id, old_key);
        else if (what < 9)
            written = store->set_position(position);
        else
            written = store->set_value(name, to_text(new_row));
        static_cast<void>(written);  // a store whose disk fails says so at commit, too
    }
}

Result<Contents> contents_of(RowReader& reader, const Schema& schema) {
    Contents contents;
    for (std::uint32_t i = 0; i < schema.tables.size(); ++i) {
        LEFTFOLD_TRY(rows, reader.query({.table = TableId(i), .limit = std::numeric_limits<std::size_t>::max()}));
        contents.tables.push_back(std::move(rows));
    }
    LEFTFOLD_TRY(positions, reader.positions());
    contents.positions = std::move(positions);
    for (const std::string& name : kValueNames) {
        LEFTFOLD_TRY(value, reader.value(name));
        contents.values.push_back(std::move(value));
    }
    return contents;
}

namespace {

std::string to_text(const Cell& cell) {
    if (const auto* integer = std::get_if<std::int64_t>(&cell))
        return fmt::format("{}", *integer);
    if (const auto* real = std::get_if<double>(&cell))
        return fmt::format("{:.17g}", *real);
    const auto* text = std::get_if<std::string>(&cell);
    if (text == nullptr)
        return "null";
    std::string shown = "'";
    for (const char c : *text)
        shown += c >= ' ' && c <= '~' ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    return shown + "'";
}

std::string to_text(const std::optional<Bound>& bound) {
    return bound ? to_text(bound->value) + (bound->inclusive ? "" : " (exclusive)") : "any";
}

}  // namespace

std::string to_text(const Row& row) {
    std::string text;
    for (const Cell& cell : row)
        text += (text.empty() ? "" : ", ") + to_text(cell);
    return "[" + text + "]";
}

std::string to_text(const Query& query, const Table& table) {
    std::string text = table.name;
    for (const Filter& filter : query.filters)
        text += fmt::format(", {} from {} to {}", table.columns[filter.column].name, to_text(filter.low),
                            to_text(filter.high));
    if (query.order)
        text += ", by " + table.indexes[query.order->value()].name;
    return text + fmt::format("{}, after {}, limit {}", query.descending ? ", descending" : "", to_text(query.after),
                              query.limit);
}

}  // namespace leftfold::rows
