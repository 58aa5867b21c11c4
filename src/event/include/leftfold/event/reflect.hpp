// Reflection of plain aggregates, without macros or a generator: how many fields, what they are called, and the fields
// themselves.
//
//   struct Withdrawn { Money amount; };
//   reflect::field_names<Withdrawn>()        // {"amount"}
//   reflect::kebab_name<Withdrawn>()         // "withdrawn"
//   reflect::for_each_field(event, [](std::string_view name, auto& field) { … });
//
// The count is the longest list of initializers the aggregate takes, structured bindings reach the fields, and a
// field's name stands in the signature of a function template over a pointer to the field of an object that is never
// defined. So a type needs default-constructible fields, no base, no C array, and at most kFieldsMax fields; a
// static_assert says which of these does not hold. Everything here is evaluated at compile time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace leftfold::reflect {

inline constexpr std::size_t kFieldsMax = 32;

namespace detail {

// clang: an object of a type in an unnamed namespace that is declared and never defined is exactly what is wanted here.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-internal"
#pragma clang diagnostic ignored "-Wundefined-var-template"
#endif

// Initializes a field of any type. Never called: it stands in unevaluated expressions.
struct AnyField {
    template <class Field>
    operator Field() const noexcept {
        __builtin_unreachable();
    }
};
template <std::size_t>
using AnyFieldAt = AnyField;

template <class T>
struct AnyBaseOf {
    template <class Base>
        requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>)
    operator Base() const noexcept {
        __builtin_unreachable();
    }
};

template <class T, class Indices>
inline constexpr bool kTakes = false;
template <class T, std::size_t... I>
inline constexpr bool kTakes<T, std::index_sequence<I...>> = requires { T{AnyFieldAt<I>{}...}; };

template <class T, std::size_t Count = 0>
consteval std::size_t initializer_count() {
    if constexpr (Count <= kFieldsMax && kTakes<T, std::make_index_sequence<Count + 1>>)
        return initializer_count<T, Count + 1>();
    else
        return Count;
}

// An array at index Before would swallow `{}` whole, and leave the initializers behind it without fields.
template <class T, class Before, class Behind>
inline constexpr bool kSingleField = false;
template <class T, std::size_t... Before, std::size_t... Behind>
inline constexpr bool kSingleField<T, std::index_sequence<Before...>, std::index_sequence<Behind...>> =
    requires { T{AnyFieldAt<Before>{}..., {}, AnyFieldAt<Behind>{}...}; };

template <class T, std::size_t Count, std::size_t... I>
consteval bool every_field_is_single(std::index_sequence<I...>) {
    return (kSingleField<T, std::make_index_sequence<I>, std::make_index_sequence<Count - 1 - I>> && ...);
}

template <class T>
struct Holder {
    T value;
};
template <class T>
extern const Holder<T> external;

template <const auto* Field>
consteval std::string_view signature_of_field() {
    return __PRETTY_FUNCTION__;
}

template <class T>
consteval std::string_view signature_of_type() {
    return __PRETTY_FUNCTION__;
}

