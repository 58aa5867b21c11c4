// RunnerCrashWorld: a projection on a simulated machine through several lives, with appends, operators and faults that
// a seed decides. What its rows must be is read from the log, by lines of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "leftfold/log/embedded_log.hpp"
#include "leftfold/projection/runner.hpp"
#include "leftfold/sim/env.hpp"

#include "tally.hpp"

namespace leftfold::testing {

struct Planted {
    // Wraps every store.
    std::function<std::unique_ptr<rows::RowStore>(std::unique_ptr<rows::RowStore>)> store = {};
    bool eager_log = false;
    bool forgets_to_discard = false;
};

struct CrashCounts {
    std::uint64_t events = 0;  // durable at the end
    std::uint64_t crashes = 0;
    std::uint64_t checks = 0;
    std::uint64_t switches = 0;
    std::uint64_t skips = 0;
    std::uint64_t stops = 0;  // before poison
    std::uint64_t store_failures = 0;
};

class RunnerCrashWorld {
  public:
    explicit RunnerCrashWorld(std::uint64_t seed, Planted planted = {});
    ~RunnerCrashWorld();
    RunnerCrashWorld(const RunnerCrashWorld&) = delete;
    RunnerCrashWorld& operator=(const RunnerCrashWorld&) = delete;

    // The first contradiction between the rows and the log.
    std::optional<std::string> run();
    const CrashCounts& counts() const noexcept { return counts_; }

  private:
    std::optional<std::string> live_and_die();
    std::optional<std::string> live_to_the_end();
    void choose_program();
    bool open();
    std::optional<std::string> live();
    void end();
    void die();

    void append();
    void operate();
    void operate_on_build(const ProjectionStatus& status);

    // Of what is served, now.
    std::optional<std::string> check();
    // Of every generation that the disk has, before anybody touches them.
    std::optional<std::string> check_files();
    std::optional<std::string> check_rows(rows::RowReader& reader);
    std::optional<std::string> check_difference();
    // What a query could once see it can see from then on.
    std::optional<std::string> check_seen();
    // Whether a disk that fails on purpose can have had a part in it.
    bool is_excused();
    std::unique_ptr<rows::RowStore> wrapped(std::unique_ptr<rows::RowStore> store) const;
    sim::SimFileSystem& files() noexcept { return sim_.files(); }

    sim::SimEnv sim_;
    sim::SimRandom choice_;
    Planted planted_;
    std::uint64_t checkpoint_bytes_;
    CrashCounts counts_;
    bool is_second_version_ = false;
    std::set<std::string> poison_;
    std::set<LogPlace> asked_to_skip_;
    std::uint64_t appends_left_ = 0;
    std::uint64_t faults_before_ = 0;
    std::optional<log::PositionToken> seen_;  // in this life

    std::unique_ptr<Tally> tally_;
    std::unique_ptr<log::EventLog> log_;
    std::unique_ptr<log::EventLog> eager_;
    std::unique_ptr<ProjectionRunner> runner_;
};

}  // namespace leftfold::testing
