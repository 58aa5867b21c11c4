#include "leftfold/http/url.hpp"

#include <algorithm>

#include "leftfold/base/hex.hpp"

#include "characters.hpp"

namespace leftfold::http {

std::optional<std::string> percent_decode(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded.push_back(text[i]);
            continue;
        }
        if (i + 2 >= text.size())
            return std::nullopt;
        const int high = hex_digit(text[i + 1]);
        const int low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0 || high + low == 0)
            return std::nullopt;
        decoded.push_back(static_cast<char>(high << 4 | low));
        i += 2;
    }
    return decoded;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size());
    for (const char c : text) {
        if (is_a(kUnreservedChar, c)) {
            encoded.push_back(c);
            continue;
        }
        const auto byte = static_cast<std::uint8_t>(c);
        encoded.push_back('%');
        encoded.push_back(digits[byte >> 4U]);
        encoded.push_back(digits[byte & 0xFU]);
    }
    return encoded;
}

Result<std::vector<QueryParameter>> parse_query(std::string_view query) {
    std::vector<QueryParameter> parameters;
    while (!query.empty()) {
        const std::string_view piece = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(piece.size() + 1, query.size()));
        if (piece.empty())
            continue;
        if (parameters.size() == kQueryParametersMax)
            return fail(ErrorCode::too_large,
                        "the query has more than " + std::to_string(kQueryParametersMax) + " parameters");
        const std::size_t equals = std::min(piece.find('='), piece.size());
        auto name = percent_decode(piece.substr(0, equals));
        auto value = percent_decode(piece.substr(std::min(equals + 1, piece.size())));
        if (!name || !value)
            return fail(ErrorCode::invalid_argument, "query parameter '" + std::string(piece) +
                                                         "': a '%' must be followed by two hexadecimal digits");
        parameters.push_back({std::move(*name), std::move(*value)});
    }
    return parameters;
}

}  // namespace leftfold::http
