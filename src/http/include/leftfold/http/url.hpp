// Percent-encoding and query strings (RFC 3986). In a query, '+' is a plus: times such as 10:00+02:00 stay what they
// are.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/error.hpp"

namespace leftfold::http {

// nullopt if a '%' is not followed by two hexadecimal digits, or stands for NUL.
std::optional<std::string> percent_decode(std::string_view text);

// Everything but letters, digits and "-._~" becomes %XX: fit for one path segment or one query value.
std::string percent_encode(std::string_view text);

struct QueryParameter {
    std::string name;
    std::string value;  // "" also where there is no '='
};

inline constexpr std::size_t kQueryParametersMax = 64;

// In the order sent; empty pieces between '&' are left out. invalid_argument: bad encoding; too_large: too many.
Result<std::vector<QueryParameter>> parse_query(std::string_view query);

}  // namespace leftfold::http
