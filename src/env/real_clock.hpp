// RealClock: the machine's clocks.
#pragma once

#include "leftfold/env/clock.hpp"

namespace leftfold {

inline MonotonicTime monotonic_now() noexcept {
    return MonotonicTime(std::chrono::steady_clock::now().time_since_epoch());
}

class RealClock final : public Clock {
  public:
    Timestamp now() const noexcept override {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    MonotonicTime monotonic() const noexcept override { return monotonic_now(); }
};

}  // namespace leftfold
