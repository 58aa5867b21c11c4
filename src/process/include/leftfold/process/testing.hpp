// Tests of a process's rules, under any test framework:
//
//   given<Transfer>(Started{"a-1", "a-2", Money("5.00")}, sets_timer("deadline", 30s))
//       .when(answered(Withdraw{Money("5.00")}, accepted()))
//       .then(Withdrew{}, sends("a-2", Deposit{Money("5.00")}));
//
// when() takes a command, answered(…), timer_due("deadline") or happened("a-1", Deposited{…}). The answer to a command
// presupposes that it was sent, and a timer that is due that it was set: only what then() shall see cancelled needs to
// be given. then() names all that happens: events in their order, commands in theirs, timers in theirs.
//
// Everything goes through its JSON as it does in production. What is not as expected throws ScenarioFailed, which tells
// the whole story; every framework reports it.
#pragma once

#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/event/scenario_failed.hpp"
#include "leftfold/process/typed_process.hpp"

namespace leftfold {

namespace process {

// One thing that happens, given or expected: a line of the story, and how it is stored.
struct ScenarioStep {
    enum class Kind : std::uint8_t { event, cancelled, sent, timer } kind = Kind::event;
    std::string line;
    std::string type;  // stored name, without application and process
    std::uint32_t type_version = 1;
    std::string payload;
};

ScenarioStep sent_step(const CommandRequested& request);
ScenarioStep timer_step(const TimerSet& timer);
ScenarioStep cancelled_step(std::string_view name);
ScenarioStep event_step(std::string_view name, std::uint32_t version, std::string payload);

struct AnswerWhen {
    CommandRequested request;  // but for its key
    Answer answer;
};
struct TimerWhen {
    std::string name;
};
template <class E>
struct EventWhen {
    std::string key;
    E event;
};

// The part that is not a template.
class Scenario {
  public:
    explicit Scenario(std::unique_ptr<ProcessModel> model);

    void given(const ScenarioStep& step);
    void when(std::string_view command, std::string json_text);
    void when(const AnswerWhen& answer);
    void when(const TimerWhen& timer);
    // An event of another stream, as the log holds it.
    void when_event(std::string_view topic, std::string_view key, const ScenarioStep& event);

    std::string actor;
    Timestamp time = timestamp_from_micros(1'704'067'200'000'000);  // 2024-01-01T00:00:00Z

    void then(std::vector<ScenarioStep> expected);
    void then_rejected(std::string_view reason);
    void then_rejected(const Rejection& expected);
    std::string state() const;

  private:
    void apply(const ScenarioStep& step);
    void prepare(std::size_t command, const std::string& json_text);
    // Runs decide, once.
    void decide();
    void take(const DecidedEvent& event);
    [[noreturn]] void failed(std::string_view expected) const;
    std::string outcome() const;

    std::unique_ptr<ProcessModel> model_;
    std::unique_ptr<AggregateInstance> instance_;
    Book book_;  // of what was given
    std::string story_;
    std::int64_t version_ = 0;
    std::unique_ptr<AggregateCommand> command_;  // none: the event was for no instance
    std::vector<ScenarioStep> steps_;
    std::optional<Rejection> rejection_;
};

template <class E>
ScenarioStep step_of(const E& event) {
    return event_step(event_name<E>(), event_version<E>(), json::to_string(event));
}
inline ScenarioStep step_of(ScenarioStep step) {
    return step;
}

template <class P, class T>
inline constexpr bool kIsStep = std::same_as<T, ScenarioStep> || kIsAlternative<T, typename P::Event>;

// The aggregate of the stream that has this event.
template <class E, class... Streams>
consteval std::string_view aggregate_of(std::type_identity<ReadsFrom<Streams...>>) {
    std::string_view found;
    ((kIsAlternative<E, typename Streams::Event> ? found = Streams::aggregate : found), ...);
    return found;
}

template <class P>
class Then {
  public:
    explicit Then(std::unique_ptr<Scenario> scenario) noexcept : scenario_(std::move(scenario)) {}

    // As the events left it: for what they do not show.
    P process() const { return json::read<Whole<P>>(scenario_->state(), json::Strictness::lenient).value().state; }