constexpr bool is_identifier(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// clang: "… [Field = &external<bank::Withdrawn>.value.amount]"; GCC: "… [with const auto* Field = (&
// external<…>.….amount); std::string_view = …]".
consteval std::string_view field_in_signature(std::string_view signature) {
    signature = signature.substr(0, signature.rfind("; std::string_view"));
    std::size_t end = signature.size();
    while (end > 0 && !is_identifier(signature[end - 1]))
        --end;
    std::size_t begin = end;
    while (begin > 0 && is_identifier(signature[begin - 1]))
        --begin;
    return signature.substr(begin, end - begin);
}

// "… [T = bank::Withdrawn]" or "… [with T = bank::Withdrawn; std::string_view = …]", less scopes and template
// arguments.
consteval std::string_view type_in_signature(std::string_view signature) {
    std::string_view name = signature.substr(signature.find("T = ") + 4);
    name = name.substr(0, name.find_first_of("<;]"));
    const std::size_t scope = name.rfind("::");
    return scope == std::string_view::npos ? name : name.substr(scope + 2);
}

struct Text {
    std::array<char, 128> characters{};
    std::size_t size = 0;

    constexpr std::string_view view() const noexcept { return {characters.data(), size}; }
};

// "OverdraftLimitRaised" and "overdraft_limit_raised" → "overdraft-limit-raised"; "HTTPFailed" → "http-failed".
constexpr Text to_kebab(std::string_view name) {
    const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    Text out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const bool word_starts =
            upper(name[i]) && i > 0 && name[i - 1] != '_' &&
            (!upper(name[i - 1]) || (i + 1 < name.size() && !upper(name[i + 1]) && name[i + 1] != '_'));
        if (word_starts)
            out.characters[out.size++] = '-';
        const char lower = upper(name[i]) ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
        out.characters[out.size++] = lower == '_' ? '-' : lower;
    }
    return out;
}

template <class T>
inline constexpr Text kKebabName = to_kebab(type_in_signature(signature_of_type<T>()));

}  // namespace detail

// How many fields T has. Ill-formed, with a message, for what this header cannot reflect.
template <class T>
consteval std::size_t field_count() {
    static_assert(std::is_class_v<T> && std::is_aggregate_v<T>,
                  "leftfold: only plain aggregates can be reflected: no constructors, no private or virtual members");
    if constexpr (std::is_class_v<T> && std::is_aggregate_v<T>) {
        static_assert(
            !requires { T{detail::AnyBaseOf<T>{}}; },
            "leftfold: a struct with a base cannot be reflected: make the base a field");
        constexpr std::size_t count = detail::initializer_count<T>();
        static_assert(count <= kFieldsMax, "leftfold: a struct may have 32 fields: group some in a nested struct");
        if constexpr (count > 0 && count <= kFieldsMax) {
            static_assert(
                detail::every_field_is_single<T, count>(std::make_index_sequence<count>{}),
                "leftfold: a field is a C array (use std::array or std::vector) or has no default constructor");
        }
        return count;
    } else {
        return 0;
    }
}

// Calls function(field&…) with all fields of the object, in declared order, and returns what it returns.
template <class T, class Function>
constexpr decltype(auto) with_fields(T& o, Function&& f) {
    constexpr std::size_t n = field_count<std::remove_const_t<T>>();
    // clang-format off
    if constexpr (n == 0) { return f(); }
    else if constexpr (n == 1) { auto& [a] = o; return f(a); }
    else if constexpr (n == 2) { auto& [a, b] = o; return f(a, b); }
    else if constexpr (n == 3) { auto& [a, b, c] = o; return f(a, b, c); }
    else if constexpr (n == 4) { auto& [a, b, c, d] = o; return f(a, b, c, d); }
    else if constexpr (n == 5) { auto& [a, b, c, d, e] = o; return f(a, b, c, d, e); }
    else if constexpr (n == 6) { auto& [a, b, c, d, e, g] = o; return f(a, b, c, d, e, g); }
    else if constexpr (n == 7) { auto& [a, b, c, d, e, g, h] = o; return f(a, b, c, d, e, g, h); }
    else if constexpr (n == 8) { auto& [a, b, c, d, e, g, h, i] = o; return f(a, b, c, d, e, g, h, i); }
    else if constexpr (n == 9) { auto& [a, b, c, d, e, g, h, i, j] = o; return f(a, b, c, d, e, g, h, i, j); }
    else if constexpr (n == 10) { auto& [a, b, c, d, e, g, h, i, j, k] = o; return f(a, b, c, d, e, g, h, i, j, k); }
    else if constexpr (n == 11) {
        auto& [a, b, c, d, e, g, h, i, j, k, l] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l);
    }
    else if constexpr (n == 12) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m);
    }
    else if constexpr (n == 13) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p);
    }
    else if constexpr (n == 14) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q);
    }
    else if constexpr (n == 15) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r);
    }
    else if constexpr (n == 16) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s);
    }
    else if constexpr (n == 17) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t);
    }
    else if constexpr (n == 18) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u);
    }
    else if constexpr (n == 19) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v);
    }
    else if constexpr (n == 20) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w);
    }
    else if constexpr (n == 21) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x);
    }
    else if constexpr (n == 22) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y);
    }
    else if constexpr (n == 23) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z);
    }
    else if constexpr (n == 24) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa);
    }
    else if constexpr (n == 25) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb);
    }
    else if constexpr (n == 26) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc);
    }
    else if constexpr (n == 27) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd);
    }
    else if constexpr (n == 28) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd, ee] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd, ee);
    }
    else if constexpr (n == 29) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd, ee, ff] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd, ee, ff);
    }
    else if constexpr (n == 30) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd, ee, ff, gg] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd, ee, ff, gg);
    }
    else if constexpr (n == 31) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd, ee, ff, gg, hh] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd, ee, ff, gg, hh);
    }
    else if constexpr (n == 32) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd, ee, ff,
            gg, hh, ii] = o;
        return f(a, b, c, d, e, g, h, i, j, k, l, m, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd, ee, ff,
            gg, hh, ii);
    }
    // clang-format on
}

