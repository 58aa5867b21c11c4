// SimWorkers: a job is a step of the simulated loop, after a delay that the seed decides. A worker's jobs keep their
// order; those of different workers interleave by seed.
#pragma once

#include <memory>
#include <string_view>

#include "leftfold/env/worker.hpp"
#include "leftfold/sim/random.hpp"
#include "leftfold/sim/scheduler.hpp"

namespace leftfold::sim {

struct WorkerDelays {
    Duration min = std::chrono::microseconds(20);
    Duration max = std::chrono::microseconds(500);
    // Once in so many jobs the delay is up to `slow_max`: a disk that stalls. 0: never.
    std::uint64_t slow_one_in = 50;
    Duration slow_max = std::chrono::milliseconds(50);
};

class SimWorkers final : public Workers {
  public:
    // Borrows loop and trace.
    SimWorkers(SimScheduler& loop, SimRandom random, Trace& trace, WorkerDelays delays = {}) noexcept
        : loop_(loop), random_(random), trace_(trace), delays_(delays) {}

    // A worker's destructor runs at once what was submitted and has not run, unless the power went off since its start:
    // then its jobs are gone with the process.
    using Workers::start;
    std::unique_ptr<Worker> start(std::string_view name, Scheduler& home, JobLength length) override;

  private:
    friend class SimWorker;
    Duration draw_delay();

    SimScheduler& loop_;
    SimRandom random_;
    Trace& trace_;
    WorkerDelays delays_;
};

}  // namespace leftfold::sim
