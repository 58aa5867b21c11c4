#include "leftfold/projection/queries.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "leftfold/base/bytes.hpp"
#include "leftfold/event/json_writer.hpp"
#include "leftfold/event/payload_hash.hpp"

#include "cursor.hpp"
#include "query_parameters.hpp"
#include "query_plan.hpp"

namespace leftfold {

namespace {

constexpr std::size_t kRowsPerRead = 250;

// Of all but limit and cursor.
std::uint64_t fingerprint_of(const TableForm& form, const PageQuestion& question) {
    std::string text;
    append_shape(text, form);
    text += question.query.descending ? "<" : ">";
    text += question.query.order ? std::to_string(question.query.order->value()) : "-";
    std::vector<const rows::Filter*> filters;
    for (const rows::Filter& filter : question.query.filters)
        filters.push_back(&filter);
    std::ranges::sort(filters, {}, [](const rows::Filter* filter) { return filter->column; });
    for (const rows::Filter* filter : filters) {
        for (const auto* bound : {&filter->low, &filter->high}) {
            text += fmt::format(";{}{}", filter->column, !*bound ? "*" : (*bound)->inclusive ? "=" : "!");
            if (*bound)
                text += write_cursor(0, std::span(&(*bound)->value, 1));
        }
    }
    return load_le<std::uint64_t>(payload_hash("query", text).data());
}

}  // namespace

OrQueryProblem<rows::Row> TableQueries::prepare_row(std::span<const QueryParameter> parameters) const {
    const std::size_t key_columns = form_.table.key_columns;
    const auto key_names = [&] {
        std::string names;
        for (std::size_t i = 0; i < key_columns; ++i)
            names += (names.empty() ? "" : ", ") + form_.columns[i].name;
        return names;
    };
    rows::Row key(key_columns);
    for (const QueryParameter& parameter : parameters) {
        const auto column = find_column(form_, parameter.name);
        if (!column || *column >= key_columns)
            return std::unexpected(
                QueryProblem{std::string(parameter.name),
                             "one row is asked for by its key and nothing else, that is " + key_names()});
        auto range = parse_value(form_.columns[*column], parameter);
        if (!range)
            return std::unexpected(std::move(range).error());
        if (key[*column].index() != 0)
            return std::unexpected(QueryProblem{std::string(parameter.name), "given twice"});
        key[*column] = std::move(range->first);
    }
    for (std::size_t i = 0; i < key_columns; ++i) {
        if (key[i].index() == 0)
            return std::unexpected(QueryProblem{form_.columns[i].name,
                                                "required: one row is asked for by its key, that is " + key_names()});
    }
    return key;
}

Result<bool> TableQueries::write_row(rows::RowReader& reader, std::span<const rows::Cell> key, std::string& out) const {
    LEFTFOLD_TRY(row, reader.get(table_, key));
    if (!row)
        return false;
    LEFTFOLD_CHECK(leftfold::write_row(out, form_, *row));
    return true;
}

OrQueryProblem<PageQuestion> TableQueries::prepare_page(std::span<const QueryParameter> parameters) const {
    auto parsed = parse_parameters(form_, parameters);
    if (!parsed)
        return std::unexpected(std::move(parsed).error());
    auto plan = plan_query(form_, *parsed);
    if (!plan)
        return std::unexpected(std::move(plan).error());

    PageQuestion question;
    question.query.table = table_;
    question.query.filters = std::move(parsed->filters);
    question.query.order = plan->index;
    question.query.descending = parsed->descending;
    question.order_columns = std::move(plan->columns);
    question.limit = parsed->limit;
    question.is_count = parsed->count;
    if (parsed->count && parsed->cursor)
        return std::unexpected(
            QueryProblem{"cursor", "a count is of all rows, from no place on: leave one of both out"});
    question.fingerprint = fingerprint_of(form_, question);
    if (parsed->cursor) {
        auto place = read_cursor(*parsed->cursor, question.fingerprint, form_, question.order_columns);
        if (!place)
            return std::unexpected(QueryProblem{"cursor", std::string(place.error())});
        question.query.after = *std::move(place);
    }
    return question;
}

Result<> TableQueries::write_page(rows::RowReader& reader, const PageQuestion& question, std::string& out) const {
    if (question.is_count) {
        LEFTFOLD_TRY(count, reader.count(question.query));
        out += fmt::format("{{\"count\":{}}}", count);
        return {};
    }
    const std::size_t begin = out.size();
    out += "{\"rows\":[";
    rows::Query query = question.query;
    std::size_t left = question.limit;
    bool has_more = true;
    while (has_more && left > 0 && out.size() - begin <= kPageBytesMax) {
        const std::size_t wanted = std::min(left, kRowsPerRead);
        query.limit = wanted + 1;  // the one behind tells whether there is more
        LEFTFOLD_TRY(page, reader.query(query));
        has_more = page.size() > wanted;
        std::size_t written = 0;
        for (; written < std::min(page.size(), wanted) && out.size() - begin <= kPageBytesMax; ++written) {
            if (out.back() != '[')
                out.push_back(',');
            LEFTFOLD_CHECK(leftfold::write_row(out, form_, page[written]));
        }
        has_more = has_more || written < page.size();
        left -= written;
        if (has_more) {
            query.after.clear();
            for (const std::uint32_t column : question.order_columns)
                query.after.push_back(page[written - 1][column]);
        }
    }
    out.push_back(']');
    if (has_more) {
        out += ",\"next\":";
        json::write_string(out, write_cursor(question.fingerprint, query.after));
    }
    out.push_back('}');
    return {};
}

std::vector<TableQueries> table_queries(const ProjectionModel& model) {
    std::vector<TableQueries> queries;
    for (const TableForm& form : model.forms())
        queries.emplace_back(form, rows::TableId(static_cast<std::uint32_t>(queries.size())));
    return queries;
}

}  // namespace leftfold
