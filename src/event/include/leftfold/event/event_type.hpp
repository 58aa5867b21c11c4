// What an event struct says of itself, found at compile time. All of it is optional:
//
//   struct Withdrawn {
//       Money amount;
//       std::string reason;
//
//       static constexpr std::string_view event_name = "withdrawn";  // else the struct's name in kebab form
//       static constexpr std::uint32_t event_version = 2;            // else 1
//       // From from_version to from_version + 1; called for each step up to event_version.
//       static void upcast(json::Value& payload, std::uint32_t from_version) { payload["reason"] = ""; }
//   };
//
// The stored name is "<application>.<aggregate>.<event name>": "bank.account.withdrawn".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "leftfold/event/catalogue.hpp"
#include "leftfold/event/json_value.hpp"
#include "leftfold/event/reflect.hpp"
#include "leftfold/event/shape.hpp"

namespace leftfold {

using Upcast = void (*)(json::Value& payload, std::uint32_t from_version);

template <class E>
consteval std::string_view event_name() {
    if constexpr (requires { E::event_name; })
        return E::event_name;
    else
        return reflect::kebab_name<E>();
}

template <class E>
consteval std::uint32_t event_version() {
    if constexpr (requires { E::event_version; }) {
        static_assert(E::event_version >= 1, "leftfold: event_version counts from 1");
        return E::event_version;
    } else {
        return 1;
    }
}

template <class E>
consteval Upcast event_upcast() {
    constexpr bool has_upcast = requires(json::Value& payload) { E::upcast(payload, std::uint32_t{1}); };
    static_assert(has_upcast || event_version<E>() == 1,
                  "leftfold: an event of event_version 2 or higher needs\n"
                  "static void upcast(leftfold::json::Value& payload, std::uint32_t from_version), "
                  "which turns what older versions stored into the next version");
    if constexpr (has_upcast)
        return [](json::Value& payload, std::uint32_t from_version) { E::upcast(payload, from_version); };
    else
        return nullptr;
}

// `prefix` is "<application>.<aggregate>".
template <class E>
EventType event_type(std::string_view prefix) {
    return {std::string(prefix) + "." + std::string(event_name<E>()), event_version<E>(), shape_of<E>()};
}

}  // namespace leftfold
