// The commands that no route reaches, as JSON, and the other parts of TypedProcess that are not templates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/aggregate/context.hpp"
#include "leftfold/aggregate/model.hpp"
#include "leftfold/event/json.hpp"
#include "leftfold/event/payload_hash.hpp"
#include "leftfold/process/steps.hpp"
#include "leftfold/process/stored.hpp"

namespace leftfold::process {

struct EventInput {
    std::string topic;
    std::string type;  // stored name
    Uuid id;
    std::string key;
    std::int64_t version = 0;
    Timestamp time;
    std::string actor;
    std::string data;  // JSON of the event
};
struct AnswerInput {
    std::int64_t request = 0;
    AnswerOutcome outcome = AnswerOutcome::accepted;
    std::string reason;
    std::string details;  // JSON members, without the braces
    std::string failure;
    std::int64_t version = 0;
};
struct TimerInput {
    std::int64_t timer = 0;
};

std::vector<CommandType> input_command_types();

PayloadHash identity_of(const EventInput& input);
PayloadHash identity_of(const AnswerInput& input);
PayloadHash identity_of(const TimerInput& input);

std::string event_json(std::string_view topic, const EventMeta& meta, std::string data);
EventContext context_of(const EventInput& input) noexcept;
Answer answer_of(const AnswerInput& input);

CommandRequested requested(OutgoingStep step, json::Reader& reader);
// Those that are cancelled, and those whose names are taken by new ones; without the one that has fired just now.
std::vector<TimerCancelled> timers_ended_by(const Effects& effects, const Book& book, std::int64_t fired);
// One a name: the last.
std::vector<TimerSet> timers_set_by(const Effects& effects);

std::string instance_threw(const Record& record, std::string_view what);
std::string evolve_threw(Version version, std::string_view what);
// Within decide, whose caller takes what is thrown for what it is.
[[noreturn]] void throw_unreadable(std::string_view what, const json::ReadError& why);
[[noreturn]] void throw_not_heard(const EventInput& input);
[[noreturn]] void throw_not_sent(const CommandRequested& request);

}  // namespace leftfold::process
