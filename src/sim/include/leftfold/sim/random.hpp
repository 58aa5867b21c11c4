// SimRandom: chance as a function of a seed (xoshiro256**, Blackman and Vigna 2018). Not for secrets.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "leftfold/env/random.hpp"

namespace leftfold::sim {

class SimRandom final : public Random {
  public:
    explicit SimRandom(std::uint64_t seed) noexcept;
    // A stream of its own for each purpose: drawing more in one does not change the others.
    SimRandom(std::uint64_t seed, std::string_view purpose) noexcept;

    std::uint64_t next() override;

  private:
    std::array<std::uint64_t, 4> state_{};
};

// True once in `count` draws. count must not be 0.
inline bool one_in(Random& random, std::uint64_t count) {
    return random.below(count) == 0;
}

}  // namespace leftfold::sim
