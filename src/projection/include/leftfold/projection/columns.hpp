// How a field of a row is kept in a cell, and back. What a field may be:
//
//   bool, integers, enum class   integer        Decimal<D>, Timestamp   integer, exact
//   float, double                real           std::string, Uuid       text
//   std::optional<one of these>  null or that   anything else           JSON text (json_codec.hpp), not to be indexed
//
// Marks (Key, Indexed, Personal) and Bounded are kept as what they hold. No user calls this.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "leftfold/event/json.hpp"
#include "leftfold/event/marks.hpp"
#include "leftfold/event/shape_writer.hpp"
#include "leftfold/projection/table_form.hpp"

namespace leftfold::detail {

// In place, so that a row of cells that is used again does not allocate.
inline void set_text(rows::Cell& cell, std::string_view text) {
    if (auto* held = std::get_if<std::string>(&cell))
        held->assign(text);
    else
        cell.emplace<std::string>(text);
}

[[noreturn]] void throw_no_number();
[[noreturn]] void throw_too_large();
[[noreturn]] void throw_no_time();
[[noreturn]] void throw_no_enumerator(std::string_view type);

// read() is false for a cell that write() has never made; write() may throw std::range_error for a value without a
// written form.
template <class T>
struct Column {
    static constexpr ColumnKind kKind = ColumnKind::json;
    static constexpr bool kNullable = false;

    static void write(rows::Cell& cell, const T& value) {
        set_text(cell, {});
        json::write(std::get<std::string>(cell), value);
    }
    static bool read(rows::Cell& cell, T& value, json::Reader& reader) {
        const auto* text = std::get_if<std::string>(&cell);
        value = T{};
        return text != nullptr && json::read(value, *text, json::Strictness::lenient, reader);
    }
    static void shape(json::ShapeWriter& out) {
        out.out() += "{\"$json\":";
        json::Codec<T>::shape(out);
        out.out().push_back('}');
    }
};

template <class Mark, class T>
struct Column<Marked<Mark, T>> : Column<T> {
    static void write(rows::Cell& cell, const Marked<Mark, T>& value) { Column<T>::write(cell, value.value()); }
    static bool read(rows::Cell& cell, Marked<Mark, T>& value, json::Reader& reader) {
        return Column<T>::read(cell, value.value(), reader);
    }
    static void shape(json::ShapeWriter& out) {
        if constexpr (std::same_as<Mark, PersonalMark>) {
            out.out() += "{\"$personal\":";
            Column<T>::shape(out);
            out.out().push_back('}');
        } else {
            Column<T>::shape(out);
        }
    }
};

template <class T>
struct Column<std::optional<T>> : Column<T> {
    static_assert(!Column<T>::kNullable, "leftfold: an optional of an optional cannot be a column");
    static constexpr bool kNullable = true;

    static void write(rows::Cell& cell, const std::optional<T>& value) {
        if (value)
            Column<T>::write(cell, *value);
        else
            cell.emplace<std::monostate>();
    }
    static bool read(rows::Cell& cell, std::optional<T>& value, json::Reader& reader) {
        value.reset();
        return std::holds_alternative<std::monostate>(cell) || Column<T>::read(cell, value.emplace(), reader);
    }
    static void shape(json::ShapeWriter& out) {
        out.out() += "{\"$optional\":";
        Column<T>::shape(out);
        out.out().push_back('}');
    }
};

// Of integer cells: to_cell() and from_cell() are the difference.
template <class T, class Self, ColumnKind Kind>
struct IntegerColumn {
    static constexpr ColumnKind kKind = Kind;
    static constexpr bool kNullable = false;

    static void write(rows::Cell& cell, const T& value) { cell.emplace<std::int64_t>(Self::to_cell(value)); }
    static bool read(rows::Cell& cell, T& value, json::Reader&) {
        const auto* number = std::get_if<std::int64_t>(&cell);
        return number != nullptr && Self::from_cell(*number, value);
    }
    static void shape(json::ShapeWriter& out) { json::Codec<T>::shape(out); }
};

template <>
struct Column<bool> : IntegerColumn<bool, Column<bool>, ColumnKind::boolean> {
    static std::int64_t to_cell(bool value) noexcept { return value ? 1 : 0; }
    static bool from_cell(std::int64_t number, bool& value) noexcept {
        value = number == 1;
        return number == 0 || number == 1;
    }
};

template <class T>
    requires(std::integral<T> && !std::same_as<T, char> && !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
             !std::same_as<T, char16_t> && !std::same_as<T, char32_t>)
struct Column<T> : IntegerColumn<T, Column<T>, ColumnKind::integer> {
    static std::int64_t to_cell(T value) {
        if (!std::in_range<std::int64_t>(value))
            throw_too_large();
        return static_cast<std::int64_t>(value);
    }
    static bool from_cell(std::int64_t number, T& value) noexcept {
        value = static_cast<T>(number);
        return std::in_range<T>(number);
    }
};

template <class T, T Lo, T Hi>
struct Column<Bounded<T, Lo, Hi>> : IntegerColumn<Bounded<T, Lo, Hi>, Column<Bounded<T, Lo, Hi>>, ColumnKind::integer> {
    static std::int64_t to_cell(Bounded<T, Lo, Hi> value) { return Column<T>::to_cell(value.value()); }
    static bool from_cell(std::int64_t number, Bounded<T, Lo, Hi>& value) noexcept {
        T inner{};
        if (!Column<T>::from_cell(number, inner) || inner < Lo || inner > Hi)
            return false;
        value = inner;
        return true;
    }
};

template <unsigned Digits>
struct Column<Decimal<Digits>> : IntegerColumn<Decimal<Digits>, Column<Decimal<Digits>>, ColumnKind::decimal> {
    static std::int64_t to_cell(Decimal<Digits> value) noexcept { return value.minor(); }
    static bool from_cell(std::int64_t number, Decimal<Digits>& value) noexcept {
        value = Decimal<Digits>::from_minor(number);
        return true;
    }
};

template <>
struct Column<Timestamp> : IntegerColumn<Timestamp, Column<Timestamp>, ColumnKind::timestamp> {
    static std::int64_t to_cell(Timestamp value) {
        if (value < json::kRfc3339First || value >= json::kRfc3339Behind)
            throw_no_time();
        return to_micros(value);
    }
    static bool from_cell(std::int64_t number, Timestamp& value) noexcept {
        value = timestamp_from_micros(number);
        return value >= json::kRfc3339First && value < json::kRfc3339Behind;
    }
};

template <class T>
    requires std::is_enum_v<T>
struct Column<T> : IntegerColumn<T, Column<T>, ColumnKind::enumeration> {
    static std::int64_t to_cell(T value) {
        if (reflect::enumerator_name(value).empty())
            throw_no_enumerator(reflect::type_name<T>());
        return static_cast<std::int64_t>(value);
    }
    static bool from_cell(std::int64_t number, T& value) noexcept {
        value = static_cast<T>(number);
        return number >= 0 && number < static_cast<std::int64_t>(reflect::kEnumeratorsMax) &&
               !reflect::enumerator_name(value).empty();
    }
};

template <std::floating_point T>
struct Column<T> {
    static constexpr ColumnKind kKind = ColumnKind::real;
    static constexpr bool kNullable = false;

