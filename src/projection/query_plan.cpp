#include "query_plan.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace leftfold {

namespace {

struct Wanted {
    std::vector<std::uint32_t> equal;          // in the order of the parameters
    std::optional<std::uint32_t> range;        // at most one
    std::optional<std::uint32_t> order;        // by a column …
    std::optional<std::string_view> by_index;  // … or by an index
};

std::vector<QueryPlan> plans_of(const TableForm& form) {
    std::vector<QueryPlan> plans(1 + form.table.indexes.size());
    for (std::uint32_t i = 0; i < form.table.indexes.size(); ++i) {
        plans[1 + i].index = rows::IndexId(i);
        plans[1 + i].columns = form.table.indexes[i].columns;
    }
    for (QueryPlan& plan : plans) {
        for (std::uint32_t column = 0; column < form.table.key_columns; ++column)
            plan.columns.push_back(column);
    }
    return plans;
}

// A column that comes a second time (an index that names one of the key's) says nothing new.
std::vector<std::uint32_t> without_repeats(const std::vector<std::uint32_t>& columns) {
    std::vector<std::uint32_t> once;
    for (const std::uint32_t column : columns) {
        if (std::ranges::find(once, column) == once.end())
            once.push_back(column);
    }
    return once;
}

bool serves(const TableForm& form, const QueryPlan& plan, const Wanted& wanted) {
    const std::vector<std::uint32_t> columns = without_repeats(plan.columns);
    if (wanted.by_index && (!plan.index || form.table.indexes[plan.index->value()].name != *wanted.by_index))
        return false;
    if (wanted.equal.size() > columns.size())
        return false;
    const std::span first(columns.data(), wanted.equal.size());
    const auto is_equal = [&](std::uint32_t column) { return std::ranges::find(first, column) != first.end(); };
    if (!std::ranges::all_of(wanted.equal, is_equal))
        return false;
    const auto comes_next = [&](std::uint32_t column) {
        return wanted.equal.size() < columns.size() && columns[wanted.equal.size()] == column;
    };
    return (!wanted.range || comes_next(*wanted.range)) &&
           (!wanted.order || is_equal(*wanted.order) || comes_next(*wanted.order));
}

std::string helpful_index(const TableForm& form, const Wanted& wanted) {
    std::vector<std::uint32_t> columns = wanted.equal;
    if (wanted.range)
        columns.push_back(*wanted.range);
    else if (wanted.order && std::ranges::find(columns, *wanted.order) == columns.end())
        columns.push_back(*wanted.order);
    std::string name;
    std::string members;
    for (const std::uint32_t column : columns) {
        name += "_" + form.columns[column].name;
        members += fmt::format(", &{}::{}", form.row_type, form.columns[column].name);
    }
    if (columns.size() == 1)
        return fmt::format("leftfold::Indexed<…> around {}::{}", form.row_type, form.columns[columns.front()].name);
    return fmt::format("leftfold::Index<\"by{}\"{}>", name, members);
}

OrQueryProblem<Wanted> wanted_of(const TableForm& form, const ParsedParameters& parameters) {
    Wanted wanted;
    for (std::size_t i = 0; i < parameters.filters.size(); ++i) {
        const rows::Filter& filter = parameters.filters[i];
        if (is_equality(filter)) {
            wanted.equal.push_back(filter.column);
        } else if (wanted.range) {
            return std::unexpected(QueryProblem{
                std::string(parameters.filter_parameters[i]),
                fmt::format("column '{}' has a range already, and one query has one: ask for equality, or drop one",
                            form.columns[*wanted.range].name)});
        } else {
            wanted.range = filter.column;
        }
    }
    if (parameters.order) {
        const bool is_index =
            std::ranges::find(form.table.indexes, *parameters.order, &rows::Index::name) != form.table.indexes.end();
        wanted.order = find_column(form, *parameters.order);
        if (!wanted.order && !is_index) {
            std::string names;
            for (const rows::Index& index : form.table.indexes)
                names += (names.empty() ? "'" : ", '") + index.name + "'";
            return std::unexpected(
                QueryProblem{"order", "expected a column of the key or an index" +
                                          (names.empty() ? ", of which there is none" : "; indexes are " + names)});
        }
        if (!wanted.order)
            wanted.by_index = parameters.order;
    }
    return wanted;
}

}  // namespace

OrQueryProblem<QueryPlan> plan_query(const TableForm& form, const ParsedParameters& parameters) {
    auto wanted = wanted_of(form, parameters);
    if (!wanted)
        return std::unexpected(std::move(wanted).error());
    for (QueryPlan& plan : plans_of(form)) {
        if (serves(form, plan, *wanted))
            return std::move(plan);
    }
    if (wanted->by_index)
        return std::unexpected(QueryProblem{
            "order",
            fmt::format("the index '{}' does not begin with the columns that are asked for", *wanted->by_index)});
    if (wanted->range && wanted->order && *wanted->order != *wanted->range)
        return std::unexpected(
            QueryProblem{"order", fmt::format("a query with a range of '{0}' can only be ordered by '{0}'",
                                              form.columns[*wanted->range].name)});
    const std::string_view parameter =
        parameters.filter_parameters.empty() ? std::string_view("order") : parameters.filter_parameters.front();
    return std::unexpected(QueryProblem{std::string(parameter),
                                        "neither the key nor an index serves this query together with its order; "
                                        "this would: " +
                                            helpful_index(form, *wanted)});
}

}  // namespace leftfold
