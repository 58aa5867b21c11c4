// Codec<T>: how a type reads and writes as JSON, and how its shape is described. One specialisation per kind of type:
//
//   bool, integers, std::string   JSON's own            Decimal<D>, Timestamp, Uuid   strings
//   enum class                    kebab string          std::optional<T>              absent, or T
//   std::vector<T>                array                 std::map<std::string, T>      object
//   plain aggregate               object, fields in     std::variant<structs…>        object with "type": the struct's
//                                 declared order                                      kebab name, before its fields
//   Personal<T>, Bounded<T,…>,    as T
//   Key<T>, Indexed<T>
//
// A user's own type may specialise Codec. read() consumes the current value of the Reader; on failure the Reader knows
// where and why, and the target is unspecified. write() may throw std::range_error for a value without a written form.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/base/time.hpp"
#include "leftfold/base/uuid.hpp"
#include "leftfold/event/decimal.hpp"
#include "leftfold/event/json_reader.hpp"
#include "leftfold/event/json_writer.hpp"
#include "leftfold/event/marks.hpp"
#include "leftfold/event/reflect.hpp"
#include "leftfold/event/shape_writer.hpp"

namespace leftfold::json {

template <class T>
struct Codec;

namespace detail {

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

template <class T>
inline constexpr char kTypeId = 0;

bool read_timestamp(Reader& in, Timestamp& out);
bool read_uuid(Reader& in, Uuid& out);
bool read_decimal(Reader& in, std::int64_t& minor, unsigned digits);
// The index in `names` (empty ones are skipped), or a failure.
bool read_name(Reader& in, std::span<const std::string_view> names, std::size_t& index);
bool fail_unknown_alternative(Reader& in, std::string_view tag, std::span<const std::string_view> names);
void shape_of_names(ShapeWriter& out, std::span<const std::string_view> names);
void shape_of_integer(ShapeWriter& out, bool is_signed, unsigned bits);
void shape_of_field_name(ShapeWriter& out, std::string_view name, bool optional);

inline constexpr std::string_view kTag = "type";

template <class T>
consteval std::uint32_t required_fields() {
    std::uint32_t mask = 0;
    std::uint32_t bit = 1;
    // Only the types matter; the object is never read.
    reflect::detail::for_each_field_type<T>([&]<class Field>() {
        if (!kIsOptional<Field>)
            mask |= bit;
        bit <<= 1;
    });
    return mask;
}

// Reads the current field into `field`, unless that was done before.
template <class Field>
void read_field_once(Reader& in, Field& field, std::uint32_t& seen, std::uint32_t bit) {
    if ((seen & bit) != 0)
        in.fail("given twice");
    seen |= bit;
    Codec<Field>::read(in, field);
}

// The fields of the object just begun, to its end. `tag` is the name of a field that the caller has read; may be empty.
template <class T>
bool read_fields(Reader& in, T& out, std::string_view tag) {
    constexpr const auto& names = reflect::field_names<T>();
    constexpr std::uint32_t required = required_fields<T>();
    std::uint32_t seen = 0;
    bool tag_seen = false;
    std::string_view key;
    while (in.next_field(key)) {
        const bool known = reflect::with_fields(out, [&](auto&... field) {
            [[maybe_unused]] std::size_t index = 0;
            return ((key == names[index++] && (read_field_once(in, field, seen, 1U << (index - 1)), true)) || ...);
        });
        if (known)
            continue;
        if (!tag.empty() && key == tag)
            tag_seen = tag_seen ? in.fail("given twice") : in.skip();
        else if (in.strictness() == Strictness::lenient)
            in.skip();
        else
            in.fail_unknown_field(names);
    }
    if (const std::uint32_t missing = required & ~seen; missing != 0)
        return in.fail_at(names[static_cast<std::size_t>(__builtin_ctz(missing))], "required, but missing");
    return in.ok();
}

// Behind the opening '{' and perhaps a tag.
template <class T>
void write_fields(std::string& out, const T& value) {
    reflect::for_each_field(value, [&]<class Field>(std::string_view name, const Field& field) {
        if constexpr (kIsOptional<Field>) {
            if (!field)
                return;
        }
        write_key(out, name);
        Codec<Field>::write(out, field);
    });
    out.push_back('}');
}

template <class T>
void shape_fields(ShapeWriter& out) {
    out.out().push_back('{');
    [[maybe_unused]] std::size_t index = 0;
    reflect::detail::for_each_field_type<T>([&]<class Field>() {
        shape_of_field_name(out, reflect::field_names<T>()[index++], kIsOptional<Field>);
        if constexpr (kIsOptional<Field>)
            Codec<typename Field::value_type>::shape(out);
        else
            Codec<Field>::shape(out);
    });
    out.out().push_back('}');
}

}  // namespace detail

// A plain aggregate, and the place where every other type is told what is wrong with it.
template <class T>
struct Codec {
    static_assert(!std::is_floating_point_v<T>,
                  "leftfold: floating point has no place in commands, events and state, since it is not exact: use "
                  "leftfold::Decimal<Digits> or leftfold::Money");
    static_assert(
        std::is_floating_point_v<T> || (std::is_class_v<T> && std::is_aggregate_v<T>),
        "leftfold: this type has no JSON form. There is one for bool, integers, std::string, Decimal, Timestamp, "
        "Uuid, enum class, optional, vector, map<string, T>, variant of structs, Personal, Bounded and plain "
        "aggregates; for another type specialise leftfold::json::Codec");

