#include "leftfold/process/testing.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace leftfold::process {

namespace {

constexpr std::string_view kKey = "test";

std::string duration_text(std::int64_t micros) {
    if (micros % 1'000'000 == 0)
        return fmt::format("{} s", micros / 1'000'000);
    return fmt::format("{} us", micros);
}

std::string lines_of(const std::vector<ScenarioStep>& steps) {
    std::string text;
    for (const ScenarioStep& step : steps)
        text += step.line;
    return text.empty() ? "  nothing\n" : text;
}

// The order in which they are stored; among their kind as they came.
std::vector<ScenarioStep> by_kind(const std::vector<ScenarioStep>& steps) {
    using Kind = ScenarioStep::Kind;
    std::vector<ScenarioStep> sorted;
    for (const Kind kind : {Kind::event, Kind::cancelled, Kind::sent, Kind::timer})
        std::ranges::copy_if(steps, std::back_inserter(sorted),
                             [kind](const ScenarioStep& step) { return step.kind == kind; });
    return sorted;
}

std::string answer_text(const Answer& answer) {
    if (answer.accepted())
        return "accepted";
    if (answer.failed())
        return "failed: " + answer.failure;
    return fmt::format("rejected: {} {{{}}}", answer.reason(), answer.rejection ? answer.rejection->details() : "");
}

}  // namespace

ScenarioStep sent_step(const CommandRequested& request) {
    return {.kind = ScenarioStep::Kind::sent,
            .line = fmt::format("  sends {} '{}' {} {}\n", request.aggregate, request.key, request.command,
                                request.body.to_string()),
            .type = std::string(CommandRequested::event_name),
            .payload = json::to_string(request)};
}

ScenarioStep timer_step(const TimerSet& timer) {
    return {.kind = ScenarioStep::Kind::timer,
            .line = fmt::format("  sets timer '{}' in {}\n", timer.name, duration_text(timer.delay_us)),
            .type = std::string(TimerSet::event_name),
            .payload = json::to_string(timer)};
}

ScenarioStep cancelled_step(std::string_view name) {
    return {.kind = ScenarioStep::Kind::cancelled,
            .line = fmt::format("  cancels timer '{}'\n", name),
            .type = std::string(TimerCancelled::event_name),
            .payload = {}};
}

ScenarioStep event_step(std::string_view name, std::uint32_t version, std::string payload) {
    std::string line = fmt::format("  {} {}\n", name, payload);
    return {.kind = ScenarioStep::Kind::event,
            .line = std::move(line),
            .type = std::string(name),
            .type_version = version,
            .payload = std::move(payload)};
}

Scenario::Scenario(std::unique_ptr<ProcessModel> model) : model_(std::move(model)), instance_(model_->initial()) {}

void Scenario::apply(const ScenarioStep& step) {
    const std::string type = model_->topic() + "." + step.type;
    Record record;
    record.meta.type = type;
    record.meta.type_version = step.type_version;
    record.meta.key = kKey;
    record.meta.version = Version(++version_);
    record.meta.time = time;
    record.payload = step.payload;
    if (const auto applied = instance_->apply(record); !applied)
        throw ScenarioFailed(story_ + applied.error().message());
    if (step.kind == ScenarioStep::Kind::sent)
        book_.apply(json::read<CommandRequested>(step.payload, json::Strictness::strict).value(), record.meta.version);
    if (step.kind == ScenarioStep::Kind::timer)
        book_.apply(json::read<TimerSet>(step.payload, json::Strictness::strict).value(), record.meta.version);
}

void Scenario::given(const ScenarioStep& step) {
    if (version_ == 0)
        story_ = "given\n";
    story_ += step.line;
    if (step.kind == ScenarioStep::Kind::cancelled)
        throw ScenarioFailed(story_ + "give no timer that is not to wait any more");
    apply(step);
}

void Scenario::prepare(std::size_t command, const std::string& json_text) {
    auto read = model_->read_command(command, json_text);
    if (!read)
        throw ScenarioFailed(story_ + "no client could send this command: " + read.error().message());
    command_ = *std::move(read);
}

