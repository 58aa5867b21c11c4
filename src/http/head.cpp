#include "head.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "leftfold/base/assert.hpp"

#include "characters.hpp"

namespace leftfold::http {

std::size_t HeadScanner::scan(std::string_view bytes, std::size_t size_max) noexcept {
    const std::string_view allowed = bytes.substr(0, size_max);
    while (looked_at_ < allowed.size()) {
        const void* found = std::memchr(allowed.data() + looked_at_, '\n', allowed.size() - looked_at_);
        if (found == nullptr) {
            looked_at_ = allowed.size();
            break;
        }
        const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - allowed.data());
        if (at == 0 || allowed[at - 1] != '\r') {
            fault_ = Fault::bare_line_feed;
            return 0;
        }
        looked_at_ = at + 1;
        if (at - line_start_ == 1)
            return looked_at_;
        line_start_ = looked_at_;
    }
    // A head of just size_max bytes is allowed, one that is not over by then is not.
    if (bytes.size() >= size_max)
        fault_ = line_start_ == 0 ? Fault::target_too_long : Fault::headers_too_large;
    return 0;
}

namespace {

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

}  // namespace

Fault parse_fields(std::string_view lines, std::size_t count_max, std::vector<HeaderField>& fields) {
    fields.clear();
    const char* at = lines.data();
    const char* const end = at + lines.size() - 2;  // the empty line
    while (at != end) {
        if (*at == ' ' || *at == '\t')
            return Fault::folded_header;
        const char* const name = at;
        while (is_a(kTokenChar, *at))
            ++at;
        if (*at != ':' || at == name)
            return at != name && (*at == ' ' || *at == '\t') ? Fault::space_in_header_name : Fault::bad_header_name;
        const std::string_view field_name(name, at);
        const char* const value = ++at;
        while (is_a(kFieldChar, *at))
            ++at;
        if (at[0] != '\r' || at[1] != '\n')
            return Fault::bad_header_value;
        if (fields.size() == count_max)
            return Fault::headers_too_many;
        fields.push_back({field_name, trim({value, at})});
        at += 2;
    }
    return Fault::none;
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) noexcept {
    if (text.empty())
        return std::nullopt;
    constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        value = value > (largest - digit) / 10 ? largest : value * 10 + digit;
    }
    return value;
}

int parse_version(std::string_view text) noexcept {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' || !is_digit(text[7]))
        return 0;
    return (text[5] - '0') * 10 + (text[7] - '0');
}

namespace {

Fault read_length(std::string_view value, Framing& framing) noexcept {
    if (framing.content_length)
        return Fault::length_repeated;
    framing.content_length = parse_decimal(value);
    return framing.content_length ? Fault::none : Fault::length_invalid;
}

Fault read_coding(std::string_view value, Framing& framing) noexcept {
    if (framing.chunked || !equal_ignoring_case(value, "chunked"))
        return Fault::coding_unknown;
    framing.chunked = true;
    return Fault::none;
}

void read_connection(std::string_view value, Framing& framing) noexcept {
    while (!value.empty()) {
        const std::size_t comma = std::min(value.find(','), value.size());
        if (equal_ignoring_case(trim(value.substr(0, comma)), "close"))
            framing.close = true;
        value.remove_prefix(std::min(comma + 1, value.size()));
    }
}

Fault read_expectation(std::string_view value, Framing& framing) noexcept {
    framing.expects_continue = equal_ignoring_case(value, "100-continue");
    return framing.expects_continue ? Fault::none : Fault::expectation_unknown;
}

Fault read_field(const HeaderField& field, Framing& framing) noexcept {
    switch (field.name.size()) {
        case 4:
            if (equal_ignoring_case(field.name, "host")) {
                framing.host = field.value;
                ++framing.host_count;
            }
            return Fault::none;
        case 6:
            return equal_ignoring_case(field.name, "expect") ? read_expectation(field.value, framing) : Fault::none;
        case 10:
            if (equal_ignoring_case(field.name, "connection"))
                read_connection(field.value, framing);
            return Fault::none;
        case 14:
            return equal_ignoring_case(field.name, "content-length") ? read_length(field.value, framing) : Fault::none;
        case 17:
            return equal_ignoring_case(field.name, "transfer-encoding") ? read_coding(field.value, framing)
                                                                        : Fault::none;
        default:
            return Fault::none;
    }
}

}  // namespace

Fault read_framing(const std::vector<HeaderField>& fields, Framing& framing) noexcept {
    framing = {};
    for (const HeaderField& field : fields)
        if (const Fault fault = read_field(field, framing); fault != Fault::none)
            return fault;
    return framing.chunked && framing.content_length ? Fault::length_with_coding : Fault::none;
}

}  // namespace leftfold::http
