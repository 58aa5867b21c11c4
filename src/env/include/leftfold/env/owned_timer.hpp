// OwnedTimer: at most one timer, dropped with its owner.
#pragma once

#include <optional>
#include <utility>

#include "leftfold/env/scheduler.hpp"

namespace leftfold {

class OwnedTimer {
  public:
    explicit OwnedTimer(Scheduler& scheduler) noexcept : scheduler_(scheduler) {}
    ~OwnedTimer() { cancel(); }
    OwnedTimer(const OwnedTimer&) = delete;
    OwnedTimer& operator=(const OwnedTimer&) = delete;

    // In place of the one that is set. The step may destroy the owner.
    void set(Duration delay, Step step) {
        cancel();
        timer_ = scheduler_.call_after(delay, [this, step = std::move(step)]() mutable {
            timer_.reset();
            Step running = std::move(step);
            running();
        });
    }
    void cancel() {
        if (timer_)
            scheduler_.cancel(*std::exchange(timer_, std::nullopt));
    }
    bool is_set() const noexcept { return timer_.has_value(); }

  private:
    Scheduler& scheduler_;
    std::optional<TimerId> timer_;
};

}  // namespace leftfold
