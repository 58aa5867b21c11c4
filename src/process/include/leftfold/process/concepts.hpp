// What makes a struct a process, checked when it is compiled, with messages for people.
//
//   using Command = std::variant<…>;  using Event = std::variant<…>;  using Steps = leftfold::Steps<Transfer>;
//   Steps decide(const C&) const;                     for each command; ProcessDecision<Transfer> where it may refuse
//   void evolve(const E&);                            for each event
//   using Sends = std::variant<…>;                    optional: commands of others, declared here, with their target:
//                                                     struct Withdraw { static constexpr std::string_view aggregate =
//                                                     "account"; Money amount; };
//   Steps on_answer(const S&, const Answer&) const;   for each command sent
//   Steps on_timer(std::string_view name) const;      if it sets timers
//   using Inputs = leftfold::ReadsFrom<…>;            optional: streams of others
//   static std::optional<std::string> instance(const E&, const EventContext&);   which instance an event is for; none:
//   Steps on_event(const E&) const;                   nothing to do. Both for each event that it hears; others pass
//
// decide, on_answer, on_timer and on_event may take one more parameter, const CommandContext&; evolve and on_event a
// const EventContext&; instance may leave it out. The fields are the state, default-constructed before the first event.
// All of it is pure: the same answer to the same question, always.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "leftfold/aggregate/concepts.hpp"
#include "leftfold/event/event_stream.hpp"
#include "leftfold/process/steps.hpp"

