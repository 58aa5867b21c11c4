#include "driver.hpp"

#include <fmt/format.h>

#include "leftfold/sim/clock.hpp"

namespace leftfold::simulation {

namespace {

std::string body_of(const Ask& ask) {
    switch (ask.verb) {
        case Verb::open:
            return fmt::format(R"({{"tag":{},"limit":{},"opening":{}}})", ask.tag, ask.limit, ask.amount);
        case Verb::deposit:
            return fmt::format(R"({{"tag":{},"amount":{},"note":"{}"}})", ask.tag, ask.amount,
                               std::string(ask.note_bytes, 'x'));
        case Verb::withdraw:
            return fmt::format(R"({{"tag":{},"amount":{}}})", ask.tag, ask.amount);
        case Verb::close:
        case Verb::look:
        case Verb::read:
            break;
    }
    return fmt::format(R"({{"tag":{}}})", ask.tag);
}

log::ExpectedVersion expectation_of(const Ask& ask) {
    if (ask.expected == -1)
        return log::ExpectedVersion::any();
    if (ask.expected == -2)
        return log::ExpectedVersion::exists();
    return log::ExpectedVersion::exactly(Version(ask.expected));
}

Told failure(const Error& error) {
    const bool is_not_done = error.code() == ErrorCode::no_space || error.code() == ErrorCode::read_only ||
                             error.code() == ErrorCode::overloaded || error.code() == ErrorCode::too_large;
    return {.kind = is_not_done ? Told::Kind::not_done : Told::Kind::unknown, .text = error.message()};
}

struct Translate {
    Told operator()(const CommandAccepted& accepted) const {
        return {.kind = Told::Kind::accepted, .version = accepted.version.value()};
    }
    Told operator()(const CommandRejected& rejected) const {
        return {.kind = Told::Kind::rejected,
                .version = rejected.version.value(),
                .text = fmt::format("{}{{{}}}", rejected.rejection.reason(), rejected.rejection.details())};
    }
    Told operator()(const CommandConflict& conflict) const {
        return {.kind = Told::Kind::conflict, .version = conflict.current.value()};
    }
    Told operator()(const CommandIdReused&) const { return {.kind = Told::Kind::id_reused}; }
    Told operator()(const CommandMalformed& malformed) const { return {.text = malformed.error.problem}; }
    Told operator()(const CommandFailed& failed) const { return failure(failed.error); }
};

Told told_of(const CommandReply& reply) {
    Told told = std::visit(Translate(), reply.outcome);
    told.repeated = reply.repeated;
    return told;
}

Told told_of(const Result<StateReply>& reply) {
    if (reply)
        return {.kind = Told::Kind::state, .version = reply->version.value(), .text = reply->members};
    if (reply.error().code() == ErrorCode::not_found)
        return {.kind = Told::Kind::not_found};
    return failure(reply.error());
}

}  // namespace

void send(AggregateRuntime& runtime, const Ask& ask, ToldDone done) {
    if (ask.verb == Verb::read) {
        runtime.read(ask.key, {},
                     [done = std::move(done)](const Result<StateReply>& reply) mutable { done(told_of(reply)); });
        return;
    }
    const std::string body = body_of(ask);
    CommandRequest request;
    request.key = ask.key;
    request.command = static_cast<std::size_t>(ask.verb);
    request.json = body;
    request.command_id = ask.id;
    request.expected = expectation_of(ask);
    if (ask.tag % 3 == 0)  // happened earlier than it is told, the same in every attempt
        request.time = sim::kSimStart - std::chrono::seconds(ask.tag % 60);
    runtime.handle(request, [done = std::move(done)](const CommandReply& reply) mutable { done(told_of(reply)); });
}

}  // namespace leftfold::simulation
