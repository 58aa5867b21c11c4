// SimScheduler: the loop of a simulated world. Steps run one at a time in the order of their times: a posted step's
// time is that of its post, a timer's is its deadline, and equal times keep the order in which they were given. When
// nothing is ready, time jumps to the next timer. Single-threaded.
//
// A run that exceeds its bound of steps, or that can never end as asked, throws SimulationError, which names the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "leftfold/env/scheduler.hpp"
#include "leftfold/sim/clock.hpp"
#include "leftfold/sim/trace.hpp"

namespace leftfold::sim {

class SimulationError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

inline constexpr std::uint64_t kStepsMax = 1'000'000;

class SimScheduler final : public Scheduler {
  public:
    // Borrows clock and trace. `step_duration` is what every step costs on the clock; the seed is for messages.
    SimScheduler(std::uint64_t seed, SimClock& clock, Trace& trace, Duration step_duration = Duration(0)) noexcept
        : clock_(clock), trace_(trace), step_duration_(step_duration), seed_(seed) {}
    ~SimScheduler() override;
    SimScheduler(const SimScheduler&) = delete;
    SimScheduler& operator=(const SimScheduler&) = delete;

    void post(Step step) override;
    // After all of `at_most`: in simulated time a loop is never busy.
    void post_when_idle(Step step, Duration at_most) override;
    TimerId call_after(Duration delay, Step step) override;
    void cancel(TimerId timer) override;

    // Runs the next step, or jumps to the next timer and runs it. False if there is none.
    bool step();
    // Until neither steps nor timers are left.
    void run_until_idle(std::uint64_t steps_max = kStepsMax);
    // Runs what is due within `duration` from now, and leaves the clock at its end.
    void run_for(Duration duration, std::uint64_t steps_max = kStepsMax);
    // Runs until `done` holds. False if the power went off before; look at it.
    [[nodiscard]] bool run_until(const std::function<bool()>& done, std::uint64_t steps_max = kStepsMax);

    // Drops every step and timer, and takes no more until power_on(): the process is gone.
    void power_off();
    void power_on() noexcept;
    bool is_powered() const noexcept { return is_powered_; }
    // Grows with power_off() and power_on(): tells what belongs to a process that is gone.
    std::uint64_t incarnation() const noexcept { return incarnation_; }

    std::size_t waiting_count() const noexcept { return queue_.size(); }
    std::uint64_t step_count() const noexcept { return step_count_; }

  private:
    using Place = std::pair<MonotonicTime, std::uint64_t>;

    std::uint64_t enqueue(MonotonicTime time, Step step);
    [[noreturn]] void give_up(std::string_view run, std::string_view why) const;

    SimClock& clock_;
    Trace& trace_;
    Duration step_duration_;
    std::uint64_t seed_;
    std::map<Place, Step> queue_;
    std::map<std::uint64_t, MonotonicTime> timers_;  // those that wait, to find their place
    std::uint64_t sequence_ = 0;
    std::uint64_t step_count_ = 0;
    std::uint64_t incarnation_ = 0;
    bool is_powered_ = true;
    bool is_running_ = false;
};

}  // namespace leftfold::sim
