#include "leftfold/aggregate/testing.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace leftfold::detail {

namespace {
constexpr std::string_view kKey = "test";
}

Scenario::Scenario(std::unique_ptr<AggregateModel> model) : model_(std::move(model)), instance_(model_->initial()) {}

std::string Scenario::told(const ScenarioEvent& event) const {
    return fmt::format("  {} {}\n", event.type.substr(event.type.rfind('.') + 1), event.payload);
}

void Scenario::given(ScenarioEvent event) {
    if (version_ == 0)
        story_ = "given\n";
    story_ += told(event);
    Record record;
    record.meta.type = event.type;
    record.meta.type_version = event.type_version;
    record.meta.key = kKey;
    record.meta.version = Version(++version_);
    record.meta.time = time;
    record.payload = event.payload;
    if (const auto applied = instance_->apply(record); !applied)
        throw ScenarioFailed(story_ + applied.error().message());
}

void Scenario::when(std::size_t command, std::string json_text) {
    story_ += fmt::format("when\n  {} {}\n", model_->commands()[command].name, json_text);
    auto read = model_->read_command(command, json_text);
    if (!read)
        throw ScenarioFailed(story_ + "no client could send this command: " + read.error().message());
    command_ = *std::move(read);
}

void Scenario::decide() {
    const CommandContext context{
        .id = "test-command", .key = kKey, .version = Version(version_), .time = time, .actor = actor};
    auto decided = instance_->decide(*command_, context);
    if (!decided) {
        rejection_ = std::move(decided).error();
        return;
    }
    std::vector<EventContext> contexts;
    for (DecidedEvent& event : *decided) {
        events_.push_back({std::string(event.type), event.type_version, std::move(event.payload)});
        contexts.push_back({.id = {}, .key = kKey, .version = Version(++version_), .time = time, .actor = actor});
    }
    instance_->apply_decided(contexts);
}

std::string Scenario::outcome() const {
    if (rejection_)
        return fmt::format("  rejected: {} {{{}}}\n", rejection_->reason(), rejection_->details());
    std::string text;
    for (const ScenarioEvent& event : events_)
        text += told(event);
    return text.empty() ? "  nothing\n" : text;
}

void Scenario::failed(std::string_view expected) const {
    throw ScenarioFailed(fmt::format("not as expected:\n{}then expected\n{}but was\n{}", story_, expected, outcome()));
}

void Scenario::then(std::span<const ScenarioEvent> expected) {
    decide();
    if (!rejection_ && std::ranges::equal(expected, events_))
        return;
    std::string text;
    for (const ScenarioEvent& event : expected)
        text += told(event);
    failed(text.empty() ? "  nothing\n" : text);
}

void Scenario::then_rejected(std::string_view reason) {
    decide();
    if (!rejection_ || rejection_->reason() != reason)
        failed(fmt::format("  rejected: {}\n", reason));
}

void Scenario::then_rejected(const Rejection& expected) {
    decide();
    if (rejection_ != expected)
        failed(fmt::format("  rejected: {} {{{}}}\n", expected.reason(), expected.details()));
}

std::string Scenario::state() const {
    std::string json_text;
    instance_->write_state(json_text);
    return json_text;
}

}  // namespace leftfold::detail