namespace detail {

template <class T>
consteval auto field_pointers() {
    return with_fields(external<T>.value, [](const auto&... field) { return std::tuple(&field...); });
}

template <class T, std::size_t... I>
consteval std::array<std::string_view, sizeof...(I)> names_of_fields(std::index_sequence<I...>) {
    [[maybe_unused]] constexpr auto pointers = field_pointers<T>();  // unused where there are no fields
    return {field_in_signature(signature_of_field<std::get<I>(pointers)>())...};
}

template <auto Member>
struct FieldOfMember;
template <class T, class Field, Field T::* Member>
struct FieldOfMember<Member> {
    static consteval std::size_t index() {
        std::size_t found = 0;
        std::size_t i = 0;
        const auto look = [&]<class Other>(const Other& other) {
            if constexpr (std::is_same_v<Other, Field>) {
                if (&other == &(external<T>.value.*Member))
                    found = i;
            }
            ++i;
        };
        with_fields(external<T>.value, [&](const auto&... field) { (look(field), ...); });
        return found;
    }
};

template <class T>
inline constexpr auto kFieldNames = names_of_fields<T>(std::make_index_sequence<field_count<T>()>{});

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

}  // namespace detail

// The names of T's fields, in declared order, as a std::array of std::string_view.
template <class T>
consteval const auto& field_names() {
    return detail::kFieldNames<T>;
}

// Calls function(name, field&) for each field of the object, in declared order.
template <class T, class Function>
constexpr void for_each_field(T& object, Function&& function) {
    with_fields(object, [&](auto&... field) {
        [[maybe_unused]] std::size_t index = 0;
        (function(detail::kFieldNames<std::remove_const_t<T>>[index++], field), ...);
    });
}

// Which field a pointer to member is: field_index<&Withdrawn::amount>() is 0.
template <auto Member>
consteval std::size_t field_index() {
    return detail::FieldOfMember<Member>::index();
}

template <class T>
consteval bool has_no_field_named(std::string_view name) {
    for (const std::string_view field : detail::kFieldNames<T>) {
        if (field == name)
            return false;
    }
    return true;
}

template <std::size_t Size>
consteval bool all_different(const std::array<std::string_view, Size>& names) {
    for (std::size_t i = 0; i < Size; ++i) {
        for (std::size_t j = i + 1; j < Size; ++j) {
            if (names[i] == names[j])
                return false;
        }
    }
    return true;
}

