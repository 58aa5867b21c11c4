// Tests of an aggregate's rules, under any test framework:
//
//   given<Account>(Opened{…}, Deposited{Money("5.00")})
//       .when(Withdraw{Money("7.00")})
//       .then_rejected("insufficient-funds");
//
// Events and commands go through their JSON as they do in production: what passes here can be stored and read back.
// What is not as expected throws ScenarioFailed, which tells the whole story; every framework reports it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/aggregate/typed_model.hpp"
#include "leftfold/event/scenario_failed.hpp"

namespace leftfold {

namespace detail {

struct ScenarioEvent {
    std::string type;
    std::uint32_t type_version = 1;
    std::string payload;

    friend bool operator==(const ScenarioEvent&, const ScenarioEvent&) = default;
};

// The part that is not a template.
class Scenario {
  public:
    explicit Scenario(std::unique_ptr<AggregateModel> model);

    void given(ScenarioEvent event);
    void when(std::size_t command, std::string json_text);

    std::string actor;
    Timestamp time = timestamp_from_micros(1'704'067'200'000'000);  // 2024-01-01T00:00:00Z

    void then(std::span<const ScenarioEvent> expected);
    void then_rejected(std::string_view reason);
    void then_rejected(const Rejection& expected);
    std::string state() const;

  private:
    // Runs decide, once.
    void decide();
    [[noreturn]] void failed(std::string_view expected) const;
    std::string told(const ScenarioEvent& event) const;
    std::string outcome() const;

    std::unique_ptr<AggregateModel> model_;
    std::unique_ptr<AggregateInstance> instance_;
    std::string story_;
    std::int64_t version_ = 0;
    std::unique_ptr<AggregateCommand> command_;
    std::vector<ScenarioEvent> events_;
    std::optional<Rejection> rejection_;
};

template <class A>
class Then {
  public:
    explicit Then(std::unique_ptr<Scenario> scenario) noexcept : scenario_(std::move(scenario)) {}

    // As the events left it: for what they do not show.
    A aggregate() const { return json::read<A>(scenario_->state(), json::Strictness::lenient).value(); }

  private:
    std::unique_ptr<Scenario> scenario_;
};

template <class A>
class [[nodiscard]] When {
    using Event = typename A::Event;

  public:
    explicit When(std::unique_ptr<Scenario> scenario) noexcept : scenario_(std::move(scenario)) {}

    // What decide and evolve may ask of their context.
    When by(std::string_view actor) && {
        scenario_->actor = actor;
        return std::move(*this);
    }
    When at(Timestamp time) && {
        scenario_->time = time;
        return std::move(*this);
    }

    // Exactly these events, in this order, of any values that give the same JSON.
    template <class... Events>
        requires(sizeof...(Events) > 0 && (std::constructible_from<Event, Events> && ...))
    Then<A> then(Events&&... events) && {
        const ScenarioEvent expected[] = {encoded(Event(std::forward<Events>(events)))...};
        scenario_->then(expected);
        return Then<A>(std::move(scenario_));
    }
    // Accepted, and nothing happened.
    Then<A> then_nothing() && {
        scenario_->then({});
        return Then<A>(std::move(scenario_));
    }
    // For this reason, whatever the details.
    void then_rejected(std::string_view reason) && { scenario_->then_rejected(reason); }
    // With exactly these details: then_rejected(reject("insufficient-funds").with("balance", Money("5.00")))
    void then_rejected(const Rejection& rejection) && { scenario_->then_rejected(rejection); }

    static ScenarioEvent encoded(const Event& event) {
        const EventCodec<Event> codec("test.aggregate");
        ScenarioEvent out;
        const StoredType type = codec.encode(event, out.payload);
        out.type = type.name;
        out.type_version = type.version;
        return out;
    }

  private:
    std::unique_ptr<Scenario> scenario_;
};

template <class A>
class [[nodiscard]] Given {
  public:
    explicit Given(std::unique_ptr<Scenario> scenario) noexcept : scenario_(std::move(scenario)) {}

    template <class C>
        requires std::constructible_from<typename A::Command, C>
    When<A> when(C&& command) && {
        const typename A::Command any(std::forward<C>(command));
        scenario_->when(any.index(), std::visit([](const auto& typed) { return json::to_string(typed); }, any));
        return When<A>(std::move(scenario_));
    }

  private:
    std::unique_ptr<Scenario> scenario_;
};

}  // namespace detail

// The aggregate's history so far; none: it does not exist.
template <class A, class... Events>
    requires(detail::NamesCommands<A> && (std::constructible_from<typename A::Event, Events> && ...))
detail::Given<A> given(Events&&... events) {
    auto scenario = std::make_unique<detail::Scenario>(make_typed_model<A>("test", "aggregate"));
    (scenario->given(detail::When<A>::encoded(typename A::Event(std::forward<Events>(events)))), ...);
    return detail::Given<A>(std::move(scenario));
}

}  // namespace leftfold