void Scenario::when(std::string_view command, std::string json_text) {
    story_ += fmt::format("when\n  {} {}\n", command, json_text);
    prepare(model_->find_command(command).value(), json_text);
}

void Scenario::when(const AnswerWhen& answer) {
    const auto is_the_one = [&](const OpenRequest& open) {
        return open.request.aggregate == answer.request.aggregate && open.request.command == answer.request.command &&
               open.request.body == answer.request.body;
    };
    auto open = std::ranges::find_if(book_.requests, is_the_one);
    if (open == book_.requests.end()) {
        CommandRequested request = answer.request;
        request.key = kKey;
        apply(sent_step(request));
        open = std::prev(book_.requests.end());
    }
    story_ += fmt::format("when\n  {} {} is {}\n", answer.request.command, answer.request.body.to_string(),
                          answer_text(answer.answer));
    prepare(model_->answer_command(), ProcessModel::answer_json(Version(open->version), answer.answer));
}

void Scenario::when(const TimerWhen& timer) {
    if (book_.find_timer(timer.name) == nullptr)
        apply(timer_step({timer.name, 0}));
    story_ += fmt::format("when\n  timer '{}' is due\n", timer.name);
    prepare(model_->timer_command(), ProcessModel::timer_json(Version(book_.find_timer(timer.name)->version)));
}

void Scenario::when_event(std::string_view topic, std::string_view key, const ScenarioStep& event) {
    story_ += fmt::format("when\n  in {} of '{}':\n{}", topic, key, event.line);
    const std::string type = fmt::format("{}.{}", topic, event.type);
    Record record;
    record.meta.type = type;
    record.meta.type_version = event.type_version;
    record.meta.key = key;
    record.meta.version = Version(1);
    record.meta.time = time;
    record.payload = event.payload;
    const auto input = model_->route_input(record);
    if (!input)
        throw ScenarioFailed(story_ + input.error().message());
    if (*input)
        prepare(model_->event_command(), (*input)->json);
    else
        story_ += "  which is for no instance\n";
}

void Scenario::decide() {
    if (command_ == nullptr)
        return;
    const CommandContext context{
        .id = "test-command", .key = kKey, .version = Version(version_), .time = time, .actor = actor};
    auto decided = instance_->decide(*command_, context);
    if (!decided) {
        rejection_ = std::move(decided).error();
        return;
    }
    std::vector<EventContext> contexts;
    for (const DecidedEvent& event : *decided) {
        contexts.push_back({.id = {}, .key = kKey, .version = Version(++version_), .time = time, .actor = actor});
        take(event);
    }
    instance_->apply_decided(contexts);
}

void Scenario::take(const DecidedEvent& event) {
    const std::string_view type = event.type.substr(model_->topic().size() + 1);
    if (type == CommandRequested::event_name)
        steps_.push_back(sent_step(json::read<CommandRequested>(event.payload, json::Strictness::strict).value()));
    else if (type == TimerSet::event_name)
        steps_.push_back(timer_step(json::read<TimerSet>(event.payload, json::Strictness::strict).value()));
    else if (type == TimerCancelled::event_name)
        steps_.push_back(
            cancelled_step(json::read<TimerCancelled>(event.payload, json::Strictness::strict).value().name));
    else if (type != Answered::event_name && type != TimerFired::event_name)
        steps_.push_back(event_step(type, event.type_version, event.payload));
}

std::string Scenario::outcome() const {
    if (rejection_)
        return fmt::format("  rejected: {} {{{}}}\n", rejection_->reason(), rejection_->details());
    return lines_of(steps_);
}

void Scenario::failed(std::string_view expected) const {
    throw ScenarioFailed(fmt::format("not as expected:\n{}then expected\n{}but was\n{}", story_, expected, outcome()));
}

void Scenario::then(std::vector<ScenarioStep> expected) {
    decide();
    expected = by_kind(expected);
    if (rejection_ || !std::ranges::equal(expected, steps_, {}, &ScenarioStep::line, &ScenarioStep::line))
        failed(lines_of(expected));
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

}  // namespace leftfold::process
