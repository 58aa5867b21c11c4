// EventStream: what the events header of an aggregate tells other services, and all that they need to know of it.
//
//   struct AccountEvents {
//       static constexpr std::string_view aggregate = "account";
//       using Event = std::variant<Opened, Deposited, Withdrawn, Closed>;
//   };
#pragma once

#include <concepts>
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

}  // namespace leftfold
