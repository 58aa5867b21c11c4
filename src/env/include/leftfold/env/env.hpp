// Env: everything from outside that the code of one shard may use, handed down by constructor. The real one is made in
// main (real_env.hpp), the simulated one by a test (leftfold/sim).
#pragma once

#include "leftfold/env/clock.hpp"
#include "leftfold/env/files.hpp"
#include "leftfold/env/network.hpp"
#include "leftfold/env/random.hpp"
#include "leftfold/env/scheduler.hpp"
#include "leftfold/env/worker.hpp"

namespace leftfold {

// References borrowed for the life of everything built on it.
struct Env {
    Clock& clock;
    Random& random;
    Scheduler& scheduler;
    Workers& workers;
    FileSystem& files;
    Network& network;
};

}  // namespace leftfold
