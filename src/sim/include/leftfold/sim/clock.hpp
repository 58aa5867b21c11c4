// SimClock: simulated time. It stands still but for the scheduler, which moves it to the time of the step that it runs.
#pragma once

#include "leftfold/env/clock.hpp"

namespace leftfold::sim {

// 2024-01-01T00:00:00Z
inline constexpr Timestamp kSimStart = timestamp_from_micros(1'704'067'200'000'000);

class SimClock final : public Clock {
  public:
    explicit SimClock(Timestamp start = kSimStart) noexcept : wall_at_zero_(start) {}

    Timestamp now() const noexcept override {
        return wall_at_zero_ + std::chrono::duration_cast<std::chrono::microseconds>(monotonic_.time_since_epoch());
    }
    MonotonicTime monotonic() const noexcept override { return monotonic_; }

    // As if somebody had set the machine's clock; the monotonic clock does not notice.
    void jump_wall(std::chrono::microseconds by) noexcept { wall_at_zero_ += by; }

  private:
    friend class SimScheduler;
    void advance_to(MonotonicTime time) noexcept;

    Timestamp wall_at_zero_;
    MonotonicTime monotonic_{};
};

}  // namespace leftfold::sim
