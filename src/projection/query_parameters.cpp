#include "query_parameters.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "leftfold/base/utf8.hpp"
#include "leftfold/event/decimal.hpp"

namespace leftfold {

namespace {

std::unexpected<QueryProblem> refuse(std::string_view parameter, std::string problem) {
    return std::unexpected(QueryProblem{std::string(parameter), std::move(problem)});
}

template <class T>
std::optional<T> parse_number(std::string_view text) noexcept {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// "10", "10.5" and "10.50" are one value of Decimal<2>.
std::optional<std::int64_t> parse_decimal(std::string_view text, unsigned digits) {
    const std::size_t point = text.find('.');
    std::string padded(text);
    std::size_t behind = 0;
    if (point == std::string_view::npos) {
        if (digits > 0)
            padded.push_back('.');
    } else {
        behind = text.size() - point - 1;
        if (behind == 0 || behind > digits)
            return std::nullopt;
    }
    padded.append(digits - behind, '0');
    return detail::parse_decimal(padded, digits);
}

std::string names_of(const ColumnForm& column) {
    std::string names;
    for (const std::string_view name : column.names) {
        if (!name.empty())
            names += fmt::format("{}'{}'", names.empty() ? "" : ", ", name);
    }
    return names;
}

std::string expected_of(const ColumnForm& column) {
    switch (column.kind) {
        case ColumnKind::boolean:
            return "expected 'true' or 'false'";
        case ColumnKind::integer:
            return "expected a whole number";
        case ColumnKind::decimal:
            return fmt::format("expected a decimal number with at most {} digits behind the point", column.digits);
        case ColumnKind::timestamp:
            return "expected a time such as '1993-01-31T12:00:00Z' (RFC 3339), or a date such as '1993-01-31'";
        case ColumnKind::enumeration:
            return "expected one of " + names_of(column);
        case ColumnKind::real:
            return "expected a number";
        case ColumnKind::uuid:
            return "expected a UUID such as '0190c2e4-9f7a-7cc3-98c4-dc0c0c07398f'";
        case ColumnKind::text:
        case ColumnKind::json:
            break;
    }
    return "expected a text in UTF-8";
}

std::optional<CellRange> one(std::optional<std::int64_t> value) {
    return value ? std::optional(CellRange{*value, *value}) : std::nullopt;
}

std::optional<CellRange> time_range(std::string_view text) {
    if (const auto time = parse_rfc3339(text))
        return one(to_micros(*time));
    const auto day = parse_date(text);
    if (!day)
        return std::nullopt;
    return CellRange{to_micros(*day), to_micros(*day + std::chrono::days(1)) - 1};
}

std::optional<CellRange> range_of(const ColumnForm& column, std::string_view text) {
    switch (column.kind) {
        case ColumnKind::boolean:
            return text == "true" || text == "false" ? one(text == "true" ? 1 : 0) : std::nullopt;
        case ColumnKind::integer:
            return one(parse_number<std::int64_t>(text));
        case ColumnKind::decimal:
            return one(parse_decimal(text, column.digits));
        case ColumnKind::timestamp:
            return time_range(text);
        case ColumnKind::enumeration: {
            const auto name = std::ranges::find(column.names, text);
            return !text.empty() && name != column.names.end() ? one(name - column.names.begin()) : std::nullopt;
        }
        case ColumnKind::real: {
            const auto value = parse_number<double>(text);
            return value && std::isfinite(*value) ? std::optional(CellRange{*value, *value}) : std::nullopt;
        }
        case ColumnKind::uuid: {
            const auto id = Uuid::parse(text);
            return id ? std::optional(CellRange{id->to_string(), id->to_string()}) : std::nullopt;
        }
        case ColumnKind::text:
        case ColumnKind::json:
            break;
    }
    return is_utf8(text) ? std::optional(CellRange{std::string(text), std::string(text)}) : std::nullopt;
}

std::string unknown_parameter(const TableForm& form) {
    std::string columns;
    for (const ColumnForm& column : form.columns)
        columns += column.name + ", ";
    return fmt::format(
        "there is no such column; there are {}each also with .min, .max, .above or .below, and order, "
        "descending, limit, cursor, count",
        columns);
}

OrQueryProblem<bool> parse_flag(const QueryParameter& parameter) {
    if (parameter.value != "true" && parameter.value != "false")
        return refuse(parameter.name, "expected 'true' or 'false'");
    return parameter.value == "true";
}

// Reads one of the parameters that are no filters; false: it is a filter.
OrQueryProblem<bool> parse_control(const QueryParameter& parameter, ParsedParameters& out) {
    if (parameter.name == "order") {
        out.order = parameter.value;
    } else if (parameter.name == "cursor") {
        out.cursor = parameter.value;
    } else if (parameter.name == "descending" || parameter.name == "count") {
        const auto flag = parse_flag(parameter);
        if (!flag)
            return flag;
        (parameter.name == "count" ? out.count : out.descending) = *flag;
    } else if (parameter.name == "limit") {
        const auto limit = parse_number<std::size_t>(parameter.value);
        if (!limit || *limit < 1 || *limit > TableQueries::kLimitMax)
            return refuse(parameter.name, fmt::format("expected a whole number from 1 to {}", TableQueries::kLimitMax));
        out.limit = *limit;
    } else {
        return false;
    }
    return true;
}

// `bound` is what stands behind the point of the parameter's name.
OrQueryProblem<bool> add_bound(rows::Filter& filter, const QueryParameter& parameter, std::string_view bound,
                               CellRange range) {
    const bool is_low = bound == "min" || bound == "above";
    std::optional<rows::Bound>& place = is_low ? filter.low : filter.high;
    if (place)
        return refuse(parameter.name, fmt::format("there is {} bound already", is_low ? "a lower" : "an upper"));
    if (bound == "min")
        place = {std::move(range.first), true};
    else if (bound == "above")
        place = {std::move(range.last), false};
    else if (bound == "max")
        place = {std::move(range.last), true};
    else
        place = {std::move(range.first), false};
    return true;
}

OrQueryProblem<bool> parse_filter(const TableForm& form, const QueryParameter& parameter, ParsedParameters& out) {
    const std::size_t point = parameter.name.find('.');
    const std::string_view bound = point == std::string_view::npos ? "" : parameter.name.substr(point + 1);
    const auto number = find_column(form, parameter.name.substr(0, point));
    const bool is_range = bound == "min" || bound == "max" || bound == "above" || bound == "below";
    if (!number || (!is_range && point != std::string_view::npos))
        return refuse(parameter.name, unknown_parameter(form));
    const ColumnForm& column = form.columns[*number];
    if (column.kind == ColumnKind::json)
        return refuse(parameter.name, fmt::format("column '{}' is nested and cannot be asked for", column.name));
    auto range = parse_value(column, parameter);
    if (!range)
        return std::unexpected(std::move(range).error());

    auto filter = std::ranges::find(out.filters, *number, &rows::Filter::column);
    if (filter == out.filters.end()) {
        filter = out.filters.insert(filter, rows::Filter{.column = *number});
        out.filter_parameters.push_back(parameter.name);
    } else if (!is_range) {
        return refuse(parameter.name, "there is a bound already");
    }
    if (is_range)
        return add_bound(*filter, parameter, bound, *std::move(range));
    filter->low = {std::move(range->first), true};
    filter->high = {std::move(range->last), true};
    return true;
}

}  // namespace

std::string QueryProblem::message() const {
    return fmt::format("parameter '{}': {}", parameter, problem);
}

std::optional<std::uint32_t> find_column(const TableForm& form, std::string_view name) noexcept {
    for (std::uint32_t i = 0; i < form.columns.size(); ++i) {
        if (form.columns[i].name == name)
            return i;
    }
    return std::nullopt;
}

bool is_equality(const rows::Filter& filter) noexcept {
    return filter.low && filter.high && filter.low->inclusive && filter.high->inclusive &&
           rows::compare(filter.low->value, filter.high->value) == 0;
}

OrQueryProblem<CellRange> parse_value(const ColumnForm& column, const QueryParameter& parameter) {
    auto range = range_of(column, parameter.value);
    if (!range)
        return refuse(parameter.name, expected_of(column));
    return *std::move(range);
}

OrQueryProblem<ParsedParameters> parse_parameters(const TableForm& form, std::span<const QueryParameter> parameters) {
    ParsedParameters out;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const QueryParameter& parameter = parameters[i];
        const auto is_same = [&](const QueryParameter& other) { return other.name == parameter.name; };
        if (std::ranges::any_of(parameters.first(i), is_same))
            return refuse(parameter.name, "given twice");
        const auto is_control = parse_control(parameter, out);
        if (!is_control)
            return std::unexpected(is_control.error());
        if (*is_control)
            continue;
        if (const auto filter = parse_filter(form, parameter, out); !filter)
            return std::unexpected(filter.error());
    }
    return out;
}

}  // namespace leftfold
