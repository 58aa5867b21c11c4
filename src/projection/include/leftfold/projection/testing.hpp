// Tests of a projection, under any test framework:
//
//   given<Balances>(event_at("acc-1", Opened{"Jana"}), event_at("acc-1", Deposited{Money("5.00")}))
//       .when(event_at("acc-1", Withdrawn{Money("2.00")}))
//       .then_rows<Balance>({{.account = "acc-1", .balance = Money("3.00"), .owner = "Jana"}});
//
//   check_interleavings<Balances>(events, {.seed = 7});
//
// Events go through their JSON, and rows through a store, as they do in production. What is not as expected throws
// ScenarioFailed, which tells the whole story; every framework reports it.
//
// check_interleavings() folds the events in many orders, each as a rebuild might see it: only the events of one key of
// one stream keep their order. The rows must be the same in all of them, wherever batches end. Else it finds two events
// side by side whose order matters.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "leftfold/event/scenario_failed.hpp"
#include "leftfold/projection/typed_projection.hpp"

namespace leftfold {

// An event of the stream of this key.
template <class E>
struct EventAt {
    std::string key;
    E event;
    std::optional<Timestamp> happened = {};
    std::string actor = {};
    std::string_view aggregate = {};  // empty: of the only stream that has the event

    EventAt at(Timestamp time) && {
        happened = time;
        return std::move(*this);
    }
    EventAt by(std::string_view who) && {
        actor = who;
        return std::move(*this);
    }
};

template <class E>
EventAt<E> event_at(std::string_view key, E event) {
    return {std::string(key), std::move(event)};
}
// Where several streams have the event.
template <EventStream Stream, class E>
EventAt<E> event_at(std::string_view key, E event) {
    EventAt<E> out{std::string(key), std::move(event)};
    out.aggregate = Stream::aggregate;
    return out;
}

struct Interleavings {
    std::uint64_t seed = 1;
    std::size_t orders = 50;
};

namespace detail {

struct ToldEvent {
    std::string aggregate;
    std::string name;  // "deposited"
    std::uint32_t type_version = 1;
    std::string key;
    std::string payload;
    std::optional<Timestamp> time;
    std::string actor;
};

using TableRows = std::vector<rows::Row>;

// The part that is not a template.
class ProjectionScenario {
  public:
    explicit ProjectionScenario(std::unique_ptr<ProjectionModel> model);
    ~ProjectionScenario();

    void fold(std::string_view step, std::span<const ToldEvent> events);
    TableRows rows(std::size_t table) const;
    // In any order.
    void expect(std::size_t table, const TableRows& expected) const;

  private:
    struct World;
    std::unique_ptr<World> world_;
};

// `forgetful` is the same projection with hardly a row known from batch to batch.
void check_interleavings(const ProjectionModel& model, const ProjectionModel& forgetful,
                         std::span<const ToldEvent> events, const Interleavings& options);

template <class E, class Variant>
inline constexpr bool kIsOneOf = false;
template <class E, class... Alternatives>
inline constexpr bool kIsOneOf<E, std::variant<Alternatives...>> = (std::same_as<E, Alternatives> || ...);

template <class Streams, class E>
struct StreamsWith;
template <class... S, class E>
struct StreamsWith<ReadsFrom<S...>, E> {
    static constexpr std::size_t kCount = (std::size_t{kIsOneOf<E, typename S::Event>} + ...);

    static std::string_view aggregate() noexcept {
        std::string_view name;
        ((name = kIsOneOf<E, typename S::Event> ? std::string_view(S::aggregate) : name), ...);
        return name;
    }
};

template <class R, class Tables>
struct TableNumber;
template <class R, class... Tables>
struct TableNumber<R, std::tuple<Tables...>> {
    static_assert((std::same_as<R, Tables> || ...), "leftfold: this row is not in 'using Tables' of the projection");
    static constexpr std::size_t value = [] {
        std::size_t number = 0;
        bool found = false;
        ((found = found || std::same_as<R, Tables>, number += found ? 0 : 1), ...);
        return number;
    }();
};

}  // namespace detail

// An event that projection P reads: from event_at().
template <class P>
class EventFor : public detail::ToldEvent {
  public:
    template <class E>
    EventFor(EventAt<E> told) {  // NOLINT(google-explicit-constructor): lists of event_at(…) are the point
        using Streams = detail::StreamsWith<typename P::Events, E>;
        static_assert(Streams::kCount > 0, "leftfold: no stream of the projection has this event");
        if (told.aggregate.empty() && Streams::kCount > 1)
            throw ScenarioFailed("several streams have this event: say event_at<Stream>(key, event)");
        aggregate = told.aggregate.empty() ? Streams::aggregate() : told.aggregate;
        name = event_name<E>();
        type_version = event_version<E>();
        key = std::move(told.key);
        json::write(payload, told.event);
        time = told.happened;
        actor = std::move(told.actor);
    }
};

namespace detail {

template <class P>
std::vector<ToldEvent> told(const std::vector<EventFor<P>>& events) {
    return {events.begin(), events.end()};
}

template <class P>
class ThenRows {
  public:
    explicit ThenRows(std::unique_ptr<ProjectionScenario> scenario) noexcept : scenario_(std::move(scenario)) {}

    // The table of R holds exactly these, in any order.
    template <class R>
    ThenRows then_rows(const std::vector<R>& expected) && {
        TableRows cells;
        for (const R& row : expected)
            write_cells(std::span(cells.emplace_back(reflect::field_count<R>())), row);
        scenario_->expect(TableNumber<R, typename P::Tables>::value, cells);
        return std::move(*this);
    }

  private:
    std::unique_ptr<ProjectionScenario> scenario_;
};

template <class P>
class [[nodiscard]] GivenEvents {
  public:
    explicit GivenEvents(const std::vector<EventFor<P>>& events)
        : scenario_(std::make_unique<ProjectionScenario>(make_typed_projection<P>("test", "projection"))) {
        scenario_->fold("given", told(events));
    }

    // In a later batch.
    template <class... E>
    GivenEvents when(EventAt<E>... events) && {
        scenario_->fold("when", told(std::vector<EventFor<P>>{EventFor<P>(std::move(events))...}));
        return std::move(*this);
    }

    template <class R>
    ThenRows<P> then_rows(const std::vector<R>& expected) && {
        return ThenRows<P>(std::move(scenario_)).template then_rows<R>(expected);
    }
    // By key, for what then_rows() is too exact for.
    template <class R>
    std::vector<R> rows() const {
        std::vector<R> all;
        json::Reader reader;
        TableRows cells = scenario_->rows(TableNumber<R, typename P::Tables>::value);
        for (rows::Row& row : cells)
            read_cells(std::span(row), all.emplace_back(), reader);
        return all;
    }

  private:
    std::unique_ptr<ProjectionScenario> scenario_;
};

}  // namespace detail

template <class P, class... E>
    requires detail::NamesTables<P>
detail::GivenEvents<P> given(EventAt<E>... events) {
    return detail::GivenEvents<P>(std::vector<EventFor<P>>{EventFor<P>(std::move(events))...});
}
template <class P>
    requires detail::NamesTables<P>
detail::GivenEvents<P> given(const std::vector<EventFor<P>>& events) {
    return detail::GivenEvents<P>(events);
}

template <class P>
void check_interleavings(const std::vector<EventFor<P>>& events, const Interleavings& options = {}) {
    detail::check_interleavings(*make_typed_projection<P>("test", "projection"),
                                *make_typed_projection<P>("test", "projection", {.rows_cached_max = 1}),
                                detail::told(events), options);
}

}  // namespace leftfold
