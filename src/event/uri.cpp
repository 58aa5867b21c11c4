#include "uri.hpp"

#include <cstddef>

namespace leftfold {

namespace {

bool is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Length of the scheme, 0 if there is none; npos if what stands before the first ':' is none, but would have to be.
std::size_t scheme_size(std::string_view text) {
    const std::size_t end = text.find_first_of(":/?#");
    if (end == std::string_view::npos || text[end] != ':')
        return 0;
    if (end == 0 || !is_alpha(text[0]))
        return std::string_view::npos;
    for (const char c : text.substr(0, end)) {
        if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '-' && c != '.')
            return std::string_view::npos;
    }
    return end;
}

}  // namespace

bool is_uri_reference(std::string_view text) noexcept {
    if (scheme_size(text) == std::string_view::npos)
        return false;
    bool in_fragment = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))
                return false;
        } else if (c == '#') {
            if (in_fragment)
                return false;
            in_fragment = true;
        } else if (!is_alpha(c) && !is_digit(c) &&
                   std::string_view("-._~:/?[]@!$&'()*+,;=").find(c) == std::string_view::npos) {
            return false;
        }
    }
    return true;
}

bool is_absolute_uri(std::string_view text) noexcept {
    const std::size_t scheme = scheme_size(text);
    return scheme != 0 && scheme != std::string_view::npos && is_uri_reference(text);
}

}  // namespace leftfold
