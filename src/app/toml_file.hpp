// A TOML file as a flat list of settings: "[http] port = 8080" is ("http.port", "8080"). The only place that knows the
// TOML library; it takes 3 to 5 seconds to compile.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace leftfold {

struct TomlSetting {
    enum class Kind : std::uint8_t { text, boolean, integer, list, other };

    std::string name;
    Kind kind = Kind::other;
    std::vector<std::string> texts;  // one, or the elements of a list
    std::uint32_t line = 0;          // from 1
};

struct TomlMistake {
    std::uint32_t line = 0;
    std::string what;
};

// In the order of their lines. A list that holds anything but strings and whole numbers is `other`.
std::expected<std::vector<TomlSetting>, TomlMistake> parse_toml(std::string_view text);

}  // namespace leftfold
