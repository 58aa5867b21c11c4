// EventStream: what the events header of an aggregate tells other services, and all that they need to know of it.
//
//   struct AccountEvents {
//       static constexpr std::string_view aggregate = "account";
//       using Event = std::variant<Opened, Deposited, Withdrawn, Closed>;
//   };
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <variant>

namespace leftfold {

namespace detail {
template <class T>
inline constexpr bool kIsVariant = false;
template <class... T>
inline constexpr bool kIsVariant<std::variant<T...>> = true;
}  // namespace detail

template <class S>
concept EventStream = requires {
    { S::aggregate } -> std::convertible_to<std::string_view>;
    typename S::Event;
} && detail::kIsVariant<typename S::Event>;

// using Events = leftfold::ReadsFrom<AccountEvents, TransferEvents>;
template <EventStream... Streams>
struct ReadsFrom {};

// Of the topic of an aggregate type, and before the last '.' of its events' stored names: "bank.account".
inline std::string topic_name(std::string_view application, std::string_view aggregate) {
    return std::string(application).append(1, '.').append(aggregate);
}

}  // namespace leftfold