  private:
    std::unique_ptr<Scenario> scenario_;
};

template <class P>
class [[nodiscard]] When {
  public:
    explicit When(std::unique_ptr<Scenario> scenario) noexcept : scenario_(std::move(scenario)) {}

    // What the process may ask of its context.
    When by(std::string_view actor) && {
        scenario_->actor = actor;
        return std::move(*this);
    }
    When at(Timestamp time) && {
        scenario_->time = time;
        return std::move(*this);
    }

    template <class... Steps>
        requires(sizeof...(Steps) > 0 && (kIsStep<P, Steps> && ...))
    Then<P> then(const Steps&... steps) && {
        scenario_->then({step_of(steps)...});
        return Then<P>(std::move(scenario_));
    }
    Then<P> then_nothing() && {
        scenario_->then({});
        return Then<P>(std::move(scenario_));
    }
    // For this reason, whatever the details; or with exactly these.
    void then_rejected(std::string_view reason) && { scenario_->then_rejected(reason); }
    void then_rejected(const Rejection& rejection) && { scenario_->then_rejected(rejection); }

  private:
    std::unique_ptr<Scenario> scenario_;
};

template <class P>
class [[nodiscard]] Given {
  public:
    explicit Given(std::unique_ptr<Scenario> scenario) noexcept : scenario_(std::move(scenario)) {}

    template <class C>
        requires(kIsAlternative<C, typename P::Command>)
    When<P> when(const C& command) && {
        scenario_->when(reflect::kebab_name<C>(), json::to_string(command));
        return When<P>(std::move(scenario_));
    }
    When<P> when(const AnswerWhen& answer) && {
        scenario_->when(answer);
        return When<P>(std::move(scenario_));
    }
    When<P> when(const TimerWhen& timer) && {
        scenario_->when(timer);
        return When<P>(std::move(scenario_));
    }
    template <class E>
        requires(kHears<P, E>)
    When<P> when(const EventWhen<E>& happened) && {
        constexpr std::string_view aggregate = aggregate_of<E>(std::type_identity<typename P::Inputs>());
        scenario_->when_event(topic_name("test", aggregate), happened.key, step_of(happened.event));
        return When<P>(std::move(scenario_));
    }

  private:
    std::unique_ptr<Scenario> scenario_;
};

}  // namespace process

// The instance's history so far; none: it does not exist.
template <Process P, class... Steps>
    requires(process::kIsStep<P, Steps> && ...)
process::Given<P> given(const Steps&... steps) {
    auto scenario = std::make_unique<process::Scenario>(make_typed_process<P>("test", "process"));
    (scenario->given(process::step_of(steps)), ...);
    return process::Given<P>(std::move(scenario));
}

// For given() and then().
template <process::NamesItsTarget C>
process::ScenarioStep sends(std::string_view key, const C& command) {
    return process::sent_step({std::string(C::aggregate), std::string(key), std::string(process::command_name<C>()),
                               json::Value::parse(json::to_string(command)).value()});
}
inline process::ScenarioStep sets_timer(std::string_view name, std::chrono::microseconds delay) {
    return process::timer_step({std::string(name), delay.count()});
}
inline process::ScenarioStep cancels_timer(std::string_view name) {
    return process::cancelled_step(name);
}

// For when().
inline Answer accepted() {
    return {};
}
inline Answer rejected(std::string_view reason) {
    return {.outcome = AnswerOutcome::rejected, .rejection = Rejection(reason)};
}
inline Answer rejected(Rejection rejection) {
    return {.outcome = AnswerOutcome::rejected, .rejection = std::move(rejection)};
}
inline Answer failed(std::string_view why) {
    return {.outcome = AnswerOutcome::failed, .failure = std::string(why)};
}
template <process::NamesItsTarget C>
process::AnswerWhen answered(const C& sent, Answer answer) {
    return {{std::string(C::aggregate), "", std::string(process::command_name<C>()),
             json::Value::parse(json::to_string(sent)).value()},
            std::move(answer)};
}
inline process::TimerWhen timer_due(std::string_view name) {
    return {std::string(name)};
}
template <class E>
process::EventWhen<E> happened(std::string_view key, const E& event) {
    return {std::string(key), event};
}

}  // namespace leftfold
