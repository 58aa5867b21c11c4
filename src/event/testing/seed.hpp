// The seed of a random test: another one each run, or that of LEFTFOLD_SEED.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

namespace leftfold {

class Seed {
  public:
    explicit Seed(std::string_view test) : test_(test) {
        const char* chosen = std::getenv("LEFTFOLD_SEED");
        value_ = chosen != nullptr ? std::stoull(chosen) : std::random_device{}();
    }
    std::uint64_t value() const noexcept { return value_; }
    // What to type to see it again.
    std::string rerun() const {
        return "again: LEFTFOLD_SEED=" + std::to_string(value_) + " event_test --gtest_filter=" + test_;
    }

  private:
    std::string test_;
    std::uint64_t value_ = 0;
};

}  // namespace leftfold
