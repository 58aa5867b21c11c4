// What makes a struct an aggregate, checked when it is compiled, with messages for people.
//
//   using Command = std::variant<…>;  using Event = std::variant<…>;
//   Decision<Event> decide(const C&) const;   for each command C; a second parameter const CommandContext& is optional
//   void evolve(const E&);                    for each event E; a second parameter const EventContext& is optional
//   the fields are the state, default-constructed before the first event
//   static constexpr std::uint32_t snapshot_version = 1;   optional: raise it when evolve changes (see
//   AggregateOptions)
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>
#include <variant>

#include "leftfold/aggregate/context.hpp"
#include "leftfold/aggregate/decision.hpp"

namespace leftfold {

namespace detail {

template <class T>
inline constexpr bool is_variant = false;
template <class... Ts>
inline constexpr bool is_variant<std::variant<Ts...>> = true;

template <class A>
concept NamesCommands = requires { typename A::Command; } && is_variant<typename A::Command>;
template <class A>
concept NamesEvents = requires { typename A::Event; } && is_variant<typename A::Event>;

template <class A, class C>
concept DecidesPlain = requires(const A& aggregate, const C& command) {
    { aggregate.decide(command) } -> std::convertible_to<Decision<typename A::Event>>;
};
template <class A, class C>
concept DecidesInContext = requires(const A& aggregate, const C& command, const CommandContext& context) {
    { aggregate.decide(command, context) } -> std::convertible_to<Decision<typename A::Event>>;
};
template <class A, class E>
concept EvolvesPlain = requires(A& aggregate, const E& event) { aggregate.evolve(event); };
template <class A, class E>
concept EvolvesInContext =
    requires(A& aggregate, const E& event, const EventContext& context) { aggregate.evolve(event, context); };

// One instantiation per command and event, so that the compiler's message names it.
template <class Aggregate, class Command>
struct DecideOf {
    static_assert(
        DecidesPlain<Aggregate, Command> || DecidesInContext<Aggregate, Command>,
        "leftfold: the aggregate has no 'Decision<Event> decide(const Command&) const' for the Command named in "
        "DecideOf<Aggregate, Command>; add it, or take the command out of 'using Command = std::variant<…>'");
    static constexpr bool ok = true;
};
template <class Aggregate, class Event>
struct EvolveOf {
    static_assert(EvolvesPlain<Aggregate, Event> || EvolvesInContext<Aggregate, Event>,
                  "leftfold: the aggregate has no 'void evolve(const Event&)' for the Event named in "
                  "EvolveOf<Aggregate, Event>; add it, or take the event out of 'using Event = std::variant<…>'");
    static constexpr bool ok = true;
};

template <class Aggregate, class... Commands>
consteval bool decides_all(std::type_identity<std::variant<Commands...>>) {
    return (DecideOf<Aggregate, Commands>::ok && ...);
}
template <class Aggregate, class... Events>
consteval bool evolves_all(std::type_identity<std::variant<Events...>>) {
    return (EvolveOf<Aggregate, Events>::ok && ...);
}

}  // namespace detail

// Instantiated by everything that takes an aggregate; true, or a compile error that says what is missing.
template <class A>
consteval bool check_aggregate() {
    static_assert(
        detail::NamesCommands<A>,
        "leftfold: an aggregate needs 'using Command = std::variant<…>;' with a struct for each of its commands");
    static_assert(detail::NamesEvents<A>,
                  "leftfold: an aggregate needs 'using Event = std::variant<…>;' with a struct for each of its events");
    static_assert(std::default_initializable<A>,
                  "leftfold: an aggregate is default-constructed before its first event; give its fields defaults");
    if constexpr (detail::NamesCommands<A> && detail::NamesEvents<A>)
        return detail::decides_all<A>(std::type_identity<typename A::Command>()) &&
               detail::evolves_all<A>(std::type_identity<typename A::Event>());
    else
        return false;
}

namespace detail {

template <class A, class C>
Decision<typename A::Event> call_decide(const A& aggregate, const C& command, const CommandContext& context) {
    if constexpr (DecidesInContext<A, C>)
        return aggregate.decide(command, context);
    else
        return aggregate.decide(command);
}

template <class A, class E>
void call_evolve(A& aggregate, const E& event, const EventContext& context) {
    if constexpr (EvolvesInContext<A, E>)
        aggregate.evolve(event, context);
    else
        aggregate.evolve(event);
}

}  // namespace detail

}  // namespace leftfold
