#include <utility>

#include <fmt/format.h>

#include "leftfold/process/sender.hpp"

namespace leftfold {

namespace {

Answer failed(std::string why) {
    return {.outcome = AnswerOutcome::failed, .failure = std::move(why)};
}

// What became of an earlier try of a command that its target does not take now, or not with this content: perhaps it
// was built anew in between. Without events it had no effect, whatever it was.
Result<Answer> by_the_log(log::EventLog& log, log::Slot slot, const OutgoingCommand& command, std::string why) {
    LEFTFOLD_TRY(events, log.find_command(slot, command.key, command.id));
    if (!events)
        return failed(std::move(why));
    if (!events->last_position)
        return fail(ErrorCode::unavailable, "an earlier try is on its way to the disk", Retry::yes);
    return Answer{.outcome = AnswerOutcome::accepted, .version = events->last_version};
}

Result<Answer> answer_to(CommandReply&& reply, log::EventLog& log, const OutgoingCommand& command) {
    if (const auto* accepted = std::get_if<CommandAccepted>(&reply.outcome))
        return Answer{.outcome = AnswerOutcome::accepted, .version = accepted->version};
    if (auto* rejected = std::get_if<CommandRejected>(&reply.outcome))
        return Answer{.outcome = AnswerOutcome::rejected,
                      .rejection = std::move(rejected->rejection),
                      .version = rejected->version};
    if (const auto* malformed = std::get_if<CommandMalformed>(&reply.outcome))
        return by_the_log(log, reply.slot, command, malformed->error.message());
    if (std::holds_alternative<CommandIdReused>(reply.outcome))
        return by_the_log(log, reply.slot, command, "its id came before with another content, and had no effect");
    if (auto* error = std::get_if<CommandFailed>(&reply.outcome)) {
        if (error->error.code() == ErrorCode::too_large)
            return failed(error->error.message());
        return std::unexpected(std::move(error->error));
    }
    return fail(ErrorCode::unavailable, "the aggregate has moved on", Retry::yes);
}

}  // namespace

void LocalSender::add(AggregateRuntime& runtime) {
    runtimes_.emplace(runtime.model().name(), &runtime);
}

Result<> LocalSender::check(std::string_view aggregate, std::string_view command) const {
    const auto found = runtimes_.find(aggregate);
    if (found == runtimes_.end())
        return fail(ErrorCode::not_found,
                    fmt::format("there is no aggregate '{}' here to send '{}' to", aggregate, command));
    for (const CommandType& type : found->second->model().routed_commands())
        if (type.name == command)
            return {};
    return fail(ErrorCode::not_found, fmt::format("aggregate '{}' has no command '{}'", aggregate, command));
}

void LocalSender::send(const OutgoingCommand& command, CommandAnswered answered) {
    if (auto possible = check(command.aggregate, command.command); !possible) {
        scheduler_.post([answered = std::move(answered), error = std::move(possible).error()]() mutable {
            answered(std::unexpected(std::move(error)));
        });
        return;
    }
    AggregateRuntime& runtime = *runtimes_.find(command.aggregate)->second;
    runtime.handle({.key = command.key,
                    .command = runtime.model().find_command(command.command).value(),
                    .json = command.json,
                    .command_id = command.id,
                    .time = {},
                    .correlation_id = command.correlation_id,
                    .causation_id = command.causation_id,
                    .traceparent = command.traceparent,
                    .actor = command.actor,
                    .tenant = command.tenant},
                   [&log = log_, command, answered = std::move(answered)](CommandReply reply) mutable {
                       answered(answer_to(std::move(reply), log, command));
                   });
}

}  // namespace leftfold
