// Command ids: the same id with the same content gets the same answer, however often and wherever it comes.

#include <fmt/format.h>

#include "runtime_impl.hpp"

namespace leftfold {

bool AggregateRuntime::Impl::answer_repeat(HotAggregate& aggregate, const CommandRequest& request,
                                           const AggregateCommand& command, CommandDone& done) {
    const auto found = log_.find_command(aggregate.slot, aggregate.key, request.command_id);
    if (!found) {
        fail_later(std::move(done), aggregate.slot, found.error());
        return true;
    }
    if (const auto& events = *found) {
        CommandReply reply{.outcome = CommandIdReused{}, .slot = aggregate.slot};
        if (events->payload_hash == command.hash()) {
            reply.outcome = CommandAccepted{events->last_version, events->first_version == Version(1)};
            reply.repeated = true;
        }
        reply_behind_barrier(aggregate, std::move(reply), std::move(done));
        return true;
    }

    const auto outcome = log_.find_command(outcomes_slot_of(aggregate.slot), aggregate.key, request.command_id);
    if (!outcome) {
        fail_later(std::move(done), aggregate.slot, outcome.error());
        return true;
    }
    return *outcome && answer_repeated_outcome(aggregate, command, **outcome, done);
}

bool AggregateRuntime::Impl::answer_repeated_outcome(HotAggregate& aggregate, const AggregateCommand& command,
                                                     const log::CommandEvents& found, CommandDone& done) {
    const log::Slot outcomes_slot = outcomes_slot_of(aggregate.slot);
    if (found.last_position) {
        const auto outcome = read_outcome(outcomes_slot, aggregate.key, found.last_version);
        if (!outcome) {
            fail_later(std::move(done), aggregate.slot, outcome.error());
            return true;
        }
        if (outcome->recorded_at + options_.outcomes_kept < env_.clock.now())
            return false;
        const auto standing = standing_of(aggregate, outcome->outcome);
        if (!standing) {
            fail_later(std::move(done), aggregate.slot, standing.error());
            return true;
        }
        if (*standing == Standing::is_void)
            return false;
    }

    // The first answer may still wait for the disk, and so may what it rests on.
    ++aggregate.in_flight;
    both_barriers(aggregate.slot,
                  [this, &aggregate, version = found.last_version, is_same = found.payload_hash == command.hash(),
                   done = std::move(done)](Result<> durable) mutable {
                      CommandReply reply{.outcome = CommandIdReused{}, .slot = aggregate.slot};
                      if (!durable)
                          reply.outcome = CommandFailed{std::move(durable).error()};
                      else if (is_same)
                          answer_again(aggregate, version, reply);
                      finish(aggregate, std::move(reply), std::move(done));
                  });
    return true;
}

// Everything is durable: what the outcome says now, it says for ever.
void AggregateRuntime::Impl::answer_again(const HotAggregate& aggregate, Version version, CommandReply& reply) {
    auto stored = read_outcome(outcomes_slot_of(aggregate.slot), aggregate.key, version);
    if (!stored) {
        reply.outcome = CommandFailed{std::move(stored).error()};
        return;
    }
    Outcome& outcome = stored->outcome;
    const auto standing = standing_of(aggregate, outcome);
    if (!standing) {
        reply.outcome = CommandFailed{standing.error()};
    } else if (*standing != Standing::holds) {
        reply.outcome =
            CommandFailed{Error(ErrorCode::unavailable, "the first answer to this command was lost", Retry::yes)};
    } else {
        reply.repeated = true;
        if (outcome.rejection)
            reply.outcome = CommandRejected{std::move(*outcome.rejection), outcome.version};
        else
            reply.outcome = CommandAccepted{outcome.version, false};
    }
}

Result<AggregateRuntime::Impl::StoredOutcome> AggregateRuntime::Impl::read_outcome(log::Slot outcomes_slot,
                                                                                   std::string_view key,
                                                                                   Version version) {
    LEFTFOLD_TRY(batch, log_.read_stream(outcomes_slot, key, version, 1));
    if (batch.records().empty() || batch.records().front().meta.version != version)
        return fail(ErrorCode::corrupt,
                    fmt::format("the outcome of a command is gone from version {} of its stream", version.value()));
    const Record& record = batch.records().front();
    LEFTFOLD_TRY(outcome, decode_outcome(record.payload));
    return StoredOutcome{std::move(outcome), record.meta.recorded_at};
}

Result<AggregateRuntime::Impl::Standing> AggregateRuntime::Impl::standing_of(const HotAggregate& aggregate,
                                                                             const Outcome& outcome) {
    if (outcome.version > aggregate.version)
        return Standing::is_void;
    if (outcome.version == aggregate.version)
        return outcome.last_event == aggregate.last_event ? Standing::holds : Standing::is_void;
    if (outcome.version == Version(0))
        return Standing::holds;
    LEFTFOLD_TRY(batch, log_.read_stream(aggregate.slot, aggregate.key, outcome.version, 1));
    for (const Record& record : batch.records())
        if (record.meta.version == outcome.version)
            return record.meta.id == outcome.last_event ? Standing::holds : Standing::is_void;
    return Standing::not_yet_known;
}

void AggregateRuntime::Impl::both_barriers(log::Slot slot, log::BarrierDone done) {
    const std::uint64_t join = begin_join(std::move(done));
    log_.barrier(slot, [this, join](Result<> durable) { end_join(join, std::move(durable)); });
    log_.barrier(outcomes_slot_of(slot), [this, join](Result<> durable) { end_join(join, std::move(durable)); });
}

}  // namespace leftfold
