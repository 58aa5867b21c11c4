// RealWorkers: a thread for every worker. A brief job is offered to the loop first.
#pragma once

#include "leftfold/env/worker.hpp"

#include "event_loop.hpp"

namespace leftfold {

class RealWorkers final : public Workers {
  public:
    explicit RealWorkers(EventLoop& loop) noexcept : loop_(loop) {}

    using Workers::start;
    // `home` is the loop.
    std::unique_ptr<Worker> start(std::string_view name, Scheduler& home, JobLength length) override;

  private:
    EventLoop& loop_;
};

}  // namespace leftfold
