// Queries as SQL: which statements, run one after the other, give the rows in their order, each as one range of one
// index. Pure.
//
// A cursor over columns that may be null is not one range for SQLite, to which null is neither less nor greater: it
// becomes several.
#pragma once

#include <string>
#include <vector>

#include "leftfold/rows/row_store.hpp"

namespace leftfold::rows {

struct RangeQuery {
    std::string sql;
    std::vector<Cell> values;  // of its parameters, in order
};

// "name", so that no name is a word of SQL.
std::string quoted(std::string_view name);
std::string column_list(const Table& table);
std::string index_name(const Table& table, const Index& index);

// All columns of the rows; the last parameter, without a value here, is the limit. The query is checked.
std::vector<RangeQuery> plan_query(const Table& table, const Query& query);
RangeQuery plan_count(const Table& table, const Query& query);

}  // namespace leftfold::rows
