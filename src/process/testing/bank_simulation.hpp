// BankSimulation: transfers on a BankMachine that dies again and again, a function of one seed. Clients keep what they
// were told outside of it, and ask again with the same ids until they have an answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bank_audit.hpp"
#include "bank_machine.hpp"

namespace leftfold::testing {

struct BankStatistics {
    std::uint64_t crashes = 0;
    std::uint64_t transfers = 0;
    std::uint64_t completed = 0;
    std::uint64_t compensated = 0;
    std::uint64_t refused = 0;
    std::uint64_t timers_fired = 0;
};

class BankSimulation {
  public:
    explicit BankSimulation(std::uint64_t seed, Plant plant = {});

    // What was found to be wrong; none: nothing. Once.
    Problem run();

    const BankStatistics& statistics() const noexcept { return statistics_; }
    std::uint64_t trace_hash() { return bank_.sim().trace().hash(); }

  private:
    // A command of a client.
    struct Ask {
        bool is_transfer = false;
        std::string key;
        std::string command;
        std::string json;
        bool is_answered = false;
        bool is_accepted = false;
    };
    static BankOptions draw_options(std::uint64_t seed);

    Problem live_and_die();
    Problem live_to_the_end();
    Problem start();
    Problem audit();
    void draw_asks();
    void ask_all();
    void ask(std::size_t index);
    Problem check_told(const Audit& audit) const;
    void die();

    BankMachine bank_;
    sim::SimRandom choice_;
    sim::SimRandom network_;  // between a process and its targets
    std::vector<Ask> asks_;
    std::size_t asked_ = 0;  // so many have been asked at all
    std::size_t waiting_ = 0;
    BankStatistics statistics_;
};

}  // namespace leftfold::testing
