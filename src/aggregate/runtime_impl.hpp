// The inside of AggregateRuntime, shared by its sources: runtime.cpp (loading and the steps of a command), repeats.cpp
// (command ids) and history.cpp (the past).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "leftfold/aggregate/runtime.hpp"

#include "hot_set.hpp"
#include "outcome.hpp"
#include "snapshots.hpp"

namespace leftfold {

// A request that outlives the call that brought it.
struct OwnedRequest {
    explicit OwnedRequest(const CommandRequest& request);
    CommandRequest view() const noexcept;

    std::string key, json, command_id, correlation_id, causation_id, traceparent, actor, tenant;
    std::size_t command;
    log::ExpectedVersion expected;
    std::optional<Timestamp> time;
};

class AggregateRuntime::Impl : public std::enable_shared_from_this<AggregateRuntime::Impl> {
  public:
    Impl(const Env& env, log::EventLog& log, const AggregateModel& model, TopicId topic, TopicId outcomes,
         AggregateOptions options);

    void handle(const CommandRequest& request, CommandDone done);
    void read(std::string_view key, AsOf as_of, StateDone done);

    log::Slot slot_of(std::string_view key) const noexcept;
    log::Slot outcomes_slot_of(log::Slot slot) const noexcept { return {outcomes_, slot.partition}; }

    std::size_t hot_size() const noexcept { return hot_.size(); }

    Env env_;
    log::EventLog& log_;
    const AggregateModel& model_;
    AggregateStatistics statistics_;

  private:
    // Loading.
    Result<HotAggregate*> find_hot(std::string_view key);
    HotAggregate& load(std::string_view key, log::Slot slot, Version head);
    void load_step(const std::string& key);
    void finish_load(HotAggregate& aggregate, const Result<>& result);
    void release(HotAggregate& aggregate);

    // Snapshots. Where there is none to be had, `then` is told so, in a later step as well.
    void read_snapshot(std::string_view key, SnapshotStore::ReadDone then);
    // Puts it into `state`. False, and `state` is as before, if the log does not know the event that it ends with.
    bool restore(const Snapshot& snapshot, log::Slot slot, std::string_view key, AggregateInstance& state);
    // nullptr if the next is not due yet.
    std::shared_ptr<Snapshot> snapshot_if_due(HotAggregate& aggregate);

    // The steps of a command, on a ready aggregate.
    void execute(HotAggregate& aggregate, const CommandRequest& request, const AggregateCommand& command,
                 CommandDone done);
    void append_events(HotAggregate& aggregate, const CommandRequest& request, const AggregateCommand& command,
                       const CommandContext& context, std::vector<DecidedEvent> events, CommandDone done);
    void answer_without_events(HotAggregate& aggregate, const CommandRequest& request, const AggregateCommand& command,
                               Outcome outcome, CommandDone done);

    // Answers `reply` once everything that it may rest on is durable.
    void reply_behind_barrier(HotAggregate& aggregate, CommandReply reply, CommandDone done);
    void fail_later(CommandDone done, log::Slot slot, Error error);
    void deliver_later(CommandReply reply, CommandDone done);
    // The end of a command that pinned its aggregate.
    void finish(HotAggregate& aggregate, CommandReply reply, CommandDone done);
    // A step that does nothing if the runtime is gone by then.
    void post(Step step);
    void answer_later(StateDone done, Error error);
    Uuid make_id();

    // True if the id was seen and the command is being answered from it.
    bool answer_repeat(HotAggregate& aggregate, const CommandRequest& request, const AggregateCommand& command,
                       CommandDone& done);
    bool answer_repeated_outcome(HotAggregate& aggregate, const AggregateCommand& command,
                                 const log::CommandEvents& found, CommandDone& done);
    void answer_again(const HotAggregate& aggregate, Version version, CommandReply& reply);
    struct StoredOutcome {
        Outcome outcome;
        Timestamp recorded_at;
    };
    Result<StoredOutcome> read_outcome(log::Slot outcomes_slot, std::string_view key, Version version);
    enum class Standing : std::uint8_t {
        holds,
        is_void,        // it rests on an event that a crash took away
        not_yet_known,  // that event is on its way to the disk
    };
    Result<Standing> standing_of(const HotAggregate& aggregate, const Outcome& outcome);
    // Runs `done` when both the events and the outcomes accepted so far are durable.
    void both_barriers(log::Slot slot, log::BarrierDone done);

    // One of two waits ended; the second one to end runs `done`.
    struct Join {
        int waiting = 2;
        Result<> result;
        log::BarrierDone done;
    };
    std::uint64_t begin_join(log::BarrierDone done);
    void end_join(std::uint64_t join, Result<> result);

    // The past and the present of one aggregate (history.cpp).
    void read_current(std::string_view key, StateDone done);
    void answer_state(HotAggregate& aggregate, StateDone done);
    void answer_absent(log::Slot slot, std::string_view key, StateDone done);
    struct HistoryRead;
    void history_step(std::unique_ptr<HistoryRead> history);

    const TopicId topic_;
    const TopicId outcomes_;
    const std::uint32_t partition_count_;
    const AggregateOptions options_;
    HotSet hot_;
    std::unique_ptr<SnapshotStore> snapshots_;                                       // nullptr: there are none
    std::shared_ptr<std::size_t> history_reads_ = std::make_shared<std::size_t>(0);  // outlives this in late steps
    std::map<std::uint64_t, Join> joins_;
    std::uint64_t next_join_ = 0;
    // Reused by every command.
    std::vector<EventContext> contexts_;
    std::vector<Record> records_;
};

}  // namespace leftfold
