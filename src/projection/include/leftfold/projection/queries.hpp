// Queries of a projection's tables by parameters of a URL, answered as JSON. No HTTP here.
//
//   auto question = table.prepare_page(parameters);          // errors name the parameter and what is allowed
//   if (question) table.write_page(reader, *question, body)  // {"rows":[{…},{…}],"next":"…"} or {"count":7}
//
// Parameters, each at most once:
//   owner=Jana               equality; a bare date is that whole day
//   balance.min=10.00        from, inclusive              balance.max=20.00    up to, inclusive
//   time.above=1993-05-31    behind that, exclusive       time.below=1993-06-01  before that, exclusive
//   order=balance            by an index, or by the column behind those with equality; else by the key
//   descending=true          limit=100 (to 1000)          cursor=…  (the `next` of the page before)
//   count=true               only how many rows there are
// Columns called as one of the latter are asked by min and max.
//
// Only what a key or a declared index serves is answered: the columns with equality are its first ones, in any order,
// the one with a range (at most one) comes next, then the one to order by. Else the refusal says which index would
// help. So a page never costs more than its rows; a count costs what it counts.
//
// A cursor carries the place of the last row, and a fingerprint of the question: it is good for that one only, and for
// as long as anyone likes. Rows that come or go meanwhile are seen or not, others neither twice nor never.
//
// Immutable: any thread. The forms must live longer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/projection/model.hpp"
#include "leftfold/projection/table_form.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold {

// Decoded.
struct QueryParameter {
    std::string_view name;
    std::string_view value;
};

struct QueryProblem {
    std::string parameter;
    std::string problem;  // "expected a whole number from 1 to 1000"

    // "parameter 'limit': expected …"
    std::string message() const;
};

template <class T>
using OrQueryProblem = std::expected<T, QueryProblem>;

// A question about many rows, made by TableQueries::prepare_page().
struct PageQuestion {
    rows::Query query;                         // without a limit
    std::vector<std::uint32_t> order_columns;  // of query.after
    std::size_t limit = 0;
    bool is_count = false;
    std::uint64_t fingerprint = 0;
};

class TableQueries {
  public:
    static constexpr std::size_t kLimitDefault = 100;
    static constexpr std::size_t kLimitMax = 1000;
    static constexpr std::size_t kPageBytesMax = std::size_t{4} << 20;  // a page ends behind the row that passes it

    TableQueries(const TableForm& form, rows::TableId table) noexcept : form_(form), table_(table) {}

    const TableForm& form() const noexcept { return form_; }

    // One row, by equality in every column of the key and nothing else.
    OrQueryProblem<rows::Row> prepare_row(std::span<const QueryParameter> parameters) const;
    // Appends it as a JSON object. False, and nothing appended: there is none. Errors are the reader's.
    Result<bool> write_row(rows::RowReader& reader, std::span<const rows::Cell> key, std::string& out) const;

    OrQueryProblem<PageQuestion> prepare_page(std::span<const QueryParameter> parameters) const;
    Result<> write_page(rows::RowReader& reader, const PageQuestion& question, std::string& out) const;

  private:
    const TableForm& form_;
    rows::TableId table_;
};

// All tables of a projection; the first is the one that is asked without a name.
std::vector<TableQueries> table_queries(const ProjectionModel& model);

}  // namespace leftfold
