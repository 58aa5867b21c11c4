// Scheduler: one thread's run of small steps. Every shard has one; all that a shard owns is touched only by its steps.
//
// A step must not block: file work goes to a Worker, waiting to call_after(). Steps posted from one thread run in the
// order in which they were posted.
#pragma once

#include <cstdint>
#include <functional>

#include "leftfold/base/strong_id.hpp"
#include "leftfold/base/time.hpp"

namespace leftfold {

using Step = std::move_only_function<void()>;

using TimerId = StrongId<struct TimerIdTag, std::uint64_t>;

class Scheduler {
  public:
    virtual ~Scheduler() = default;

    // Runs the step later, never within this call. From any thread.
    virtual void post(Step step) = 0;

    // Runs the step once nothing else is to be done, and at the latest after `at_most`: for work that is cheaper the
    // more has gathered for it. From the scheduler's own thread only.
    virtual void post_when_idle(Step step, Duration at_most) = 0;

    // Runs the step once the monotonic clock has advanced by `delay`. From the scheduler's own thread only.
    virtual TimerId call_after(Duration delay, Step step) = 0;

    // Drops a timer that has not run yet; no effect on one that has. From the scheduler's own thread only.
    virtual void cancel(TimerId timer) = 0;
};

}  // namespace leftfold
