// Which key or index serves a query: the rules at the head of queries.hpp.
#pragma once

#include "leftfold/projection/queries.hpp"

#include "query_parameters.hpp"

namespace leftfold {

struct QueryPlan {
    std::optional<rows::IndexId> index;  // none: the key
    std::vector<std::uint32_t> columns;  // of its order: those of the index, then those of the key
};

OrQueryProblem<QueryPlan> plan_query(const TableForm& form, const ParsedParameters& parameters);

}  // namespace leftfold
