// Simulation: several lives of a reaction on one simulated machine, as a function of a seed. Its log and its SQLite
// store are on a disk that fails and crashes; handlers fail, throw, hang and are slow; operators retry and discard.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "leftfold/log/embedded_log.hpp"
#include "leftfold/reaction/runner.hpp"
#include "leftfold/sim/env.hpp"

#include "testing/journal.hpp"
#include "testing/planted.hpp"
#include "testing/script.hpp"

namespace leftfold::testing {

struct SimulationCounts {
    std::uint64_t crashes = 0;
    std::uint64_t completions = 0;
    std::uint64_t repeats = 0;
    std::uint64_t dead = 0;
    std::uint64_t retried = 0;
    std::uint64_t discarded = 0;
    std::uint64_t kept = 0;
    std::uint64_t reopened = 0;
};

class Simulation {
  public:
    explicit Simulation(std::uint64_t seed, Plant plant = {});
    ~Simulation();

    Problem run();
    const SimulationCounts& counts() const noexcept { return counts_; }
    // What the world saw, in order: the same for the same seed.
    const std::string& story() const noexcept { return journal_.story(); }

  private:
    struct Caller;

    Problem live_and_die();
    Problem live_to_the_end();
    void fail_for_a_while();
    // False: the machine is not up any more, or the log cannot be opened.
    bool start_log();
    Problem start();
    Problem check_after_start();
    void clear_away(bool counts = true);
    void stop_gently();
    ReactionOptions draw_options();
    Act draw_act(const Place& place, std::uint32_t attempt);
    void append_some();
    void operate();
    void look();
    Problem settle(const std::map<std::string, std::int64_t>& dead);

    // What the log has, into known_.
    void scan();
    // False: it cannot be read now.
    bool extend(const std::string& key);
    Result<std::map<std::string, std::int64_t>> dead_letters();
    Result<std::set<Place>> discarded();

    sim::SimEnv sim_;
    sim::SimRandom choice_;
    Plant plant_;
    Script script_;
    Journal journal_;
    SimulationCounts counts_;
    std::unique_ptr<Caller> caller_;
    std::unique_ptr<ReactionModel> model_;
    std::unique_ptr<log::EventLog> log_;
    std::unique_ptr<ReactionRunner> runner_;
    Streams known_;
    std::vector<std::string> keys_;
    std::map<Place, std::uint64_t> generation_of_;
    std::uint64_t reopened_ = 0;
    std::uint64_t appended_ = 0;
    std::uint64_t budget_ = 0;
    bool fails_ = true;  // handlers
};

}  // namespace leftfold::testing