    static bool read(Reader& in, T& out) { return in.begin_object() && detail::read_fields(in, out, {}); }
    static void write(std::string& out, const T& value) {
        out.push_back('{');
        detail::write_fields(out, value);
    }
    static void shape(ShapeWriter& out) {
        if (out.enter(&detail::kTypeId<T>, reflect::kebab_name<T>())) {
            detail::shape_fields<T>(out);
            out.leave();
        }
    }
};

template <>
struct Codec<bool> {
    static bool read(Reader& in, bool& out) { return in.boolean(out); }
    static void write(std::string& out, bool value) { out.append(value ? "true" : "false"); }
    static void shape(ShapeWriter& out) { out.name("bool"); }
};

template <class T>
    requires(std::integral<T> && !std::same_as<T, char> && !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
             !std::same_as<T, char16_t> && !std::same_as<T, char32_t>)
struct Codec<T> {
    using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;

    static bool read(Reader& in, T& out) {
        return read(in, out, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    }
    static bool read(Reader& in, T& out, T lowest, T highest) {
        Wide wide = 0;
        if (!in.integer(wide, Wide{lowest}, Wide{highest}))
            return false;
        out = static_cast<T>(wide);
        return true;
    }
    static void write(std::string& out, T value) { write_integer(out, Wide{value}); }
    static void shape(ShapeWriter& out) { detail::shape_of_integer(out, std::is_signed_v<T>, sizeof(T) * 8); }
};

template <class T, T Lo, T Hi>
struct Codec<Bounded<T, Lo, Hi>> {
    static bool read(Reader& in, Bounded<T, Lo, Hi>& out) {
        T value{};
        if (!Codec<T>::read(in, value, Lo, Hi))
            return false;
        out = value;
        return true;
    }
    static void write(std::string& out, Bounded<T, Lo, Hi> value) { Codec<T>::write(out, value.value()); }
    static void shape(ShapeWriter& out) {
        out.out() += "{\"$range\":[";
        Codec<T>::write(out.out(), Lo);
        out.out().push_back(',');
        Codec<T>::write(out.out(), Hi);
        out.out() += "]}";
    }
};

template <>
struct Codec<std::string> {
    static bool read(Reader& in, std::string& out) {
        std::string_view text;
        if (!in.string(text))
            return false;
        out.assign(text);
        return true;
    }
    static void write(std::string& out, std::string_view value) { write_string(out, value); }
    static void shape(ShapeWriter& out) { out.name("string"); }
};

template <unsigned Digits>
struct Codec<Decimal<Digits>> {
    static bool read(Reader& in, Decimal<Digits>& out) {
        std::int64_t minor = 0;
        if (!detail::read_decimal(in, minor, Digits))
            return false;
        out = Decimal<Digits>::from_minor(minor);
        return true;
    }
    static void write(std::string& out, Decimal<Digits> value) { write_decimal(out, value.minor(), Digits); }
    static void shape(ShapeWriter& out) { out.name("decimal(" + std::to_string(Digits) + ")"); }
};

template <>
struct Codec<Timestamp> {
    static bool read(Reader& in, Timestamp& out) { return detail::read_timestamp(in, out); }
    static void write(std::string& out, Timestamp value) { write_timestamp(out, value); }
    static void shape(ShapeWriter& out) { out.name("timestamp"); }
};

template <>
struct Codec<Uuid> {
    static bool read(Reader& in, Uuid& out) { return detail::read_uuid(in, out); }
    static void write(std::string& out, const Uuid& value) { write_uuid(out, value); }
    static void shape(ShapeWriter& out) { out.name("uuid"); }
};

template <class T>
    requires std::is_enum_v<T>
struct Codec<T> {
    static constexpr auto kNames = reflect::enumerator_names<T>();

    static bool read(Reader& in, T& out) {
        std::size_t index = 0;
        if (!detail::read_name(in, kNames, index))
            return false;
        out = static_cast<T>(index);
        return true;
    }
    static void write(std::string& out, T value) {
        write_enumerator(out, reflect::enumerator_name(value), reflect::type_name<T>());
    }
    static void shape(ShapeWriter& out) {
        out.out() += "{\"$enum\":";
        detail::shape_of_names(out, kNames);
        out.out().push_back('}');
    }
};

template <class Mark, class T>
struct Codec<leftfold::detail::Marked<Mark, T>> {
    using Marked = leftfold::detail::Marked<Mark, T>;

