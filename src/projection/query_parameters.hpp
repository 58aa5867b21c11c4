// From the parameters of a query to filters: names, and texts as values of their columns.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "leftfold/projection/queries.hpp"

namespace leftfold {

// The cells that a text stands for: from, to, both inclusive; one and the same but for a bare date.
struct CellRange {
    rows::Cell first;
    rows::Cell last;
};
OrQueryProblem<CellRange> parse_value(const ColumnForm& column, const QueryParameter& parameter);

// Everything that the parameters say, each by itself.
struct ParsedParameters {
    std::vector<rows::Filter> filters;                // one for each column asked about, in the order of the parameters
    std::vector<std::string_view> filter_parameters;  // a parameter of each, for messages
    std::optional<std::string_view> order;
    std::optional<std::string_view> cursor;
    bool descending = false;
    bool count = false;
    std::size_t limit = TableQueries::kLimitDefault;
};
OrQueryProblem<ParsedParameters> parse_parameters(const TableForm& form, std::span<const QueryParameter> parameters);

std::optional<std::uint32_t> find_column(const TableForm& form, std::string_view name) noexcept;
bool is_equality(const rows::Filter& filter) noexcept;

}  // namespace leftfold
