// Machine: one simulated machine with the command path on it, driven step by step by a test that breaks its disk.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/aggregate/runtime.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/sim/env.hpp"

#include "journal.hpp"

namespace leftfold::simulation {

class Machine {
  public:
    explicit Machine(std::uint64_t seed);
    ~Machine();

    // Checks the log against the journal. The error is the log's, or says what the check found.
    Result<> start();
    bool is_running() const noexcept { return runtime_ != nullptr; }
    // The machine loses its power and comes up again; nothing runs until start().
    void crash();

    // Sends all at once and waits for the answers, in their order.
    std::vector<Told> tell(const std::vector<Ask>& asks);
    Told tell(const Ask& ask) { return tell(std::vector<Ask>{ask}).front(); }

    sim::SimFileSystem& files() noexcept { return sim_.files(); }
    // Of everything told so far, against what the log holds.
    std::optional<std::string> check();

  private:
    void clear_away();

    sim::SimEnv sim_;
    Journal journal_;
    std::unique_ptr<AggregateModel> model_;
    std::unique_ptr<log::EventLog> log_;
    std::unique_ptr<AggregateRuntime> runtime_;
};

}  // namespace leftfold::simulation
