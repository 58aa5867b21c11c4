// Clock: the only source of time. Borrowed by constructor; everything that asks for the time holds one.
#pragma once

#include "leftfold/base/time.hpp"

namespace leftfold {

class Clock {
  public:
    virtual ~Clock() = default;

    // Civil time. May jump in either direction when somebody sets the machine's clock.
    virtual Timestamp now() const noexcept = 0;

    // Never falls within one process. For timeouts and latencies.
    virtual MonotonicTime monotonic() const noexcept = 0;
};

}  // namespace leftfold
