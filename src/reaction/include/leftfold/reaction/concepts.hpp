// What makes a struct a reaction, checked when it is compiled, with messages for people.
//
//   struct NotifyOwner {
//       using Events = leftfold::ReadsFrom<bank::AccountEvents>;     the streams that it follows
//       // For each event that matters; the context is optional. A coroutine, so all by value.
//       leftfold::Task<leftfold::ReactionResult> on(bank::Withdrawn event, leftfold::ReactionContext context) const {
//           const auto answer = co_await context.call(leftfold::HttpCall::post("http://localhost:9000/mail", …));
//           co_return leftfold::ReactionResult::of(answer);
//       }
//   };
//
// It runs at least once for each event, in the order of the events of a key, and may run again after a crash: what it
// calls should know the repeat by the event's id (context.idempotency_key()).
#pragma once

#include <array>
#include <concepts>
#include <string_view>
#include <type_traits>
#include <variant>

#include "leftfold/event/event_stream.hpp"
#include "leftfold/event/reflect.hpp"
#include "leftfold/reaction/context.hpp"
#include "leftfold/reaction/result.hpp"

namespace leftfold {

namespace reaction {

using ReactionTask = Task<ReactionResult>;

template <class T>
inline constexpr bool kIsReadsFrom = false;
template <class First, class... Others>
inline constexpr bool kIsReadsFrom<ReadsFrom<First, Others...>> = true;

template <class R>
concept NamesStreams = requires { typename R::Events; } && kIsReadsFrom<typename R::Events>;

template <class R, class E>
concept ReactsPlain = requires { static_cast<ReactionTask (R::*)(E) const>(&R::on); };
template <class R, class E>
concept ReactsInContext = requires { static_cast<ReactionTask (R::*)(E, ReactionContext) const>(&R::on); };
template <class R, class E>
inline constexpr bool kReacts = ReactsPlain<R, E> || ReactsInContext<R, E>;

// Some `on` could be called with this event, whatever it says of itself.
template <class R, class E>
concept TakesSomehow = requires(R& any, E& event, ReactionContext& context) { any.on(event, context); } ||
                       requires(R& any, E& event) { any.on(event); };

// One instantiation per event and stream, so that the compiler's message names it.
template <class Reaction, class Event>
struct OnOf {
    static_assert(
        kReacts<Reaction, Event> || !TakesSomehow<Reaction, Event>,
        "leftfold: the reaction takes the Event named in OnOf<Reaction, Event> in another form than "
        "'leftfold::Task<leftfold::ReactionResult> on(Event event, leftfold::ReactionContext context) const': a "
        "coroutine takes its parameters by value, and a reaction is const");
    static constexpr bool ok = true;
};
template <class Reaction, class Stream, class Events = typename Stream::Event>
struct StreamOf;
template <class Reaction, class Stream, class... E>
struct StreamOf<Reaction, Stream, std::variant<E...>> {
    static constexpr bool checked = (OnOf<Reaction, E>::ok && ...);
    static_assert((kReacts<Reaction, E> || ...) || (TakesSomehow<Reaction, E> || ...),
                  "leftfold: the reaction has no 'leftfold::Task<leftfold::ReactionResult> on(Event event, "
                  "leftfold::ReactionContext context) const' for any event of the Stream named in StreamOf<Reaction, "
                  "Stream>; add one, or take the stream out of 'using Events = ReadsFrom<…>'");
    static constexpr bool ok = checked;
};

template <class R, class... S>
consteval bool check_streams(std::type_identity<ReadsFrom<S...>>) {
    static_assert(reflect::all_different(std::array<std::string_view, sizeof...(S)>{S::aggregate...}),
                  "leftfold: a reaction follows the same stream twice");
    return (StreamOf<R, S>::ok && ...);
}

}  // namespace reaction

// Instantiated by everything that takes a reaction; true, or a compile error that says what is missing.
template <class R>
consteval bool check_reaction() {
    static_assert(
        reaction::NamesStreams<R>,
        "leftfold: a reaction needs 'using Events = leftfold::ReadsFrom<…>;' with the streams that it follows");
    if constexpr (reaction::NamesStreams<R>)
        return reaction::check_streams<R>(std::type_identity<typename R::Events>());
    else
        return false;
}

}  // namespace leftfold