namespace detail {

template <class Pointers>
struct FieldTypes;
template <class... Field>
struct FieldTypes<std::tuple<const Field*...>> {
    template <class Function>
    static constexpr void for_each(Function& function) {
        (function.template operator()<Field>(), ...);
    }
};

// Calls function.operator()<Field>() for the type of each field, in declared order.
template <class T, class Function>
constexpr void for_each_field_type(Function&& function) {
    FieldTypes<decltype(field_pointers<T>())>::for_each(function);
}

}  // namespace detail

// The type's own name, without scopes and template arguments: "OverdraftLimitRaised".
template <class T>
consteval std::string_view type_name() {
    return detail::type_in_signature(detail::signature_of_type<T>());
}

// The type's own name as in stored types and routes: "overdraft-limit-raised".
template <class T>
consteval std::string_view kebab_name() {
    return detail::kKebabName<T>.view();
}

// Of a type with fixed underlying type: the names of its enumerators from 0 to kEnumeratorsMax - 1 as written in the
// source.
inline constexpr std::size_t kEnumeratorsMax = 64;

namespace detail {

template <class E, E... Values>
consteval std::string_view signature_of_enumerators() {
    return __PRETTY_FUNCTION__;
}

struct EnumeratorNames {
    std::array<Text, kEnumeratorsMax> names{};  // empty where the enum has no enumerator of that value
};

// clang: "… Values = <bank::State::open, (bank::State)1>]"; GCC: "… Values = {bank::State::open, (bank::State)1}; …".
consteval EnumeratorNames enumerators_in_signature(std::string_view signature) {
    EnumeratorNames out;
    std::string_view items = signature.substr(signature.find("Values = ") + 10);
    items = items.substr(0, items.find('}'));
    for (Text& name : out.names) {
        const std::string_view item = items.substr(0, items.find(", "));
        items.remove_prefix(item.size() == items.size() ? item.size() : item.size() + 2);
        const std::size_t scope = item.rfind("::");
        if (scope == std::string_view::npos)
            continue;
        std::size_t end = scope + 2;
        while (end < item.size() && is_identifier(item[end]))
            ++end;
        if (end < item.size() && item[end] == ')')  // "(bank::State)1": no enumerator has this value
            continue;
        name = to_kebab(item.substr(scope + 2, end - scope - 2));
    }
    return out;
}

template <class E, std::size_t... I>
consteval EnumeratorNames names_of_enumerators(std::index_sequence<I...>) {
    return enumerators_in_signature(signature_of_enumerators<E, static_cast<E>(I)...>());
}

template <class E>
inline constexpr EnumeratorNames kEnumerators = names_of_enumerators<E>(std::make_index_sequence<kEnumeratorsMax>{});

}  // namespace detail

// Of all values from 0 to the last named one; empty where there is no enumerator.
template <class E>
    requires std::is_enum_v<E>
consteval auto enumerator_names() {
    static_assert(!std::is_convertible_v<E, int>, "leftfold: use an enum class");
    constexpr std::size_t count = [] {
        std::size_t behind_last = 0;
        for (std::size_t i = 0; i < kEnumeratorsMax; ++i) {
            if (detail::kEnumerators<E>.names[i].size != 0)
                behind_last = i + 1;
        }
        return behind_last;
    }();
    std::array<std::string_view, count> names{};
    for (std::size_t i = 0; i < count; ++i)
        names[i] = detail::kEnumerators<E>.names[i].view();
    return names;
}

// "in-review" for State::in_review; empty if the value has no enumerator below kEnumeratorsMax.
template <class E>
    requires std::is_enum_v<E>
constexpr std::string_view enumerator_name(E value) noexcept {
    static_assert(!std::is_convertible_v<E, int>, "leftfold: use an enum class");
    const auto index = static_cast<std::size_t>(value);  // a negative value becomes a large one
    return index < kEnumeratorsMax ? detail::kEnumerators<E>.names[index].view() : std::string_view{};
}

}  // namespace leftfold::reflect
