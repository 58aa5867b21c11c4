// Alarm: one step at the earliest of the times asked for.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "leftfold/env/env.hpp"

namespace leftfold::reaction {

class Alarm {
  public:
    // Borrows both. `ring` is a step, and may come earlier than wished.
    Alarm(const Env& env, std::move_only_function<void()> ring) noexcept : env_(env), ring_(std::move(ring)) {}
    ~Alarm() { cancel(); }
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    void at(MonotonicTime time) {
        if (timer_ && time_ <= time)
            return;
        cancel();
        time_ = time;
        timer_ = env_.scheduler.call_after(std::max(Duration(0), time - env_.clock.monotonic()), [this] {
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
    bool is_set() const noexcept { return timer_.has_value(); }

  private:
    Env env_;
    std::move_only_function<void()> ring_;
    std::optional<TimerId> timer_;
    MonotonicTime time_{};
};

}  // namespace leftfold::reaction
