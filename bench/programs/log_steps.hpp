// The steps of bench_log: makes a log of deposits, opens it, and folds all of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "leftfold/base/error.hpp"
#include "leftfold/env/real_env.hpp"
#include "leftfold/log/event_log.hpp"

namespace leftfold::bench {

struct LogPlan {
    std::string directory;
    std::uint64_t events = 0;
    std::uint64_t aggregates = 0;
};

Result<std::unique_ptr<log::EventLog>> open_log(RealEnv& real, const std::string& directory);

// One event a command, in turn over the aggregates, through the engine's append, many in a group.
Result<> generate(RealEnv& real, log::EventLog& log, const LogPlan& plan);

// Flushes and closes.
void stop_log(RealEnv& real, log::EventLog& log);

struct Replay {
    std::uint64_t events = 0;
    std::uint64_t aggregates = 0;
    double seconds = 0;
    bool correct = true;  // every aggregate ends with the balance that its events give
};

// Reads every partition from its start and folds each event into the state of its aggregate.
Result<Replay> replay_all(log::EventLog& log);

// Decodes and folds the events of one read over and over, for about a second: events per second without reading.
Result<double> fold_rate(log::EventLog& log);

double resident_bytes();

}  // namespace leftfold::bench
