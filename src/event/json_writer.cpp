#include "leftfold/event/json_writer.hpp"

#include <array>
#include <charconv>
#include <stdexcept>

#include "leftfold/base/utf8.hpp"
#include "leftfold/event/decimal.hpp"

namespace leftfold::json {

namespace {

constexpr char kPlain = 0;
constexpr char kHexEscape = 'u';
constexpr char kBeyondAscii = 1;

// What a byte becomes: itself, `\` and this letter, \u00XX, or a look at the whole sequence.
constexpr std::array<char, 256> kEscapes = [] {
    std::array<char, 256> table{};
    for (std::size_t i = 0; i < 0x20; ++i)
        table[i] = kHexEscape;
    for (std::size_t i = 0x80; i < 0x100; ++i)
        table[i] = kBeyondAscii;
    table['"'] = '"';
    table['\\'] = '\\';
    table['\b'] = 'b';
    table['\f'] = 'f';
    table['\n'] = 'n';
    table['\r'] = 'r';
    table['\t'] = 't';
    return table;
}();

template <class T>
void append_integer(std::string& out, T value) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out.append(text, end);
}

}  // namespace

void write_string(std::string& out, std::string_view text) {
    out.push_back('"');
    std::size_t plain_from = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const char escape = kEscapes[byte];
        if (escape == kPlain) [[likely]] {
            ++at;
            continue;
        }
        if (escape == kBeyondAscii) {
            const std::size_t size = utf8_sequence_size(text.substr(at));
            if (size != 0) {
                at += size;
                continue;
            }
        }
        out.append(text, plain_from, at - plain_from);
        if (escape == kBeyondAscii) {
            out.append("\xEF\xBF\xBD");
        } else {
            out.push_back('\\');
            out.push_back(escape);
            if (escape == kHexEscape) {
                constexpr std::string_view kHex = "0123456789abcdef";
                out.append("00");
                out.push_back(kHex[byte >> 4]);
                out.push_back(kHex[byte & 0xF]);
            }
        }
        plain_from = ++at;
    }
    out.append(text, plain_from);
    out.push_back('"');
}

void write_integer(std::string& out, std::int64_t value) {
    append_integer(out, value);
}
void write_integer(std::string& out, std::uint64_t value) {
    append_integer(out, value);
}

void write_decimal(std::string& out, std::int64_t minor, unsigned digits) {
    char text[detail::kDecimalCharactersMax + 2];
    const std::size_t size = detail::format_decimal(minor, digits, text + 1);
    text[0] = '"';
    text[size + 1] = '"';
    out.append(text, size + 2);
}

void write_timestamp(std::string& out, Timestamp time) {
    if (time < kRfc3339First || time >= kRfc3339Behind)
        throw std::range_error("a time outside of the years 0001 to 9999 has no RFC 3339 form");
    out.push_back('"');
    out.append(to_rfc3339(time));
    out.push_back('"');
}

void write_uuid(std::string& out, const Uuid& id) {
    out.push_back('"');
    out.append(id.to_string());
    out.push_back('"');
}

void write_enumerator(std::string& out, std::string_view name, std::string_view type) {
    if (name.empty())
        throw std::range_error("a value of enum " + std::string(type) + " that has no enumerator from 0 to 63");
    out.push_back('"');
    out.append(name);
    out.push_back('"');
}

}  // namespace leftfold::json