    static bool read(Reader& in, Marked& out) { return Codec<T>::read(in, out.value()); }
    static void write(std::string& out, const Marked& value) { Codec<T>::write(out, value.value()); }
    static void shape(ShapeWriter& out) {
        if constexpr (std::same_as<Marked, Personal<T>>) {
            out.out() += "{\"$personal\":";
            Codec<T>::shape(out);
            out.out().push_back('}');
        } else {
            Codec<T>::shape(out);
        }
    }
};

// As a field it is left out when it is absent; elsewhere it is null. Reading takes null for absent everywhere.
template <class T>
struct Codec<std::optional<T>> {
    static_assert(!detail::kIsOptional<T>, "leftfold: an optional of an optional has no JSON form");

    static bool read(Reader& in, std::optional<T>& out) {
        out.reset();
        return in.kind() == Kind::null ? in.null() : Codec<T>::read(in, out.emplace());
    }
    static void write(std::string& out, const std::optional<T>& value) {
        if (value)
            Codec<T>::write(out, *value);
        else
            out.append("null");
    }
    static void shape(ShapeWriter& out) {
        out.out() += "{\"$optional\":";
        Codec<T>::shape(out);
        out.out().push_back('}');
    }
};

template <class T>
struct Codec<std::vector<T>> {
    static bool read(Reader& in, std::vector<T>& out) {
        out.clear();
        if (!in.begin_array())
            return false;
        while (in.next_element()) {
            T element{};
            if (!Codec<T>::read(in, element))
                return false;
            out.push_back(std::move(element));
        }
        return in.ok();
    }
    static void write(std::string& out, const std::vector<T>& value) {
        out.push_back('[');
        for (const T& element : value) {
            if (out.back() != '[')
                out.push_back(',');
            Codec<T>::write(out, element);
        }
        out.push_back(']');
    }
    static void shape(ShapeWriter& out) {
        out.out() += "{\"$array\":";
        Codec<T>::shape(out);
        out.out().push_back('}');
    }
};

template <class T>
struct Codec<std::map<std::string, T>> {
    static bool read(Reader& in, std::map<std::string, T>& out) {
        out.clear();
        if (!in.begin_object())
            return false;
        for (std::string_view key; in.next_field(key);) {
            const auto [entry, is_new] = out.try_emplace(std::string(key));
            if (!is_new)
                return in.fail("given twice");
            if (!Codec<T>::read(in, entry->second))
                return false;
        }
        return in.ok();
    }
    static void write(std::string& out, const std::map<std::string, T>& value) {
        out.push_back('{');
        for (const auto& [key, element] : value) {
            if (out.back() != '{')
                out.push_back(',');
            write_string(out, key);
            out.push_back(':');
            Codec<T>::write(out, element);
        }
        out.push_back('}');
    }
    static void shape(ShapeWriter& out) {
        out.out() += "{\"$map\":";
        Codec<T>::shape(out);
        out.out().push_back('}');
    }
};

template <class... T>
struct Codec<std::variant<T...>> {
    static_assert(((std::is_class_v<T> && std::is_aggregate_v<T>) && ...),
                  "leftfold: the alternatives of a variant must be structs, whose names tell them apart");
    static_assert((reflect::has_no_field_named<T>(detail::kTag) && ...),
                  "leftfold: an alternative of a variant may have no field called 'type': that is the tag");
    static constexpr std::array<std::string_view, sizeof...(T)> kNames{reflect::kebab_name<T>()...};
    static_assert(reflect::all_different(kNames), "leftfold: two alternatives of a variant have the same name");

    static bool read(Reader& in, std::variant<T...>& out) {
        if (!in.begin_object())
            return false;
        const std::string_view tag = in.peek_tag(detail::kTag);
        bool done = false;
        const bool known = ((tag == reflect::kebab_name<T>() &&
                             (done = detail::read_fields(in, out.template emplace<T>(), detail::kTag), true)) ||
                            ...);
        return known ? done : detail::fail_unknown_alternative(in, tag, kNames);
    }
    static void write(std::string& out, const std::variant<T...>& value) {
        std::visit(
            [&]<class A>(const A& alternative) {
                out.push_back('{');
                write_key(out, detail::kTag);
                write_string(out, reflect::kebab_name<A>());
                detail::write_fields(out, alternative);
            },
            value);
    }
    static void shape(ShapeWriter& out) {
        out.out() += "{\"$one-of\":{";
        (
            [&] {
                write_key(out.out(), reflect::kebab_name<T>());
                Codec<T>::shape(out);
            }(),
            ...);
        out.out() += "}}";
    }
};

}  // namespace leftfold::json
