// BankMachine: a simulated machine with accounts, transfers and tallies on it, over the embedded log, with the rows of
// both processes in SQLite on the simulated disk.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "leftfold/aggregate/runtime.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/process/dispatcher.hpp"
#include "leftfold/rows/sqlite_store.hpp"
#include "leftfold/sim/env.hpp"

#include "planted.hpp"

namespace leftfold::testing {

struct BankOptions {
    sim::SimEnvOptions machine = {};
    log::EmbeddedLogOptions log = {};  // directory and topics are set
    AggregateOptions aggregates = {};
    ProcessOptions processes = {};  // folder and open_store are set
    rows::SqliteOptions rows = {};
    std::uint32_t partitions = 2;
};

class BankMachine {
  public:
    static constexpr TopicId kAccounts{0};
    static constexpr TopicId kTransfers{2};
    static constexpr TopicId kTallies{4};

    explicit BankMachine(std::uint64_t seed, BankOptions options = {}, Plant plant = {});
    ~BankMachine();

    Result<> start();
    bool is_running() const noexcept { return transfers_.dispatcher != nullptr; }
    // As a program ends. False if the power went off.
    [[nodiscard]] bool stop();
    // What is left of a process or machine that is dead.
    void clear_away();

    sim::SimEnv& sim() noexcept { return sim_; }
    log::EventLog& log() noexcept { return *log_; }
    AggregateRuntime& accounts() noexcept { return *accounts_; }
    AggregateRuntime& transfers() noexcept { return *transfers_.runtime; }
    AggregateRuntime& tallies() noexcept { return *tallies_.runtime; }
    ProcessDispatcher& transfer_dispatcher() noexcept { return *transfers_.dispatcher; }
    ProcessDispatcher& tally_dispatcher() noexcept { return *tallies_.dispatcher; }
    LocalSender& sender() noexcept { return *sender_; }
    // Stands between the transfers and the accounts; set before start().
    std::function<std::unique_ptr<CommandSender>(CommandSender& inner)> wrap_sender;
    std::function<std::unique_ptr<rows::RowStore>(std::unique_ptr<rows::RowStore> inner)> wrap_rows;
    std::vector<std::string> troubles;  // what on_trouble() told

    void send(AggregateRuntime& runtime, std::string_view key, std::string_view command, std::string_view json,
              std::string_view id, CommandDone done);
    // The rows of a process are a fold. While nothing runs.
    void delete_rows(const std::string& process);
    // For tests in which no power goes off.
    CommandReply tell(AggregateRuntime& runtime, std::string_view key, std::string_view command, std::string_view json,
                      std::string_view id = {});
    std::string state(AggregateRuntime& runtime, std::string_view key);
    void run_until(const std::function<bool()>& done);
    // Nothing waits for an answer, no timer waits, and all that was heard is taken.
    bool is_settled();

  private:
    struct Hosted {
        std::unique_ptr<ProcessModel> model;
        std::unique_ptr<AggregateRuntime> runtime;
        std::unique_ptr<ProcessDispatcher> dispatcher;
    };
    Result<> start_process(Hosted& process, log::EventLog& log, TopicId topic, CommandSender& sender);
    Env dispatcher_env();

    BankOptions options_;
    Plant plant_;
    sim::SimEnv sim_;
    OtherClock other_clock_;
    std::unique_ptr<AggregateModel> account_model_;
    std::unique_ptr<log::EventLog> log_;
    std::unique_ptr<HastyLog> hasty_;
    std::unique_ptr<ForwardLog> forward_;
    std::unique_ptr<AggregateRuntime> accounts_;
    std::unique_ptr<LocalSender> sender_;
    std::unique_ptr<CommandSender> fresh_ids_;
    std::unique_ptr<CommandSender> wrapped_;
    Hosted transfers_;
    Hosted tallies_;
};

}  // namespace leftfold::testing
