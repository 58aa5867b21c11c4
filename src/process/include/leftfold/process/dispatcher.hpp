// ProcessDispatcher: makes what the instances of one process type ask for happen, on one shard. It folds their topic
// into rows: the commands without an answer, the timers that wait. Outstanding commands go to a CommandSender, and the
// answer back to the instance; a timer that is due goes to its instance; so do the events of other streams that it
// hears.
//
// Nothing is sent before the event that asks for it is durable, and nothing before the rows have caught up with what
// the log held at the start: what an earlier life has done is not done again. What is in doubt after a crash is sent
// again with the same id, and the receiver knows the repeat.
//
// The rows are a fold: the folder may be deleted, and rows of another log, another format or damaged are. (The events
// of other streams are then heard again, from the first, as repeats.) In memory are only the commands and timers in
// flight, those waiting to be tried again, and a window of each stream heard; each bounded.
//
// A timer fires when Clock::now(), which stamps recorded_at, has passed the recorded_at of its event + its delay.
//
// What fails is tried again with back-off, and slowly where somebody must act first (decide threw, no such aggregate):
// see status(), commands() and on_trouble().
//
// Thread rule: everything on the thread of the shard's scheduler; callbacks are later steps of it. `open_store` is
// called on a worker. Life cycle: start(), then stop() and wait for it, before the log is stopped. It ends before the
// log and the runtime do, also after a crash in a test, without stop().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/aggregate/runtime.hpp"
#include "leftfold/env/env.hpp"
#include "leftfold/log/event_log.hpp"
#include "leftfold/process/model.hpp"
#include "leftfold/process/sender.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold {

struct ProcessOptions {
    std::string folder = {};  // of this process type alone: "<data>/processes/transfer"
    // Opens the store in this file, making it where it is missing.
    std::function<Result<std::unique_ptr<rows::RowStore>>(const std::string& path, const rows::Schema& schema)>
        open_store = {};

    std::size_t commands_in_flight_max = 256;
    std::size_t timers_in_flight_max = 256;
    std::size_t inputs_in_flight_max = 256;  // of each partition of a stream heard
    // Commands, and timers, that wait to be tried again. With so many no new ones are begun.
    std::size_t retries_max = 10'000;
    Duration retry_first = std::chrono::milliseconds(100);  // doubles
    Duration retry_max = std::chrono::seconds(30);
    Duration slow_retry_first = std::chrono::seconds(10);
    Duration slow_retry_max = std::chrono::minutes(10);
    // How long a timer may oversleep where somebody sets the machine's clock ahead.
    Duration clock_check_every = std::chrono::seconds(1);
    // How long the positions of streams heard may stay unwritten while nothing else is.
    Duration positions_every = std::chrono::seconds(1);
    std::size_t batch_bytes_max = 256U << 10U;  // of events, read in one turn and folded in one transaction
};

// For the runtime of a process type: an input that changed nothing must be known as long as it may come again, which is
// for ever, since the rows may be deleted.
AggregateOptions options_of_process(AggregateOptions options);

// A command without an answer.
struct OutstandingCommand {
    std::string instance;
    Version version;  // of the event that asked for it
    std::string aggregate;
    std::string key;
    std::string command;
    std::string body;
    Timestamp requested_at;
    bool is_in_flight = false;
    std::uint32_t failures = 0;  // in this life of the program
    std::string last_error = {};
};

struct WaitingTimer {
    std::string instance;
    Version version;  // of the event that set it
    std::string name;
    Timestamp due;
    bool is_in_flight = false;
    std::uint32_t failures = 0;
    std::string last_error = {};
};

// A partition of a stream that the process hears.
struct InputProgress {
    std::string topic;
    PartitionId partition;
    Position position;            // all before it has been taken
    Position durable_end;         // of the log
    std::string last_error = {};  // of what is being tried again; empty: all is well
};

struct ProcessStatus {
    std::string name;
    bool is_caught_up = false;
    std::size_t commands_in_flight = 0;
    std::size_t commands_retrying = 0;
    std::size_t timers_in_flight = 0;
    std::size_t timers_retrying = 0;
    std::int64_t lag = 0;  // events of its own topic that are not folded yet
    std::vector<InputProgress> inputs = {};
    std::string trouble = {};  // with the rows; empty: all is well
};

struct ProcessStatistics {
    std::uint64_t commands_sent = 0;  // tries again included
    std::uint64_t answers = 0;
    std::uint64_t timers_fired = 0;
    std::uint64_t inputs = 0;
    std::uint64_t repeats = 0;  // of these three: the instance knew it already
    std::uint64_t failures = 0;
    std::uint64_t commits = 0;
    std::uint64_t rebuilds = 0;  // of damaged rows, or of another log
};

class ProcessDispatcher {
  public:
    // All borrowed but the options. `topic` and `runtime` are those of the process type.
    ProcessDispatcher(const Env& env, log::EventLog& log, const ProcessModel& model, TopicId topic,
                      AggregateRuntime& runtime, CommandSender& sender, ProcessOptions options);
    ~ProcessDispatcher();
    ProcessDispatcher(const ProcessDispatcher&) = delete;
    ProcessDispatcher& operator=(const ProcessDispatcher&) = delete;

    // Something that is tried again slowly, since somebody must act; the app logs it. Set before start().
    using Trouble = std::move_only_function<void(const std::string& what, const Error& error)>;
    void on_trouble(Trouble trouble);

    // invalid_argument: the log has no topic that it hears, or it hears its own.
    Result<> start();
    // Begins nothing new, closes the rows, then `stopped`. What is in flight is in doubt, as after a crash.
    void stop(Step stopped);

    // For operators. unavailable: the rows are being opened.
    ProcessStatus status() const;
    const ProcessStatistics& statistics() const noexcept;
    struct Counts {
        std::uint64_t commands = 0;
        std::uint64_t timers = 0;
    };
    Result<Counts> count();
    // Of one instance; empty: of all, oldest first by instance. Behind `after`, if given: instance and version.
    struct Page {
        std::string instance = {};
        std::optional<std::pair<std::string, Version>> after = {};
        std::size_t limit = 100;
    };
    Result<std::vector<OutstandingCommand>> commands(const Page& page);
    // Of one instance by version; of all by due time, and behind `after` as well.
    struct TimerPage {
        std::string instance = {};
        std::optional<WaitingTimer> after = {};
        std::size_t limit = 100;
    };
    Result<std::vector<WaitingTimer>> timers(const TimerPage& page);

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;  // its steps know by it whether they come too late
};

}  // namespace leftfold
