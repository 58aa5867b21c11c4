// SimEnv: one simulated machine, with everything that Env needs, as a function of one seed.
//
//     SimEnv sim(seed);
//     auto log = open_embedded_log(sim.env(), options);
//     …
//     sim.files().power_off_at(17);                       // dies within the 17th file operation from now
//     if (!sim.scheduler().run_until([&] { return done; })) {
//         log.reset();                                    // what is left of the dead process
//         sim.restart();                                  // decides what the disk kept
//         …
//
// When the power goes off, every step, timer and job is dropped, and new ones are refused until restart(). Destroy what
// the dead process owned before you restart.
#pragma once

#include <cstdint>
#include <memory>

#include "leftfold/env/env.hpp"
#include "leftfold/sim/clock.hpp"
#include "leftfold/sim/files.hpp"
#include "leftfold/sim/random.hpp"
#include "leftfold/sim/scheduler.hpp"
#include "leftfold/sim/trace.hpp"
#include "leftfold/sim/workers.hpp"

namespace leftfold::sim {

struct SimEnvOptions {
    Timestamp start = kSimStart;
    // What every step costs on the clock.
    Duration step_duration = Duration(0);
    WorkerDelays worker_delays;
};

// Nothing can be reached: every call answers `unsupported`. Borrows the scheduler.
class NullNetwork final : public Network {
  public:
    explicit NullNetwork(Scheduler& scheduler) noexcept : scheduler_(scheduler) {}

    Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, Accept accept) override;
    void connect(const Endpoint& endpoint, Connected connected) override;

  private:
    Scheduler& scheduler_;
};

class SimEnv {
  public:
    explicit SimEnv(std::uint64_t seed, SimEnvOptions options = {});
    SimEnv(const SimEnv&) = delete;
    SimEnv& operator=(const SimEnv&) = delete;

    // What the code under test is given.
    Env& env() noexcept { return env_; }

    SimClock& clock() noexcept { return clock_; }
    SimScheduler& scheduler() noexcept { return scheduler_; }
    SimFileSystem& files() noexcept { return files_; }
    const Trace& trace() const noexcept { return trace_; }
    std::uint64_t seed() const noexcept { return seed_; }
    // For the test's own choices: a stream for each purpose.
    SimRandom random_for(std::string_view purpose) const noexcept { return SimRandom(seed_, purpose); }

    void power_off();
    bool is_powered() const noexcept { return files_.is_powered(); }
    // After power_off(): the machine had crashed, and is up again with what the disk kept.
    CrashReport restart();
    // After power_off(): only the process had died (SIGKILL); the page cache survived, and nothing is lost.
    void restart_process();

  private:
    std::uint64_t seed_;
    Trace trace_;
    SimClock clock_;
    SimRandom random_;
    SimScheduler scheduler_;
    SimFileSystem files_;
    SimWorkers workers_;
    NullNetwork network_;
    Env env_;
};

}  // namespace leftfold::sim
