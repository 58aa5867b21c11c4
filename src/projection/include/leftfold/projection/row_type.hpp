// What makes a struct a row of a projection, checked when it is compiled, with messages for people.
//
//   struct Statement {
//       leftfold::Key<std::string> account;   // one or several Key<> members, first: the key, in this order
//       leftfold::Key<std::int64_t> number;
//       leftfold::Indexed<Timestamp> time;    // an index of its own
//       std::string month;
//       Money amount;
//       // indexes of several columns
//       using Indexes = std::tuple<leftfold::Index<"by_month", &Statement::account, &Statement::month>>;
//   };
//
// Its table is called as the struct, in lower_snake_case: "statement". columns.hpp says what a field may be.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "leftfold/event/reflect.hpp"
#include "leftfold/projection/columns.hpp"
#include "leftfold/projection/table_form.hpp"

namespace leftfold {

namespace detail {

template <std::size_t Size>
struct FixedText {
    char characters[Size]{};

    consteval FixedText(const char (&text)[Size]) {
        for (std::size_t i = 0; i < Size; ++i)
            characters[i] = text[i];
    }
    constexpr std::string_view view() const noexcept { return {characters, Size - 1}; }
};

}  // namespace detail

template <detail::FixedText Name, auto... Members>
struct Index {
    static_assert(sizeof...(Members) > 0, "leftfold: an index has columns: leftfold::Index<\"name\", &Row::column, …>");
    static constexpr std::string_view kName = Name.view();
    template <class Function>
    static constexpr void for_each_column(Function&& function) {
        (function.template operator()<Members>(), ...);
    }
};

namespace detail {

// The fields of a row as std::tuple<const Field*…>.
template <class R>
using FieldPointers = decltype(reflect::detail::field_pointers<R>());
template <class R, std::size_t I>
using FieldOf = std::remove_const_t<std::remove_pointer_t<std::tuple_element_t<I, FieldPointers<R>>>>;

constexpr bool is_lower_snake(std::string_view name) noexcept {
    if (name.empty() || name[0] < 'a' || name[0] > 'z')
        return false;
    for (const char c : name) {
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

// One instantiation per field, so that the compiler's message names it.
template <class Row, class Field, std::size_t Number>
struct FieldCheck {
    static constexpr bool kIsKey = kHasMark<KeyMark, Field>;
    static constexpr bool kIsIndexed = kHasMark<IndexedMark, Field>;

    static_assert(is_lower_snake(reflect::field_names<Row>()[Number]),
                  "leftfold: the fields of a row are columns, whose names are in lower_snake_case");
    static_assert(!(kIsKey && Column<Field>::kNullable),
                  "leftfold: a key is never absent: take the optional out of Key<>");
    static_assert(!(kIsKey && Column<Field>::kKind == ColumnKind::real),
                  "leftfold: a key is exact: floating point cannot be one");
    static_assert(
        !(kIsKey && Column<Field>::kKind == ColumnKind::json),
        "leftfold: a key needs a column that has an order: nested structs, vectors and maps are kept as JSON text");
    static_assert(
        !(kIsIndexed && Column<Field>::kKind == ColumnKind::json),
        "leftfold: an index needs a column that has an order: nested structs, vectors and maps are kept as JSON text");
    static_assert(!(kIsKey && kIsIndexed),
                  "leftfold: Key<> and Indexed<> on one field: a key has its index, take Indexed<> out");
    static constexpr bool ok = true;
};

template <class R>
consteval std::size_t key_count() {
    std::size_t count = 0;
    reflect::detail::for_each_field_type<R>([&]<class Field>() { count += kHasMark<KeyMark, Field> ? 1 : 0; });
    return count;
}

template <class R>
consteval bool keys_come_first() {
    bool behind = false;
    bool ordered = true;
    reflect::detail::for_each_field_type<R>([&]<class Field>() {
        behind = behind || !kHasMark<KeyMark, Field>;
        ordered = ordered && !(behind && kHasMark<KeyMark, Field>);
    });
    return ordered;
}

template <class R, class = void>
struct IndexesOf {
    using type = std::tuple<>;
};
template <class R>
struct IndexesOf<R, std::void_t<typename R::Indexes>> {
    using type = typename R::Indexes;
};

template <class Row, class DeclaredIndex>
struct IndexCheck;
template <class Row, FixedText Name, auto... Members>
struct IndexCheck<Row, Index<Name, Members...>> {
    template <auto Member>
    using Field = FieldOf<Row, reflect::field_index<Member>()>;

    static_assert(is_lower_snake(Name.view()), "leftfold: an index has a name in lower_snake_case");
    static_assert(reflect::has_no_field_named<Row>(Name.view()),
                  "leftfold: an index is called as a column: give it another name, since queries name both");
    static_assert(
        ((Column<Field<Members>>::kKind != ColumnKind::json) && ...),
        "leftfold: an index needs a column that has an order: nested structs, vectors and maps are kept as JSON text");
    static constexpr bool ok = true;
};

template <class R, std::size_t... I, class... Indexes>
consteval bool check_fields(std::index_sequence<I...>, std::type_identity<std::tuple<Indexes...>>) {
    static_assert(reflect::all_different(std::array<std::string_view, sizeof...(Indexes)>{Indexes::kName...}),
                  "leftfold: two indexes of a row have the same name");
    return (FieldCheck<R, FieldOf<R, I>, I>::ok && ...) && (IndexCheck<R, Indexes>::ok && ...);
}

}  // namespace detail

// Instantiated by everything that takes a row; true, or a compile error that says what is wrong.
template <class R>
consteval bool check_row() {
    constexpr std::size_t fields = reflect::field_count<R>();
    static_assert(detail::key_count<R>() > 0,
                  "leftfold: a row needs a key: leftfold::Key<…> around its first field, or its first fields");
    static_assert(detail::keys_come_first<R>(),
                  "leftfold: the Key<…> fields of a row come first, since together and in this order they are its key");
    static_assert(std::is_default_constructible_v<R>, "leftfold: a row is default-constructed before it is filled");
    return detail::check_fields<R>(std::make_index_sequence<fields>(),
                                   std::type_identity<typename detail::IndexesOf<R>::type>());
}

namespace detail {

// Views of the fields of a key, in order.
template <class R, class Indices = std::make_index_sequence<key_count<R>()>>
struct KeyOf;
template <class R, std::size_t... I>
struct KeyOf<R, std::index_sequence<I...>> {
    using View = std::tuple<typename KeyPart<FieldOf<R, I>>::View...>;
    template <std::size_t N>
    using Part = KeyPart<FieldOf<R, N>>;

    static View of(const R& row) {
        return reflect::with_fields(row, [](const auto&... field) {
            const auto all = std::forward_as_tuple(field...);
            return View(KeyPart<FieldOf<R, I>>::view(std::get<I>(all))...);
        });
    }
    static void set(R& row, const View& key) {
        reflect::with_fields(row, [&](auto&... field) {
            const auto all = std::forward_as_tuple(field...);
            (KeyPart<FieldOf<R, I>>::set(std::get<I>(all), std::get<I>(key)), ...);
        });
    }
    static std::uint64_t hash(const View& key) {
        std::uint64_t value = 0;
        ((value = (std::rotl(value, 23) ^ KeyPart<FieldOf<R, I>>::hash(std::get<I>(key))) * 0x9E37'79B9'7F4A'7C15U),
         ...);
        return value ^ (value >> 32);
    }
    // Of the first so many columns.
    template <std::size_t... N, class... Given>
    static void write(std::span<rows::Cell> cells, std::index_sequence<N...>, const std::tuple<Given...>& key) {
        (KeyPart<FieldOf<R, N>>::write(cells[N], std::get<N>(key)), ...);
    }
};

template <class R>
void write_cells(std::span<rows::Cell> cells, const R& row) {
    reflect::with_fields(row, [&](const auto&... field) {
        std::size_t i = 0;
        (Column<std::remove_cvref_t<decltype(field)>>::write(cells[i++], field), ...);
    });
}

// Takes the texts out of the cells. False: a cell is not of its column.
template <class R>
bool read_cells(std::span<rows::Cell> cells, R& row, json::Reader& reader) {
    return reflect::with_fields(row, [&](auto&... field) {
        std::size_t i = 0;
        return (Column<std::remove_cvref_t<decltype(field)>>::read(cells[i++], field, reader) && ...);
    });
}

template <class R, class... Indexes>
void add_indexes(rows::Table& table, std::type_identity<std::tuple<Indexes...>>) {
    (
        [&] {
            rows::Index index{.name = std::string(Indexes::kName), .columns = {}};
            Indexes::for_each_column([&]<auto Member>() {
                index.columns.push_back(static_cast<std::uint32_t>(reflect::field_index<Member>()));
            });
            table.indexes.push_back(std::move(index));
        }(),
        ...);
}

}  // namespace detail

template <class R>
TableForm table_form() {
    static_assert(check_row<R>());
    TableForm form;
    form.row_type = reflect::type_name<R>();
    form.table.name = reflect::kebab_name<R>();
    for (char& c : form.table.name)
        c = c == '-' ? '_' : c;
    form.table.key_columns = static_cast<std::uint32_t>(detail::key_count<R>());
    reflect::detail::for_each_field_type<R>([&]<class Field>() {
        using Column = detail::Column<Field>;
        const std::size_t number = form.columns.size();
        json::ShapeWriter shape;
        Column::shape(shape);
        form.columns.push_back({.name = std::string(reflect::field_names<R>()[number]),
                                .kind = Column::kKind,
                                .nullable = Column::kNullable,
                                .digits = detail::EnumeratorsOf<Field>::digits(),
                                .names = detail::EnumeratorsOf<Field>::names(),
                                .shape = std::move(shape.out())});
        const ColumnForm& column = form.columns.back();
        form.table.columns.push_back({column.name, cell_type_of(column.kind), column.nullable});
        if (detail::kHasMark<detail::IndexedMark, Field>)
            form.table.indexes.push_back({column.name, {static_cast<std::uint32_t>(number)}});
    });
    detail::add_indexes<R>(form.table, std::type_identity<typename detail::IndexesOf<R>::type>());
    return form;
}

}  // namespace leftfold
