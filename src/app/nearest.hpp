// The known name that somebody probably meant.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace leftfold {

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Of two equally near names the first. Nothing if none is near enough to be a slip of the fingers, or the word is
// longer than kNearestWordMax.
inline constexpr std::size_t kNearestWordMax = 64;
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> names);

// "; did you mean http.port?", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> names);

}  // namespace leftfold
