// RealRandom: the operating system's generator, fetched in blocks so that a call costs a few nanoseconds.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "leftfold/env/random.hpp"

namespace leftfold {

class RealRandom final : public Random {
  public:
    std::uint64_t next() override {
        if (left_ == 0)
            refill();
        // Zeroed as it is given out, so that memory read later does not tell past secrets.
        return std::exchange(block_[--left_], 0);
    }

  private:
    void refill();

    std::array<std::uint64_t, 256> block_{};
    std::size_t left_ = 0;
};

}  // namespace leftfold
