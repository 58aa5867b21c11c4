// The seeds that a random test runs through: LEFTFOLD_SEED and LEFTFOLD_SEEDS from the environment, if they are there.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace leftfold::rows {

struct Seeds {
    explicit Seeds(std::uint64_t default_count)
        : first(from_environment("LEFTFOLD_SEED", 1)), count(from_environment("LEFTFOLD_SEEDS", default_count)) {}

    std::uint64_t first;
    std::uint64_t count;

  private:
    static std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
        const char* text = std::getenv(name);
        return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
    }
};

// What runs one seed again: a failure shows it.
inline std::string rerun(std::uint64_t seed, std::string_view filter) {
    return "seed " + std::to_string(seed) + "; again: LEFTFOLD_SEED=" + std::to_string(seed) +
           " LEFTFOLD_SEEDS=1 rows_test --gtest_filter=" + std::string(filter);
}

}  // namespace leftfold::rows
