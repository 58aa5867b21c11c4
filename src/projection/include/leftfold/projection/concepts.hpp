// What makes a struct a projection, checked when it is compiled, with messages for people.
//
//   struct Balances {
//       using Events = leftfold::ReadsFrom<bank::AccountEvents>;     the streams that it reads
//       using Tables = std::tuple<Balance>;                          row_type.hpp; queries without a name ask the first
//       static constexpr std::uint32_t version = 1;                  another one: all rows are folded anew
//       // For each event that matters; the meta is optional; one Rows<> per table, in the order of Tables.
//       void on(const bank::Deposited& event, const leftfold::EventMeta& meta, leftfold::Rows<Balance>& rows) const {
//           rows[meta.key].balance += event.amount;
//       }
//   };
//
// Handlers depend on nothing but their arguments: rows can be deleted and folded anew at any time.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "leftfold/event/event_stream.hpp"
#include "leftfold/event/record.hpp"
#include "leftfold/event/reflect.hpp"
#include "leftfold/projection/rows.hpp"

namespace leftfold {

namespace detail {

template <class... T>
struct TypeList {};

template <class T>
inline constexpr bool kIsTuple = false;
template <class First, class... Others>
inline constexpr bool kIsTuple<std::tuple<First, Others...>> = true;
template <class T>
inline constexpr bool kIsReadsFrom = false;
template <class First, class... Others>
inline constexpr bool kIsReadsFrom<ReadsFrom<First, Others...>> = true;

template <class P>
concept NamesStreams = requires { typename P::Events; } && kIsReadsFrom<typename P::Events>;
template <class P>
concept NamesTables = requires { typename P::Tables; } && kIsTuple<typename P::Tables>;
template <class P>
concept NamesVersion = requires {
    { P::version } -> std::convertible_to<std::uint32_t>;
};

template <class P, class E, class... R>
concept HandlesPlain =
    requires(const P& projection, const E& event, Rows<R>&... rows) { projection.on(event, rows...); };
template <class P, class E, class... R>
concept HandlesInContext = requires(const P& projection, const E& event, const EventMeta& meta, Rows<R>&... rows) {
    projection.on(event, meta, rows...);
};

template <class P, class E, class Tables>
inline constexpr bool kHandles = false;
template <class P, class E, class... R>
inline constexpr bool kHandles<P, E, std::tuple<R...>> = HandlesPlain<P, E, R...> || HandlesInContext<P, E, R...>;

// Whether P has any member `on`: if so, the name is ambiguous where another one is inherited beside it.
struct HasOn {
    void on();
};
template <class P>
struct BesideOn : P, HasOn {};
template <class P>
inline constexpr bool kHasOn = !requires { &BesideOn<P>::on; };

// Overloads of `on` beside one that takes anything, and is chosen if no other can be.
struct NoHandler {};
template <class P>
struct OrNoHandler : P {
    using P::on;
    NoHandler on(...) const;
};

struct AnyArgument {
    template <class T>
    operator T&() const noexcept;
};
template <std::size_t>
using AnyArgumentAt = AnyArgument;
struct NoEvent {};
template <class... Known>
struct OtherEvent {
    template <class T>
        requires(!(std::same_as<T, Known> || ...))
    operator const T&() const noexcept;
};

// Some overload of `on` takes First and so many other arguments, whatever they are: else NoHandler would be the one.
template <class P, class First, class Indices>
inline constexpr bool kTakes = false;
template <class P, class First, std::size_t... I>
inline constexpr bool kTakes<P, First, std::index_sequence<I...>> = !requires(OrNoHandler<P>& any, const First& first) {
    { any.on(first, AnyArgumentAt<I>{}...) } -> std::same_as<NoHandler>;
};
template <class P, class First, std::size_t... Count>
consteval bool takes(std::index_sequence<Count...>) {
    return (kTakes<P, First, std::make_index_sequence<Count>> || ...);
}
// With none, the meta, the tables, and one more.
template <class P>
using ArgumentCounts = std::make_index_sequence<std::tuple_size_v<typename P::Tables> + 3>;

template <class Variant>
struct AlternativesOf;
template <class... E>
struct AlternativesOf<std::variant<E...>> {
    using type = TypeList<E...>;
};

template <class... Lists>
struct Joined;
template <>
struct Joined<> {
    using type = TypeList<>;
};
template <class... A>
struct Joined<TypeList<A...>> {
    using type = TypeList<A...>;
};
template <class... A, class... B, class... Others>
struct Joined<TypeList<A...>, TypeList<B...>, Others...> : Joined<TypeList<A..., B...>, Others...> {};

// All events of all streams, in order.
template <class Streams>
struct EventsOf;
template <class... S>
struct EventsOf<ReadsFrom<S...>> : Joined<typename AlternativesOf<typename S::Event>::type...> {};

// One instantiation per event and stream, so that the compiler's message names it.
template <class Projection, class Event>
struct HandlerOf {
    static constexpr bool kFound = kHandles<Projection, Event, typename Projection::Tables>;
    static_assert(
        kFound || !takes<Projection, Event>(ArgumentCounts<Projection>()),
        "leftfold: the projection takes this event with other parameters than 'void on(const Event&, Rows<…>&…) "
        "const' or 'void on(const Event&, const EventMeta&, Rows<…>&…) const', with one Rows<> for each row of "
        "'using Tables', in this order; so it would never be called. See HandlerOf<Projection, Event>");
    static constexpr bool ok = true;
};
template <class Projection, class Stream, class Events = typename AlternativesOf<typename Stream::Event>::type>
struct StreamOf;
template <class Projection, class Stream, class... E>
struct StreamOf<Projection, Stream, TypeList<E...>> {
    static_assert((HandlerOf<Projection, E>::kFound || ...),
                  "leftfold: the projection handles no event of the Stream named in StreamOf<Projection, Stream>: add "
                  "'void on(const Event&, Rows<…>&…) const', or take the stream out of 'using Events'");
    static constexpr bool ok = (HandlerOf<Projection, E>::ok && ...);
};

template <class P, class... E>
consteval bool handles_other_events(TypeList<E...>) {
    // A handler for whatever there is takes this, too.
    if constexpr (takes<P, NoEvent>(ArgumentCounts<P>()))
        return false;
    else
        return takes<P, OtherEvent<E...>>(ArgumentCounts<P>());
}

template <class P, class... S, class... R>
consteval bool check_parts(std::type_identity<ReadsFrom<S...>>, std::type_identity<std::tuple<R...>>) {
    static_assert(reflect::all_different(std::array<std::string_view, sizeof...(S)>{S::aggregate...}),
                  "leftfold: a projection reads the same stream twice");
    static_assert(reflect::all_different(std::array<std::string_view, sizeof...(R)>{reflect::kebab_name<R>()...}),
                  "leftfold: two rows of a projection have the same name: their tables are called as they are");
    static_assert(kHasOn<P>,
                  "leftfold: a projection has a handler for each event that matters: "
                  "'void on(const Event&, const EventMeta&, Rows<…>&…) const'");
    if constexpr (kHasOn<P>) {
        static_assert(
            !handles_other_events<P>(typename EventsOf<ReadsFrom<S...>>::type()),
            "leftfold: an 'on' of the projection takes an event that none of its streams has, so it would never "
            "be called: add the stream to 'using Events = ReadsFrom<…>', or take the 'on' out");
        return (StreamOf<P, S>::ok && ...) && (check_row<R>() && ...);
    }
    return false;
}

}  // namespace detail

// Instantiated by everything that takes a projection; true, or a compile error that says what is missing.
template <class P>
consteval bool check_projection() {
    static_assert(
        detail::NamesStreams<P>,
        "leftfold: a projection needs 'using Events = leftfold::ReadsFrom<…>;' with the streams that it reads");
    static_assert(
        detail::NamesTables<P>,
        "leftfold: a projection needs 'using Tables = std::tuple<…>;' with a struct for each kind of its rows");
    static_assert(detail::NamesVersion<P>,
                  "leftfold: a projection needs 'static constexpr std::uint32_t version = 1;', to be raised when its "
                  "handlers change, so that its rows are folded anew");
    static_assert(std::default_initializable<P>, "leftfold: a projection is default-constructed: it has no state");
    static_assert(!std::is_final_v<P>, "leftfold: a projection that is final cannot be checked: take 'final' out");
    if constexpr (detail::NamesStreams<P> && detail::NamesTables<P> && detail::NamesVersion<P>)
        return detail::check_parts<P>(std::type_identity<typename P::Events>(),
                                      std::type_identity<typename P::Tables>());
    else
        return false;
}

}  // namespace leftfold