namespace leftfold {

template <class P>
concept Process = requires { typename P::Steps; } && std::same_as<typename P::Steps, Steps<P>>;

namespace process {

template <class P, class C>
concept DecidesPlain = requires(const P& process, const C& command) {
    { process.decide(command) } -> std::convertible_to<ProcessDecision<P>>;
};
template <class P, class C>
concept DecidesInContext = requires(const P& process, const C& command, const CommandContext& context) {
    { process.decide(command, context) } -> std::convertible_to<ProcessDecision<P>>;
};
template <class P, class C>
concept HearsAnswerPlain = requires(const P& process, const C& sent, const Answer& answer) {
    { process.on_answer(sent, answer) } -> std::convertible_to<Steps<P>>;
};
template <class P, class C>
concept HearsAnswerInContext =
    requires(const P& process, const C& sent, const Answer& answer, const CommandContext& context) {
        { process.on_answer(sent, answer, context) } -> std::convertible_to<Steps<P>>;
    };
template <class P, class E>
concept HearsEventPlain = requires(const P& process, const E& event) {
    { process.on_event(event) } -> std::convertible_to<Steps<P>>;
};
template <class P, class E>
concept HearsEventInContext = requires(const P& process, const E& event, const EventContext& context) {
    { process.on_event(event, context) } -> std::convertible_to<Steps<P>>;
};
template <class P, class E>
concept FindsInstancePlain = requires(const E& event) {
    { P::instance(event) } -> std::convertible_to<std::optional<std::string>>;
};
template <class P, class E>
concept FindsInstanceInContext = requires(const E& event, const EventContext& context) {
    { P::instance(event, context) } -> std::convertible_to<std::optional<std::string>>;
};

template <class P, class E>
inline constexpr bool kHears = HearsEventPlain<P, E> || HearsEventInContext<P, E>;
template <class P, class E>
inline constexpr bool kFindsInstance = FindsInstancePlain<P, E> || FindsInstanceInContext<P, E>;

// One instantiation per command and event, so that the compiler's message names it.
template <class Process, class Command>
struct DecideOf {
    static_assert(DecidesPlain<Process, Command> || DecidesInContext<Process, Command>,
                  "leftfold: the process has no 'Steps decide(const Command&) const' (or ProcessDecision) for the "
                  "Command named in DecideOf<Process, Command>; add it, or take the command out of 'using Command = "
                  "std::variant<…>'");
    static constexpr bool ok = true;
};
template <class Process, class Command>
struct OnAnswerOf {
    static_assert(NamesItsTarget<Command>,
                  "leftfold: a command that is sent says to which aggregate: put 'static constexpr std::string_view "
                  "aggregate = \"…\";' into the Command named in OnAnswerOf<Process, Command>");
    static_assert(HearsAnswerPlain<Process, Command> || HearsAnswerInContext<Process, Command>,
                  "leftfold: the process has no 'Steps on_answer(const Command&, const Answer&) const' for the Command "
                  "named in OnAnswerOf<Process, Command>; add it, or take the command out of 'using Sends = "
                  "std::variant<…>'");
    static constexpr bool ok = true;
};
template <class Process, class Event>
struct OnEventOf {
    static_assert(kHears<Process, Event> || !kFindsInstance<Process, Event>,
                  "leftfold: the process has no 'Steps on_event(const Event&) const' for the Event named in "
                  "OnEventOf<Process, Event>, but finds an instance for it; add it, or take instance() away");
    static_assert(kFindsInstance<Process, Event> || !kHears<Process, Event>,
                  "leftfold: the process has no 'static std::optional<std::string> instance(const Event&, const "
                  "EventContext&)' for the Event named in OnEventOf<Process, Event>: to which instance does it go?");
    static constexpr bool ok = true;
    static constexpr bool heard = kHears<Process, Event> && kFindsInstance<Process, Event>;
};

template <class P, class... C>
consteval bool decides_all(std::type_identity<std::variant<C...>>) {
    return (DecideOf<P, C>::ok && ...);
}
template <class P, class... C>
consteval bool hears_all_answers(std::type_identity<std::variant<C...>>) {
    return (OnAnswerOf<P, C>::ok && ...);
}
template <class P, class... E>
consteval std::size_t heard_events(std::type_identity<std::variant<E...>>) {
    return (std::size_t{OnEventOf<P, E>::ok && OnEventOf<P, E>::heard} + ... + 0);
}
template <class P, class Stream>
struct InputOf {
    static_assert(heard_events<P>(std::type_identity<typename Stream::Event>()) > 0,
                  "leftfold: the process hears no event of the Stream named in InputOf<Process, Stream>: add 'Steps "
                  "on_event(const Event&) const' with 'instance', or take the stream out of 'using Inputs'");
    static constexpr bool ok = true;
};
template <class P, class... Streams>
consteval bool hears_all_inputs(std::type_identity<ReadsFrom<Streams...>>) {
    return (InputOf<P, Streams>::ok && ...);
}

}  // namespace process

// Instantiated by everything that takes a process; true, or a compile error that says what is missing.
template <class P>
consteval bool check_process() {
    static_assert(Process<P>, "leftfold: a process needs 'using Steps = leftfold::Steps<P>;' with its own name as P");
    static_assert(
        detail::NamesCommands<P>,
        "leftfold: a process needs 'using Command = std::variant<…>;' with a struct for each of its commands");
    static_assert(detail::NamesEvents<P>,
                  "leftfold: a process needs 'using Event = std::variant<…>;' with a struct for each of its events");
    static_assert(std::default_initializable<P>,
                  "leftfold: a process is default-constructed before its first event; give its fields defaults");
    if constexpr (Process<P> && detail::NamesCommands<P> && detail::NamesEvents<P>) {
        bool ok = process::decides_all<P>(std::type_identity<typename P::Command>()) &&
                  detail::evolves_all<P>(std::type_identity<typename P::Event>());
        if constexpr (requires { typename P::Sends; })
            ok = ok && process::hears_all_answers<P>(std::type_identity<typename P::Sends>());
        if constexpr (requires { typename P::Inputs; })
            ok = ok && process::hears_all_inputs<P>(std::type_identity<typename P::Inputs>());
        return ok;
    } else {
        return false;
    }
}

}  // namespace leftfold
