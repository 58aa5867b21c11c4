// The character classes of RFC 9110 §5.6.2, §5.5 and RFC 3986, as one table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leftfold::http {

enum CharacterClass : std::uint8_t {
    kTokenChar = 1,       // tchar: methods, header names, codings
    kFieldChar = 2,       // field values: VCHAR, SP, HTAB, obs-text
    kTargetChar = 4,      // request targets: unreserved, sub-delims, ":@/?%", and "[]", which many clients leave bare
    kHostChar = 8,        // authority without user information
    kUnreservedChar = 16  // RFC 3986 §2.3
};

constexpr std::array<std::uint8_t, 256> make_character_table() {
    constexpr std::string_view letters_and_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::array<std::uint8_t, 256> table{};
    const auto add = [&table](std::string_view characters, unsigned classes) {
        for (const char c : characters) {
            auto& entry = table[static_cast<std::uint8_t>(c)];
            entry = static_cast<std::uint8_t>(entry | classes);
        }
    };
    add(letters_and_digits, kTokenChar | kTargetChar | kHostChar | kUnreservedChar);
    add("!#$%&'*+-.^_`|~", kTokenChar);
    add("-._~", kUnreservedChar | kTargetChar | kHostChar);
    add("!$&'()*+,;=:%[]", kTargetChar | kHostChar);
    add("@/?", kTargetChar);
    for (std::size_t c = 0; c < table.size(); ++c)
        if (c == '\t' || (c >= ' ' && c != 0x7F))
            table[c] = static_cast<std::uint8_t>(table[c] | kFieldChar);
    return table;
}

inline constexpr std::array<std::uint8_t, 256> kCharacters = make_character_table();

constexpr bool is_a(CharacterClass wanted, char c) noexcept {
    return (kCharacters[static_cast<std::uint8_t>(c)] & wanted) != 0;
}

constexpr bool are_all(CharacterClass wanted, std::string_view text) noexcept {
    for (const char c : text)
        if (!is_a(wanted, c))
            return false;
    return true;
}

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

}  // namespace leftfold::http
