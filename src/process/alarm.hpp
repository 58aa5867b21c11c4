// Alarm: one step at the earliest of the times asked for.
#pragma once

#include <optional>
#include <utility>

#include "leftfold/env/env.hpp"

namespace leftfold::process {

class Alarm {
  public:
    // Borrows both. `ring` is a step.
    Alarm(const Env& env, std::move_only_function<void()> ring) noexcept : env_(env), ring_(std::move(ring)) {}
    ~Alarm() { cancel(); }
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    // No later than that; it may ring earlier.
    void at(MonotonicTime time) {
        if (timer_ && time_ <= time)
            return;
        cancel();
        time_ = time;
        const Duration delay = time - env_.clock.monotonic();
        timer_ = env_.scheduler.call_after(delay < Duration(0) ? Duration(0) : delay, [this] {
            timer_.reset();
            ring_();
        });
    }
    void after(Duration delay) { at(env_.clock.monotonic() + delay); }
    void cancel() {
        if (timer_)
            env_.scheduler.cancel(*timer_);
        timer_.reset();
    }

  private:
    Env env_;
    std::move_only_function<void()> ring_;
    std::optional<TimerId> timer_;
    MonotonicTime time_{};
};

}  // namespace leftfold::process
