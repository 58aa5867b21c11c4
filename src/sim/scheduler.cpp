#include "leftfold/sim/scheduler.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold::sim {

void SimClock::advance_to(MonotonicTime time) noexcept {
    LEFTFOLD_ASSERT(time >= monotonic_);
    monotonic_ = time;
}

SimScheduler::~SimScheduler() {
    // A step may own what cancels timers when destroyed.
    power_off();
}

std::uint64_t SimScheduler::enqueue(MonotonicTime time, Step step) {
    const std::uint64_t sequence = ++sequence_;
    if (is_powered_)
        queue_.emplace(Place(time, sequence), std::move(step));
    return sequence;
}

void SimScheduler::post(Step step) {
    enqueue(clock_.monotonic(), std::move(step));
}

void SimScheduler::post_when_idle(Step step, Duration at_most) {
    enqueue(clock_.monotonic() + std::max(at_most, Duration(0)), std::move(step));
}

TimerId SimScheduler::call_after(Duration delay, Step step) {
    const MonotonicTime deadline = clock_.monotonic() + std::max(delay, Duration(0));
    const std::uint64_t sequence = enqueue(deadline, std::move(step));
    if (is_powered_)
        timers_.emplace(sequence, deadline);
    return TimerId(sequence);
}

void SimScheduler::cancel(TimerId timer) {
    const auto found = timers_.find(timer.value());
    if (found == timers_.end())
        return;
    const auto node = queue_.extract(Place(found->second, found->first));
    timers_.erase(found);
    LEFTFOLD_ASSERT(!node.empty());
}

bool SimScheduler::step() {
    LEFTFOLD_ASSERT(!is_running_);
    if (queue_.empty())
        return false;
    auto node = queue_.extract(queue_.begin());
    const auto [time, sequence] = node.key();
    timers_.erase(sequence);
    clock_.advance_to(std::max(time, clock_.monotonic()));
    trace_.note("step", "", {sequence, static_cast<std::uint64_t>(clock_.monotonic().time_since_epoch().count())});
    ++step_count_;

    struct Running {
        explicit Running(bool& set) : flag(set) { flag = true; }
        ~Running() { flag = false; }
        bool& flag;
    } const running(is_running_);
    node.mapped()();
    clock_.advance_to(clock_.monotonic() + step_duration_);
    return true;
}

void SimScheduler::run_until_idle(std::uint64_t steps_max) {
    for (std::uint64_t count = 0; step(); ++count)
        if (count == steps_max)
            give_up("run_until_idle", "ran its bound of steps and is still not idle");
}

void SimScheduler::run_for(Duration duration, std::uint64_t steps_max) {
    const MonotonicTime end = clock_.monotonic() + duration;
    for (std::uint64_t count = 0; !queue_.empty() && queue_.begin()->first.first <= end; ++count) {
        if (count == steps_max)
            give_up("run_for", "ran its bound of steps before its time was over");
        step();
    }
    clock_.advance_to(std::max(end, clock_.monotonic()));
}

bool SimScheduler::run_until(const std::function<bool()>& done, std::uint64_t steps_max) {
    for (std::uint64_t count = 0; !done(); ++count) {
        if (!is_powered_)
            return false;
        if (count == steps_max)
            give_up("run_until", "ran its bound of steps and what it waits for has not come");
        if (!step())
            give_up("run_until", "nothing is left to run and what it waits for has not come");
    }
    return true;
}

void SimScheduler::power_off() {
    ++incarnation_;
    is_powered_ = false;
    timers_.clear();
    // Destroying a step may call back in; then the queue must be whole.
    const std::map<Place, Step> dropped = std::exchange(queue_, {});
}

void SimScheduler::power_on() noexcept {
    ++incarnation_;
    is_powered_ = true;
}

void SimScheduler::give_up(std::string_view run, std::string_view why) const {
    throw SimulationError(
        fmt::format("{}: {} (seed {}, {} steps run in all, {} waiting, {} timers, simulated time {} ns)", run, why,
                    seed_, step_count_, queue_.size(), timers_.size(), clock_.monotonic().time_since_epoch().count()));
}

}  // namespace leftfold::sim
