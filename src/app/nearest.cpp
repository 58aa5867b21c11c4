#include "nearest.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace leftfold {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    // Three rows of the usual table: the swap of neighbours looks two rows back.
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substituted = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, substituted});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> names) {
    if (word.size() < 2 || word.size() > kNearestWordMax)
        return std::nullopt;
    const std::string* best = nullptr;
    std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string& name : names) {
        // Who stops early means the longer name, however much is missing.
        const std::size_t distance = name.starts_with(word) && word.size() > 3 ? 1 : edit_distance(word, name);
        if (distance < best_distance && distance < word.size()) {
            best_distance = distance;
            best = &name;
        }
    }
    return best == nullptr ? std::nullopt : std::optional(*best);
}

std::string did_you_mean(std::string_view word, std::span<const std::string> names) {
    const auto found = nearest(word, names);
    return found ? "; did you mean " + *found + "?" : std::string();
}

}  // namespace leftfold
