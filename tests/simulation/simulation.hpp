// Simulation: one simulated machine with the command path on it, through several lives, each ended by a crash, and the
// clients that survive them. Everything is a function of the seed: knobs, clients, faults and crashes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/aggregate/runtime.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/sim/env.hpp"

#include "journal.hpp"
#include "planted.hpp"

namespace leftfold::simulation {

class Simulation {
  public:
    explicit Simulation(std::uint64_t seed, Plant plant = {});
    ~Simulation();

    // The first contradiction that the checkers find, or none.
    std::optional<std::string> run();

    const Journal& journal() const noexcept { return journal_; }
    std::uint64_t crash_count() const noexcept { return crash_count_; }
    // Over every step, file operation and answer.
    std::uint64_t trace_hash() const noexcept;

  private:
    struct Knobs {
        log::EmbeddedLogOptions log;
        AggregateOptions aggregate;
        sim::SimEnvOptions machine;
        std::uint32_t clients = 1;
        std::uint64_t keys = 1;
        bool faults = false;
    };
    struct Client {
        std::uint32_t number = 0;
        std::vector<Ask> answered;    // with an id: it may send them again
        std::vector<Ask> unanswered;  // with an id: it must
        std::vector<Ask> in_flight;
    };

    static Knobs draw_knobs(std::uint64_t seed);

    std::optional<std::string> live_and_die();
    std::optional<std::string> live_to_the_end();
    std::optional<std::string> check_the_past(const Streams& streams);
    // runtime_ stays empty where the power went off or an operation was made to fail.
    std::optional<std::string> start();
    void clear_away();
    bool run_clients();
    std::optional<StateReply> read_now(const std::string& key, AsOf as_of);

    void take_turn(Client& client);
    Ask next_ask(Client& client);
    void send(Client& client, const Ask& ask);
    void answered(Client& client, std::size_t attempt, const Ask& ask, const Told& told);

    Plant plant_;
    Knobs knobs_;
    sim::SimEnv sim_;
    BelievingFileSystem believing_;
    Env env_;
    sim::SimRandom choice_;
    sim::Trace answers_;
    Journal journal_;
    std::vector<Client> clients_;

    std::unique_ptr<AggregateModel> model_;
    std::unique_ptr<log::EventLog> log_;
    std::unique_ptr<PlantedLog> planted_log_;
    std::unique_ptr<AggregateRuntime> runtime_;

    std::uint64_t budget_ = 0;
    std::uint64_t waiting_ = 0;  // commands, and clients that think
    std::int64_t next_tag_ = 1;
    std::uint64_t start_count_ = 0;
    std::uint64_t crash_count_ = 0;
};

}  // namespace leftfold::simulation