    static void write(rows::Cell& cell, T value) {
        if (!std::isfinite(value))
            throw_no_number();
        cell.emplace<double>(static_cast<double>(value));
    }
    static bool read(rows::Cell& cell, T& value, json::Reader&) {
        const auto* number = std::get_if<double>(&cell);
        if (number != nullptr)
            value = static_cast<T>(*number);
        return number != nullptr;
    }
    static void shape(json::ShapeWriter& out) { out.name(sizeof(T) == 4 ? "float32" : "float64"); }
};

template <>
struct Column<std::string> {
    static constexpr ColumnKind kKind = ColumnKind::text;
    static constexpr bool kNullable = false;

    static void write(rows::Cell& cell, std::string_view value) { set_text(cell, value); }
    static bool read(rows::Cell& cell, std::string& value, json::Reader&) {
        auto* text = std::get_if<std::string>(&cell);
        if (text != nullptr)
            value.swap(*text);
        return text != nullptr;
    }
    static void shape(json::ShapeWriter& out) { out.name("string"); }
};

template <>
struct Column<Uuid> {
    static constexpr ColumnKind kKind = ColumnKind::uuid;
    static constexpr bool kNullable = false;

    static void write(rows::Cell& cell, const Uuid& value) { set_text(cell, value.to_string()); }
    static bool read(rows::Cell& cell, Uuid& value, json::Reader&) {
        const auto* text = std::get_if<std::string>(&cell);
        const auto id = Uuid::parse(text != nullptr ? std::string_view(*text) : std::string_view());
        if (id)
            value = *id;
        return id.has_value();
    }
    static void shape(json::ShapeWriter& out) { out.name("uuid"); }
};

// The enumerators' names, for kinds that have some.
template <class T>
struct EnumeratorsOf {
    static constexpr std::span<const std::string_view> names() noexcept {
        if constexpr (std::is_enum_v<T>)
            return json::Codec<T>::kNames;
        else
            return {};
    }
    static constexpr unsigned digits() noexcept {
        if constexpr (requires { T::kDigits; })
            return T::kDigits;
        else
            return 0;
    }
};
template <class Mark, class T>
struct EnumeratorsOf<Marked<Mark, T>> : EnumeratorsOf<T> {};
template <class T>
struct EnumeratorsOf<std::optional<T>> : EnumeratorsOf<T> {};

template <class Mark, class T>
inline constexpr bool kHasMark = false;
template <class Mark, class Other, class T>
inline constexpr bool kHasMark<Mark, Marked<Other, T>> = std::same_as<Mark, Other> || kHasMark<Mark, T>;
template <class Mark, class T>
inline constexpr bool kHasMark<Mark, std::optional<T>> = kHasMark<Mark, T>;

// One column of a key, as it is looked up by: a view for texts, so that a lookup allocates nothing.
template <class T>
struct KeyPart {
    using View = T;

    static const T& view(const T& field) noexcept { return field; }
    static void set(T& field, const View& view) { field = view; }
    static void write(rows::Cell& cell, const View& view) { Column<T>::write(cell, view); }
    static std::uint64_t hash(const View& view) {
        if constexpr (std::same_as<T, Uuid>) {
            const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(view.bytes());
            return halves[0] ^ std::rotl(halves[1], 32);
        } else {
            return static_cast<std::uint64_t>(Column<T>::to_cell(view));
        }
    }
};
template <>
struct KeyPart<std::string> {
    using View = std::string_view;

    static View view(const std::string& field) noexcept { return field; }
    static void set(std::string& field, View view) { field.assign(view); }
    static void write(rows::Cell& cell, View view) { set_text(cell, view); }
    static std::uint64_t hash(View view) noexcept { return std::hash<std::string_view>{}(view); }
};
template <class Mark, class T>
struct KeyPart<Marked<Mark, T>> : KeyPart<T> {
    static decltype(auto) view(const Marked<Mark, T>& field) noexcept { return KeyPart<T>::view(field.value()); }
    static void set(Marked<Mark, T>& field, const typename KeyPart<T>::View& view) {
        KeyPart<T>::set(field.value(), view);
    }
};

}  // namespace leftfold::detail
