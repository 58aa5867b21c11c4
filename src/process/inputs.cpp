#include "leftfold/process/inputs.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "leftfold/event/shape.hpp"

namespace leftfold::process {

namespace {

// With a dot: no struct of a user has such a name.
constexpr std::string_view kEventCommand = "process.event";
constexpr std::string_view kAnswerCommand = "process.answer";
constexpr std::string_view kTimerCommand = "process.timer";

}  // namespace

std::vector<CommandType> input_command_types() {
    return {{std::string(kEventCommand), shape_of<EventInput>(), false},
            {std::string(kAnswerCommand), shape_of<AnswerInput>(), false},
            {std::string(kTimerCommand), shape_of<TimerInput>(), false}};
}

PayloadHash identity_of(const EventInput& input) {
    return payload_hash(kEventCommand, fmt::format("{}/{}/{}", input.topic, input.key, input.version));
}
PayloadHash identity_of(const AnswerInput& input) {
    return payload_hash(kAnswerCommand, fmt::format("{}", input.request));
}
PayloadHash identity_of(const TimerInput& input) {
    return payload_hash(kTimerCommand, fmt::format("{}", input.timer));
}

std::string event_json(std::string_view topic, const EventMeta& meta, std::string data) {
    return json::to_string(EventInput{.topic = std::string(topic),
                                      .type = std::string(meta.type),
                                      .id = meta.id,
                                      .key = std::string(meta.key),
                                      .version = meta.version.value(),
                                      .time = meta.time,
                                      .actor = std::string(meta.actor),
                                      .data = std::move(data)});
}

EventContext context_of(const EventInput& input) noexcept {
    return {
        .id = input.id, .key = input.key, .version = Version(input.version), .time = input.time, .actor = input.actor};
}

Answer answer_of(const AnswerInput& input) {
    Answer answer{.outcome = input.outcome, .failure = input.failure, .version = Version(input.version)};
    if (input.outcome == AnswerOutcome::rejected)
        answer.rejection = Rejection::recorded(input.reason, input.details);
    return answer;
}

CommandRequested requested(OutgoingStep step, json::Reader& reader) {
    auto body = json::Value::parse(step.body, reader);
    if (!body)
        throw std::invalid_argument(fmt::format("the command '{}' for {} '{}' has no JSON form: {}", step.command,
                                                step.aggregate, step.key, body.error().message()));
    if (step.key.empty())
        throw std::invalid_argument(fmt::format("the command '{}' for {} has an empty key: to which one is it sent?",
                                                step.command, step.aggregate));
    return {std::string(step.aggregate), std::move(step.key), std::string(step.command), *std::move(body)};
}

std::vector<TimerCancelled> timers_ended_by(const Effects& effects, const Book& book, std::int64_t fired) {
    std::vector<TimerCancelled> ended;
    const auto end = [&](std::string_view name) {
        const OpenTimer* timer = book.find_timer(name);
        if (timer != nullptr && timer->version != fired &&
            std::ranges::find(ended, timer->version, &TimerCancelled::timer) == ended.end())
            ended.push_back({timer->name, timer->version});
    };
    for (const std::string& name : effects.cancelled)
        end(name);
    for (const TimerStep& timer : effects.timers)
        end(timer.name);
    return ended;
}

std::vector<TimerSet> timers_set_by(const Effects& effects) {
    std::vector<TimerSet> timers;
    for (const TimerStep& step : effects.timers) {
        std::erase_if(timers, [&](const TimerSet& timer) { return timer.name == step.name; });
        timers.push_back({step.name, std::max<std::int64_t>(step.delay.count(), 0)});
    }
    return timers;
}

std::string instance_threw(const Record& record, std::string_view what) {
    return fmt::format("instance() threw for event {} of '{}' ({}): {}", record.meta.version.value(), record.meta.key,
                       record.meta.type, what);
}

std::string evolve_threw(Version version, std::string_view what) {
    return fmt::format("evolve threw at version {}: {}", version.value(), what);
}

void throw_unreadable(std::string_view what, const json::ReadError& why) {
    throw std::runtime_error(fmt::format("'{}' does not read as its struct is today: {}", what, why.message()));
}

void throw_not_heard(const EventInput& input) {
    throw std::runtime_error(fmt::format("this build has no on_event for '{}'", input.type));
}

void throw_not_sent(const CommandRequested& request) {
    throw std::runtime_error(fmt::format(
        "the command '{}' of {} was sent and is answered, but 'using Sends' names it no more: put it back until no "
        "instance waits for its answer",
        request.command, request.aggregate));
}

}  // namespace leftfold::process
