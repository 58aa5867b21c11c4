// Worker: where blocking work runs, off the scheduler's thread. Workers: makes them.
//
// A worker runs its jobs one after the other, in the order of submission, and reports each by a step on the scheduler
// of the caller. In simulation a job is a step too, at a time that the seed decides.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "leftfold/env/scheduler.hpp"

namespace leftfold {

using Job = std::move_only_function<void()>;

// The destructor waits for what was submitted. Submit from one thread.
class Worker {
  public:
    virtual ~Worker() = default;

    // Runs `job` on the worker, then posts `done` to the scheduler given at creation. The caller bounds what is in
    // flight.
    virtual void submit(Job job, Step done) = 0;
};

// What a worker is for. `brief`: jobs of mostly one sync of an SSD, which somebody waits for. Where the shard would
// only wait for such a job, it may run it itself: two changes of threads take longer than the sync.
enum class JobLength : std::uint8_t { any, brief };

class Workers {
  public:
    virtual ~Workers() = default;

    // `name` is for people: thread name in top and gdb (the first 15 characters). `home` outlives the worker.
    virtual std::unique_ptr<Worker> start(std::string_view name, Scheduler& home, JobLength length) = 0;
    std::unique_ptr<Worker> start(std::string_view name, Scheduler& home) { return start(name, home, JobLength::any); }
};

}  // namespace leftfold
