// RealWorkers: a thread for every worker.
#pragma once

#include "leftfold/env/worker.hpp"

namespace leftfold {

class RealWorkers final : public Workers {
  public:
    std::unique_ptr<Worker> start(std::string_view name, Scheduler& home) override;
};

}  // namespace leftfold
