#include "inspection_query.hpp"

#include <charconv>

#include <fmt/format.h>

#include "leftfold/http/problem.hpp"
#include "leftfold/http/url.hpp"

namespace leftfold {

Result<InspectionQuery> InspectionQuery::parse(std::string_view text, std::initializer_list<std::string_view> known) {
    LEFTFOLD_TRY(parameters, http::parse_query(text));
    InspectionQuery query;
    for (auto& [name, value] : parameters) {
        bool is_known = false;
        for (const std::string_view one : known)
            is_known = is_known || one == name;
        if (!is_known || !query.values_.emplace(std::move(name), std::move(value)).second)
            return fail(ErrorCode::invalid_argument, fmt::format("unknown or repeated parameter in '?{}'", text));
    }
    return query;
}

std::string_view InspectionQuery::text(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string_view() : std::string_view(found->second);
}

Result<std::int64_t> InspectionQuery::number(std::string_view name, std::int64_t otherwise, std::int64_t max) const {
    const std::string_view given = text(name);
    if (given.empty())
        return otherwise;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
    if (error != std::errc() || end != given.data() + given.size() || value < 0 || value > max)
        return fail(ErrorCode::invalid_argument, fmt::format("{} is a number from 0 to {}", name, max));
    return value;
}

http::Response inspection_problem(const Error& error) {
    const int status = error.code() == ErrorCode::not_found          ? 404
                       : error.code() == ErrorCode::invalid_argument ? 400
                       : error.code() == ErrorCode::conflict         ? 409
                                                                     : 500;
    return http::Problem(status, to_string(error.code()), "The owner of the data directory cannot do that")
        .detail(error.message())
        .response();
}

}  // namespace leftfold
