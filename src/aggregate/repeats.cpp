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
    if (outcome_expired(outcomes_slot, aggregate.key, found))
        return false;
    if (found.payload_hash != command.hash()) {
        reply_behind_barrier(aggregate, {.outcome = CommandIdReused{}, .slot = aggregate.slot}, std::move(done));
        return true;
    }

    // The first answer may still wait for the disk: its outcome can be read only behind it.
    ++aggregate.in_flight;
    both_barriers(aggregate.slot, [this, &aggregate, outcomes_slot, version = found.last_version,
                                   done = std::move(done)](Result<> durable) mutable {
        CommandReply reply{.outcome = CommandAccepted{}, .repeated = true, .slot = aggregate.slot};
        Result<Outcome> outcome = durable ? read_outcome(outcomes_slot, aggregate.key, version)
                                          : Result<Outcome>(std::unexpected(std::move(durable).error()));
        if (!outcome) {
            reply.outcome = CommandFailed{std::move(outcome).error()};
            reply.repeated = false;
        } else {
            reply.position = log_.bounds(reply.slot)->durable_end;
            if (outcome->rejection)
                reply.outcome = CommandRejected{std::move(*outcome->rejection), outcome->version};
            else
                reply.outcome = CommandAccepted{outcome->version, false};
        }
        release(aggregate);
        deliver(std::move(reply), done);
    });
    return true;
}

bool AggregateRuntime::Impl::outcome_expired(log::Slot outcomes_slot, std::string_view key,
                                             const log::CommandEvents& found) {
    if (!found.last_position)
        return false;
    const auto batch = log_.read_stream(outcomes_slot, key, found.last_version, 1);
    return batch && !batch->records().empty() &&
           batch->records().front().meta.recorded_at + options_.outcomes_kept < env_.clock.now();
}

Result<Outcome> AggregateRuntime::Impl::read_outcome(log::Slot outcomes_slot, std::string_view key, Version version) {
    LEFTFOLD_TRY(batch, log_.read_stream(outcomes_slot, key, version, 1));
    if (batch.records().empty() || batch.records().front().meta.version != version)
        return fail(ErrorCode::corrupt, fmt::format("the outcome of a command is gone from version {} of its stream",
                                                    version.value()));
    return decode_outcome(batch.records().front().payload);
}

void AggregateRuntime::Impl::both_barriers(log::Slot slot, log::BarrierDone done) {
    const std::uint64_t join = begin_join(std::move(done));
    log_.barrier(slot, [this, join](Result<> durable) { end_join(join, std::move(durable)); });
    log_.barrier(outcomes_slot_of(slot), [this, join](Result<> durable) { end_join(join, std::move(durable)); });
}

}  // namespace leftfold
