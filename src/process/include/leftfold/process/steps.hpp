// Steps: what a process does next: events of its own, commands to others, timers. All of it is one append: it happens
// whole or not at all, and nothing is sent before it is durable.
//
//   using Steps = leftfold::Steps<Transfer>;      // in the process; so that what it sends is checked when it is
//   compiled
//
//   return Started{c.from, c.to, c.amount};
//   return Steps(Started{…}).send(c.from, Withdraw{c.amount}).timer("deadline", 30s);
//   return Steps(Completed{}).cancel_timer("deadline");
//   return Steps::nothing();
//
// Commands that wait at the same time reach their targets in any order: send the next one on the answer to the first. A
// timer has a name; setting it again replaces it. It is due that long after its event was recorded, never earlier.
//
// ProcessDecision: the same, or a rejection; for decide, whose commands come from clients:
//
//   ProcessDecision<Transfer> decide(const Start& c) const { if (…) return reject("was-started"); return Steps(…); }
#pragma once

#include <chrono>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/aggregate/context.hpp"
#include "leftfold/aggregate/decision.hpp"
#include "leftfold/event/json.hpp"
#include "leftfold/event/reflect.hpp"
#include "leftfold/process/answer.hpp"

namespace leftfold {

namespace process {

// The name of a command struct on the wire: its own in kebab form, unless it says otherwise.
template <class C>
consteval std::string_view command_name() {
    if constexpr (requires { C::command_name; })
        return C::command_name;
    else
        return reflect::kebab_name<C>();
}

// Stated by the sender, who does not include the target's code.
template <class C>
concept NamesItsTarget = requires {
    { C::aggregate } -> std::convertible_to<std::string_view>;
};

struct OutgoingStep {
    std::string_view aggregate;
    std::string_view command;
    std::string key;
    std::string body;  // JSON
};
struct TimerStep {
    std::string name;
    std::chrono::microseconds delay;
};

// What Steps gathers beside events.
struct Effects {
    std::vector<OutgoingStep> commands;
    std::vector<TimerStep> timers;
    std::vector<std::string> cancelled;
};

template <class T, class Variant>
inline constexpr bool kIsAlternative = false;
template <class T, class... Ts>
inline constexpr bool kIsAlternative<T, std::variant<Ts...>> = (std::same_as<T, Ts> || ...);

template <class P>
struct SendsOf {
    using type = std::variant<std::monostate>;
};
template <class P>
    requires requires { typename P::Sends; }
struct SendsOf<P> {
    using type = typename P::Sends;
};

}  // namespace process

template <class P>
class Steps;

namespace process {

template <class P>
concept HearsTimersPlain = requires(const P& process, std::string_view name) {
    { process.on_timer(name) } -> std::convertible_to<Steps<P>>;
};
template <class P>
concept HearsTimersInContext = requires(const P& process, std::string_view name, const CommandContext& context) {
    { process.on_timer(name, context) } -> std::convertible_to<Steps<P>>;
};

}  // namespace process

template <class P>
class [[nodiscard]] Steps {
    template <class E>
    static constexpr bool kIsEvent = process::kIsAlternative<std::remove_cvref_t<E>, typename P::Event>;

  public:
    Steps() = default;
    static Steps nothing() { return Steps(); }

    // Events, in this order.
    template <class... E>
        requires(sizeof...(E) > 0 && (kIsEvent<E> && ...))
    Steps(E&&... events) {  // NOLINT(google-explicit-constructor): `return Completed{};` is the point
        (events_.emplace_back(std::forward<E>(events)), ...);
    }

    template <class E>
    Steps& event(E&& event) & {
        static_assert(kIsEvent<E>, "leftfold: the process has no such event in 'using Event = std::variant<…>'");
        events_.emplace_back(std::forward<E>(event));
        return *this;
    }

    // To the aggregate that the struct names, with this key.
    template <class C>
    Steps& send(std::string_view key, const C& command) & {
        static_assert(process::kIsAlternative<C, typename process::SendsOf<P>::type>,
                      "leftfold: a process sends only what its 'using Sends = std::variant<…>' names: add the command "
                      "there, and 'Steps on_answer(const Command&, const Answer&) const'");
        effects_.commands.push_back(
            {C::aggregate, process::command_name<C>(), std::string(key), json::to_string(command)});
        return *this;
    }

    // A negative delay is none.
    Steps& timer(std::string_view name, std::chrono::microseconds delay) & {
        static_assert(process::HearsTimersPlain<P> || process::HearsTimersInContext<P>,
                      "leftfold: the process sets timers and has no 'Steps on_timer(std::string_view name) const'");
        effects_.timers.push_back({std::string(name), delay});
        return *this;
    }
    // If it waits.
    Steps& cancel_timer(std::string_view name) & {
        effects_.cancelled.emplace_back(name);
        return *this;
    }

    template <class E>
    Steps&& event(E&& happened) && {
        return std::move(event(std::forward<E>(happened)));
    }
    template <class C>
    Steps&& send(std::string_view key, const C& command) && {
        return std::move(send(key, command));
    }
    Steps&& timer(std::string_view name, std::chrono::microseconds delay) && { return std::move(timer(name, delay)); }
    Steps&& cancel_timer(std::string_view name) && { return std::move(cancel_timer(name)); }

    std::vector<typename P::Event> take_events() && { return std::move(events_); }
    process::Effects take_effects() && { return std::move(effects_); }

  private:
    std::vector<typename P::Event> events_;
    process::Effects effects_;
};

template <class P>
class [[nodiscard]] ProcessDecision {
  public:
    template <class S>
        requires(!std::same_as<std::remove_cvref_t<S>, ProcessDecision> && std::constructible_from<Steps<P>, S>)
    ProcessDecision(S&& steps)  // NOLINT(google-explicit-constructor)
        : answer_(std::in_place_index<0>, std::forward<S>(steps)) {}
    ProcessDecision(Rejection rejection) : answer_(std::move(rejection)) {}  // NOLINT(google-explicit-constructor)

    static ProcessDecision nothing() { return Steps<P>(); }

    const Rejection* rejection() const noexcept { return std::get_if<Rejection>(&answer_); }
    // Not of a rejection.
    Steps<P> take_steps() && { return std::get<Steps<P>>(std::move(answer_)); }

  private:
    std::variant<Steps<P>, Rejection> answer_;
};

}  // namespace leftfold
