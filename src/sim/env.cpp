#include "leftfold/sim/env.hpp"

#include "leftfold/base/assert.hpp"

namespace leftfold::sim {

Result<std::unique_ptr<Listener>> NullNetwork::listen(const Endpoint&, Accept) {
    return fail(ErrorCode::unsupported, "cannot listen: the simulated machine has no network");
}

void NullNetwork::connect(const Endpoint&, Connected connected) {
    scheduler_.post([connected = std::move(connected)]() mutable {
        connected(fail(ErrorCode::unsupported, "cannot connect: the simulated machine has no network"));
    });
}

SimEnv::SimEnv(std::uint64_t seed, SimEnvOptions options)
    : seed_(seed),
      clock_(options.start),
      random_(seed, "env"),
      scheduler_(seed, clock_, trace_, options.step_duration),
      files_(SimRandom(seed, "files"), trace_),
      workers_(scheduler_, SimRandom(seed, "workers"), trace_, options.worker_delays),
      network_(scheduler_),
      env_{clock_, random_, scheduler_, workers_, files_, network_} {
    files_.on_power_off([this] { scheduler_.power_off(); });
}

void SimEnv::power_off() {
    files_.power_off();
}

CrashReport SimEnv::restart() {
    const CrashReport report = files_.crash();
    scheduler_.power_on();
    return report;
}

void SimEnv::restart_process() {
    files_.kill_process();
    scheduler_.power_on();
}

}  // namespace leftfold::sim
