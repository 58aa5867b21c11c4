// make_typed_projection<P>: the ProjectionModel of a user's struct (concepts.hpp says what it is made of). The only
// template code between the struct and the runner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "leftfold/event/event_codec.hpp"
#include "leftfold/event/event_type.hpp"
#include "leftfold/event/json.hpp"
#include "leftfold/projection/concepts.hpp"
#include "leftfold/projection/model.hpp"

namespace leftfold {

struct ProjectionOptions {
    // Of each table, known from batch to batch, and changed in one batch before it is written.
    std::size_t rows_cached_max = detail::RowCache::kRowsMax;
};

namespace detail {

// The part of a typed projection that is not a template.
class ProjectionBase : public ProjectionModel {
  public:
    struct Event {
        EventTypeTable::Entry type;
        bool is_handled = false;
    };
    struct Parts {
        std::uint32_t version = 1;
        std::vector<std::string> topics;
        std::vector<Event> events;
        std::vector<TableForm> forms;
    };

    const std::string& name() const noexcept override { return name_; }
    const rows::Schema& schema() const noexcept override { return schema_; }
    const std::string& shape() const noexcept override { return shape_; }
    std::span<const std::string> topics() const noexcept override { return topics_; }
    std::span<const TableForm> forms() const noexcept override { return forms_; }

    const EventTypeTable& types() const noexcept { return types_; }
    const ProjectionOptions& options() const noexcept { return options_; }
    RowsOrigin origin(rows::RowStore& store, std::size_t table) const;

    // Of an event that no stream declares: an error if one of them should know it, else none of the projection's.
    Result<> unknown(const Record& record) const;
    // The payload in the version of this build; `upcasted` may hold it.
    Result<std::string_view> payload(const Record& record, std::size_t type, std::string& upcasted,
                                     json::Reader& reader) const;
    Error thrown(const Record& record, const char* what) const;
    Error unreadable(const Record& record, Error why) const;
    Error failed(const Record& record, Error why) const;

  protected:
    ProjectionBase(std::string_view name, Parts parts, const ProjectionOptions& options);

  private:
    std::string name_;
    std::vector<std::string> topics_;
    EventTypeTable types_;
    std::vector<TableForm> forms_;
    rows::Schema schema_;
    std::string shape_;
    ProjectionOptions options_;
};

template <class P, class Events, class Tables>
class TypedFold;

template <class P, class... E, class... R>
class TypedFold<P, TypeList<E...>, std::tuple<R...>> final : public ProjectionFold {
  public:
    TypedFold(const ProjectionBase& model, rows::RowStore& store)
        : TypedFold(model, store, std::index_sequence_for<R...>()) {}

    Result<> apply(const Record& record) override {
        static constexpr Step kSteps[] = {step_of<E>()...};
        const std::size_t type = model_.types().find(record.meta.type);
        if (type == EventTypeTable::kNone)
            return model_.unknown(record);
        if (kSteps[type] == nullptr)
            return {};
        LEFTFOLD_CHECK((this->*kSteps[type])(record, type));
        const bool is_full = std::apply([](const auto&... rows) { return (rows.is_full() || ...); }, rows_);
        return is_full ? flush() : Result<>();
    }
    Result<> flush() override {
        Result<> written;
        const auto succeeds = [&](auto& rows) { return (written = rows.flush()).has_value(); };
        std::apply([&](auto&... rows) { static_cast<void>((succeeds(rows) && ...)); }, rows_);
        return written;
    }
    void discard() noexcept override {
        std::apply([](auto&... rows) { (rows.discard(), ...); }, rows_);
    }

  private:
    using Step = Result<> (TypedFold::*)(const Record& record, std::size_t type);

    template <std::size_t... I>
    TypedFold(const ProjectionBase& model, rows::RowStore& store, std::index_sequence<I...>)
        : model_(model), rows_(model.origin(store, I)...) {}

    template <class Event>
    static constexpr Step step_of() noexcept {
        if constexpr (kHandles<P, Event, std::tuple<R...>>)
            return &TypedFold::template step<Event>;
        else
            return nullptr;
    }

    template <class Event>
    Result<> step(const Record& record, std::size_t type) {
        std::string upcasted;
        LEFTFOLD_TRY(payload, model_.payload(record, type, upcasted, reader_));
        Event event{};
        if (!json::read(event, payload, json::Strictness::lenient, reader_))
            return std::unexpected(model_.unreadable(record, EventTypeTable::unreadable(record, reader_.error())));
        try {
            if constexpr (HandlesInContext<P, Event, R...>)
                std::apply([&](auto&... rows) { projection_.on(event, record.meta, rows...); }, rows_);
            else
                std::apply([&](auto&... rows) { projection_.on(event, rows...); }, rows_);
        } catch (RowsFailed& failure) {
            return std::unexpected(model_.failed(record, std::move(failure.error)));
        } catch (const std::exception& error) {
            return std::unexpected(model_.thrown(record, error.what()));
        } catch (...) {
            return std::unexpected(model_.thrown(record, "something that is no std::exception"));
        }
        return {};
    }

    const ProjectionBase& model_;
    std::tuple<Rows<R>...> rows_;
    const P projection_{};
    json::Reader reader_;
};

template <class P>
class TypedProjection final : public ProjectionBase {
    static_assert(check_projection<P>());
    using Events = typename EventsOf<typename P::Events>::type;
    using Tables = typename P::Tables;

  public:
    TypedProjection(std::string_view application, std::string_view name, const ProjectionOptions& options)
        : ProjectionBase(name,
                         parts(application, std::type_identity<typename P::Events>(), std::type_identity<Tables>()),
                         options) {}

    std::unique_ptr<ProjectionFold> fold_into(rows::RowStore& store) const override {
        return std::make_unique<TypedFold<P, Events, Tables>>(*this, store);
    }

  private:
    template <class... S, class... R>
    static Parts parts(std::string_view application, std::type_identity<ReadsFrom<S...>>,
                       std::type_identity<std::tuple<R...>>) {
        Parts parts{
            .version = P::version, .topics = {topic_name(application, S::aggregate)...}, .events = {}, .forms = {}};
        (add_events(parts, topic_name(application, S::aggregate), typename AlternativesOf<typename S::Event>::type()),
         ...);
        (parts.forms.push_back(table_form<R>()), ...);
        return parts;
    }
    template <class... E>
    static void add_events(Parts& parts, const std::string& topic, TypeList<E...>) {
        (parts.events.push_back({{topic + "." + std::string(event_name<E>()), event_version<E>(), event_upcast<E>()},
                                 kHandles<P, E, Tables>}),
         ...);
    }
};

}  // namespace detail

// `name` is what its files and routes are called by: "balances". Topics are "<application>.<aggregate>".
template <class P>
std::unique_ptr<ProjectionModel> make_typed_projection(std::string_view application, std::string_view name,
                                                       const ProjectionOptions& options = {}) {
    return std::make_unique<detail::TypedProjection<P>>(application, name, options);
}

}  // namespace leftfold
