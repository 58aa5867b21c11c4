#include "leftfold/process/model.hpp"

#include <fmt/format.h>

#include "leftfold/aggregate/runtime.hpp"
#include "leftfold/process/inputs.hpp"

namespace leftfold {

ProcessModel::ProcessModel(std::string_view application, std::string_view name)
    : name_(name), topic_(topic_name(application, name)) {}

// A topic has a dot, and none of the words below: no two ids of different kinds are the same. Nothing is hashed, since
// who can choose keys could make hashes collide.
std::string ProcessModel::id_of_command(std::string_view instance, Version version) const {
    return fmt::format("{}{}/{}/{}", kDerivedIdPrefix, topic_, instance, version.value());
}

std::string ProcessModel::id_of_event(std::string_view topic, const EventMeta& meta) {
    return fmt::format("{}event/{}/{}/{}", kDerivedIdPrefix, topic, meta.key, meta.version.value());
}

std::string ProcessModel::id_of_answer(Version request) {
    return fmt::format("{}answer/{}", kDerivedIdPrefix, request.value());
}

std::string ProcessModel::id_of_timer(Version timer) {
    return fmt::format("{}timer/{}", kDerivedIdPrefix, timer.value());
}

std::string ProcessModel::answer_json(Version request, const Answer& answer) {
    process::AnswerInput input{.request = request.value(),
                               .outcome = answer.outcome,
                               .reason = std::string(answer.reason()),
                               .details = answer.rejection ? answer.rejection->details() : std::string(),
                               .failure = answer.failure,
                               .version = answer.version.value()};
    return json::to_string(input);
}

std::string ProcessModel::timer_json(Version timer) {
    return json::to_string(process::TimerInput{.timer = timer.value()});
}

}  // namespace leftfold
