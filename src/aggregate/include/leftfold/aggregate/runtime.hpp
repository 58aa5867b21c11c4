// AggregateRuntime: commands in, events kept. It owns the aggregates of one type on one shard.
//
// A command passes these steps, in this order: read (400), load the state, repeat? (the first answer again, or 422),
// expected version (412), decide, append, reply. Decisions run ahead of the disk; every answer that rests on state not
// yet durable waits until it is: acceptances, refusals, conflicts and reads alike. If an append fails, the state folded
// from it is thrown away, and all that waited behind it fail too.
//
// Thread rule: everything on the thread of the shard's scheduler. Callbacks never come within the call that takes them.
// Life cycle: stop the log first (so that every callback has come), then destroy.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "leftfold/aggregate/model.hpp"
#include "leftfold/env/env.hpp"
#include "leftfold/event/event_stream.hpp"
#include "leftfold/log/event_log.hpp"

namespace leftfold {

struct AggregateOptions {
    // Aggregates whose state is kept in memory; the others are read from the log when a command comes. Per type.
    std::size_t hot_aggregates_max = 10'000;
    // Commands of one aggregate that may wait for the disk, or for its state to be read: then `too many`. Keeps one hot
    // aggregate from taking all the memory there is.
    std::size_t commands_in_flight_max = 4'096;
    // Questions about the past that are being read for, all aggregates together: then `unavailable`.
    std::size_t history_reads_max = 256;
    // How long the answer to a refused or eventless command is remembered, on the recorded clock.
    std::chrono::hours outcomes_kept = std::chrono::hours(7 * 24);
    // Of a stream, read and folded in one turn; then others have theirs.
    std::size_t bytes_per_turn = log::kReadBytesDefault;
    // Where snapshots are kept, so that a long stream is not read from its beginning; may be deleted at any time.
    // Empty: there are none. They are believed only by the build that wrote them, or, where the aggregate declares
    // `static constexpr std::uint32_t snapshot_version`, as long as that and the shape of its state stay the same.
    std::string snapshot_folder = {};
    // One after so many events of an aggregate.
    std::int64_t snapshot_every = 1'000;
};

// Views are copied before handle() returns, where it keeps them.
struct CommandRequest {
    std::string_view key;
    std::size_t command = 0;  // index into the model's commands()
    std::string_view json;    // its body
    // Chosen by the client: then repeats are recognised. Empty: the runtime makes one.
    std::string_view command_id;
    log::ExpectedVersion expected = log::ExpectedVersion::any();
    std::optional<Timestamp> time;  // none: now
    std::string_view correlation_id;
    std::string_view causation_id;
    std::string_view traceparent;
    std::string_view actor;
    std::string_view tenant;
};

// The command's events are durable; or it had none, and that is.
struct CommandAccepted {
    Version version;  // of the aggregate after the command
    bool created = false;
};
struct CommandRejected {
    Rejection rejection;
    Version version;  // that the decision saw
};
// The expected version did not hold.
struct CommandConflict {
    Version current;
};
// The same id came before with another command or content.
struct CommandIdReused {};
// The body is not such a command.
struct CommandMalformed {
    json::ReadError error;
};
// Not answered: `overloaded` (this aggregate alone has too many waiting), `too_large`, `unavailable` (perhaps written,
// or its partition is overloaded: ask again with the same id), `no_space`, `read_only`, `corrupt`, or `user_code` for
// decide or evolve that threw.
struct CommandFailed {
    Error error;
};

struct CommandReply {
    std::variant<CommandAccepted, CommandRejected, CommandConflict, CommandIdReused, CommandMalformed, CommandFailed>
        outcome;
    bool repeated = false;  // the answer to an earlier command with this id
    log::Slot slot = {};
    Position position = {};  // behind all that the answer rests on
};
using CommandDone = std::move_only_function<void(CommandReply)>;

// Which past is asked for. Inclusive.
struct AsOfVersion {
    Version version;
};
struct AsOfTime {  // by when events happened
    Timestamp time;
};
struct AsOfRecorded {  // by when the log took them
    Timestamp time;
};
using AsOf = std::variant<std::monostate, AsOfVersion, AsOfTime, AsOfRecorded>;

struct StateReply {
    std::string members;  // the state's fields as JSON members, without the braces
    Version version;      // of the last event folded
    log::Slot slot = {};
    Position position = {};
};
// not_found: no such aggregate, or none at that time.
using StateDone = std::move_only_function<void(Result<StateReply>)>;

struct AggregateStatistics {
    std::uint64_t loads = 0;
    std::uint64_t loads_from_snapshot = 0;
    std::size_t hot = 0;
};

class AggregateRuntime {
  public:
    // The model, the log and the env are borrowed. `topic` holds the events; `outcomes`, with the same partitions, the
    // answers to commands without events.
    AggregateRuntime(const Env& env, log::EventLog& log, const AggregateModel& model, TopicId topic, TopicId outcomes,
                     AggregateOptions options);
    ~AggregateRuntime();
    AggregateRuntime(const AggregateRuntime&) = delete;
    AggregateRuntime& operator=(const AggregateRuntime&) = delete;

    const AggregateModel& model() const noexcept;
    log::Slot slot_of(std::string_view key) const noexcept;

    void handle(const CommandRequest& request, CommandDone done);
    void read(std::string_view key, AsOf as_of, StateDone done);

    const AggregateStatistics& statistics() const noexcept;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;  // its steps know by it whether they come too late
};

// Of the companion of topic_name(): "bank.account.outcomes".
std::string outcomes_topic_name(std::string_view application, std::string_view aggregate);

}  // namespace leftfold
