// What a schema may be, and what it allows. Shared by the engines, so that they refuse the same things.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "leftfold/rows/row_store.hpp"

namespace leftfold::rows {

std::string_view to_string(CellType type) noexcept;

// Names, columns and keys of every table and index; invalid_argument says what is wrong and where.
Result<> check_schema(const Schema& schema);

// One line for each table, column and index, the same for equal schemas and for no others. Stored with the rows.
std::string describe(const Schema& schema);
// The first difference of two such texts, for people.
std::string first_difference(std::string_view stored, std::string_view wanted);

Result<const Table*> find_table(const Schema& schema, TableId table);
Result<> check_text(std::string_view text);
Result<> check_row(const Table& table, std::span<const Cell> row);
Result<> check_key(const Table& table, std::span<const Cell> key);
Result<> check_filters(const Table& table, const Query& query);
// Filters, order and cursor.
Result<> check_query(const Table& table, const Query& query);

// The columns by which rows are ordered: those of the index, then those of the key; a column may be there twice.
std::vector<std::uint32_t> order_columns(const Table& table, const Query& query);

// As it is stored: -0.0 becomes 0.0.
Cell stored(const Cell& cell);

}  // namespace leftfold::rows
