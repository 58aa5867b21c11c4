// Marks and constraints that are types, so that no macro or attribute has to carry them.
//
// Personal<T>: data of a person. Catalogue and contracts know of the mark.
// Key<T>, Indexed<T>: of a projection's row: a part of its key, a column with an index of its own.
// Bounded<T, Lo, Hi>: a whole number that cannot leave its range; reading refuses what is outside.
//
// The first three read, write and behave as the T that they hold.
#pragma once

#include <compare>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leftfold {

namespace detail {

struct PersonalMark;
struct KeyMark;
struct IndexedMark;

// A view fills a text without a cast, as it does by assignment.
template <class From, class T>
concept FillsText = std::same_as<T, std::string> && std::convertible_to<From, std::string_view>;

template <class T>
inline constexpr bool kIsMarked = false;

template <class Mark, class T>
class Marked {
  public:
    using value_type = T;

    Marked() = default;
    Marked(T value) : value_(std::move(value)) {}
    template <class U>
        requires(std::constructible_from<T, U> && !std::same_as<std::remove_cvref_t<U>, Marked>)
    explicit(!std::convertible_to<U, T> && !FillsText<U, T>) Marked(U&& value) : value_(std::forward<U>(value)) {}

    const T& value() const noexcept { return value_; }
    T& value() noexcept { return value_; }
    operator const T&() const noexcept { return value_; }
    const T& operator*() const noexcept { return value_; }
    T& operator*() noexcept { return value_; }
    const T* operator->() const noexcept { return &value_; }
    T* operator->() noexcept { return &value_; }

    friend bool operator==(const Marked&, const Marked&) = default;
    friend auto operator<=>(const Marked&, const Marked&) = default;
    // With what is not marked, without a conversion in either direction.
    template <class U>
        requires(!kIsMarked<U> && (std::convertible_to<const U&, T> || FillsText<const U&, T>))
    friend bool operator==(const Marked& left, const U& right) {
        return left.value_ == right;
    }
    template <class U>
        requires(!kIsMarked<U> && (std::convertible_to<const U&, T> || FillsText<const U&, T>))
    friend auto operator<=>(const Marked& left, const U& right) {
        return left.value_ <=> right;
    }

  private:
    T value_{};
};

template <class Mark, class T>
inline constexpr bool kIsMarked<Marked<Mark, T>> = true;

}  // namespace detail

template <class T>
using Personal = detail::Marked<detail::PersonalMark, T>;
template <class T>
using Key = detail::Marked<detail::KeyMark, T>;
template <class T>
using Indexed = detail::Marked<detail::IndexedMark, T>;

namespace detail {
[[noreturn]] void throw_out_of_bounds();
}

template <std::integral T, T Lo, T Hi>
class Bounded {
    static_assert(Lo <= Hi, "leftfold: Bounded<T, Lo, Hi> needs Lo <= Hi");

  public:
    using value_type = T;
    static constexpr T kLowest = Lo;
    static constexpr T kHighest = Hi;

    // Zero where that is allowed, else the lowest value.
    constexpr Bounded() noexcept = default;
    // Throws std::out_of_range.
    constexpr Bounded(T value) : value_(value) {
        if (value < Lo || value > Hi)
            detail::throw_out_of_bounds();
    }
    static constexpr std::optional<Bounded> from(T value) noexcept {
        return value < Lo || value > Hi ? std::nullopt : std::optional<Bounded>(Bounded(value));
    }

    constexpr T value() const noexcept { return value_; }
    constexpr operator T() const noexcept { return value_; }

    friend constexpr auto operator<=>(Bounded, Bounded) noexcept = default;

  private:
    T value_ = Lo <= 0 && 0 <= Hi ? 0 : Lo;
};

}  // namespace leftfold
