// SimLog: the embedded log on a simulated machine with an oracle beside it; for tests that break things.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/log/embedded_log.hpp"
#include "leftfold/sim/env.hpp"

#include "append_oracle.hpp"

namespace leftfold::log {

class SimLog {
  public:
    explicit SimLog(std::uint64_t seed, EmbeddedLogOptions options = {}, sim::PlantedFaults faults = {});

    sim::SimEnv& sim() noexcept { return sim_; }
    AppendOracle& oracle() noexcept { return oracle_; }
    const EmbeddedLogOptions& options() const noexcept { return options_; }
    // While open.
    EventLog& log() noexcept { return *log_; }
    bool is_open() const noexcept { return log_ != nullptr; }

    Result<> open();
    // Whether all ended well; false if the power went off.
    bool stop();
    // The process dies. With a crash of the machine, what was not synced is lost or not, by seed.
    void kill();
    void crash();

    using Ended = std::move_only_function<void()>;
    // An append with its own command id, noted by the oracle.
    Result<Accepted> append(std::string_view key, std::size_t record_count = 1, std::size_t padding = 10,
                            Ended ended = nullptr);
    // Until every append has ended. False if the power went off.
    bool settle();
    std::int64_t waiting_count() const noexcept { return waiting_; }
    std::optional<std::string> check() {
        return oracle_.check(*log_, is_fresh_ ? AppendOracle::Moment::opened : AppendOracle::Moment::running);
    }

    Slot slot_of(std::string_view key) const;

    // Whole files of the data directory, by name within it; without the power going off between.
    std::string read(const std::string& name);
    void write(const std::string& name, std::string_view content);
    void remove(const std::string& name);
    // Of partition 0 of the first topic: "topics/accounts/0/….log", in order.
    std::vector<std::string> segments(std::string_view suffix = ".log");

  private:
    void die();

    sim::SimEnv sim_;
    EmbeddedLogOptions options_;
    AppendOracle oracle_;
    std::unique_ptr<EventLog> log_;
    bool is_fresh_ = false;  // opened, and nothing appended since
    std::int64_t waiting_ = 0;
};

}  // namespace leftfold::log
