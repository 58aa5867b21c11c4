// Decision: what an aggregate answers to a command: events, nothing, or a rejection with its reason.
//
//   return Withdrawn{c.amount};                                     one event
//   return {Opened{c.owner}, Deposited{c.opening_deposit}};         several, all or none
//   return Decision<Event>::nothing();                              accepted, and nothing happened
//   return reject("insufficient-funds").with("balance", balance);   refused
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/event/json.hpp"

namespace leftfold {

// A refusal is an answer of the domain, not an error: it is recorded with the command's id, and a repeat gets it again.
class Rejection {
  public:
    // `reason` is a stable name in kebab-case; it becomes part of the problem's `type`.
    explicit Rejection(std::string_view reason) : reason_(reason) {}

    // A fact that helps the caller, under its own member of the problem document.
    template <class T>
    Rejection&& with(std::string_view name, const T& value) && {
        std::string json_text;
        json::write(json_text, value);
        add(name, json_text);
        return std::move(*this);
    }

    const std::string& reason() const noexcept { return reason_; }
    // The details as JSON members without the braces: "balance":"1.00","limit":"0.00"; empty if there are none.
    const std::string& details() const noexcept { return details_; }

    // As it was recorded.
    static Rejection recorded(std::string_view reason, std::string_view details) {
        Rejection rejection(reason);
        rejection.details_ = details;
        return rejection;
    }

    friend bool operator==(const Rejection&, const Rejection&) = default;

  private:
    void add(std::string_view name, std::string_view json_text);

    std::string reason_;
    std::string details_;
};

inline Rejection reject(std::string_view reason) {
    return Rejection(reason);
}

template <class Event>
class [[nodiscard]] Decision {
  public:
    template <class E>
        requires(!std::same_as<std::remove_cvref_t<E>, Decision> && std::constructible_from<Event, E>)
    Decision(E&& event) {  // NOLINT(google-explicit-constructor): `return Withdrawn{…};` is the point
        auto& events = std::get<std::vector<Event>>(answer_);
        events.emplace_back(std::forward<E>(event));
    }
    Decision(std::initializer_list<Event> events) : answer_(std::vector<Event>(events)) {}
    Decision(std::vector<Event> events) : answer_(std::move(events)) {}  // NOLINT(google-explicit-constructor)
    Decision(Rejection rejection) : answer_(std::move(rejection)) {}     // NOLINT(google-explicit-constructor)

    static Decision nothing() { return Decision(std::vector<Event>()); }

    const Rejection* rejection() const noexcept { return std::get_if<Rejection>(&answer_); }
    // Empty if rejected.
    std::vector<Event> take_events() && {
        auto* events = std::get_if<std::vector<Event>>(&answer_);
        return events != nullptr ? std::move(*events) : std::vector<Event>();
    }

  private:
    std::variant<std::vector<Event>, Rejection> answer_;
};

}  // namespace leftfold
