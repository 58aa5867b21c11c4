// make_typed_reaction<R>: the ReactionModel of a user's struct (concepts.hpp says what it is made of). The only
// template code between the struct and the runner.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/event/event_codec.hpp"
#include "leftfold/event/event_type.hpp"
#include "leftfold/event/json.hpp"
#include "leftfold/reaction/concepts.hpp"
#include "leftfold/reaction/model.hpp"

namespace leftfold {

namespace reaction {

// The part of a typed reaction that is not a template.
class ReactionBase : public ReactionModel {
  public:
    struct Event {
        EventTypeTable::Entry type;
        bool is_handled = false;
    };

    const std::string& name() const noexcept final { return name_; }
    std::span<const std::string> topics() const noexcept final { return topics_; }
    bool handles(std::string_view type) const noexcept final;

  protected:
    ReactionBase(std::string_view name, std::vector<std::string> topics, const std::vector<Event>& events);

    // The place in the list given at construction; the event must be one of them.
    std::size_t index_of(const Record& record) const noexcept;
    // The payload in the version of this build; `upcasted` may hold it.
    Result<std::string_view> payload(const Record& record, std::size_t index, std::string& upcasted,
                                     json::Reader& reader) const;
    static ReactionResult unreadable(const Error& why);

  private:
    std::string name_;
    std::vector<std::string> topics_;
    EventTypeTable types_;
    std::vector<bool> handled_;
};

template <class... E>
struct TypeList {};
template <class... Lists>
struct Joined;
template <class... A>
struct Joined<TypeList<A...>> {
    using type = TypeList<A...>;
};
template <class... A, class... B, class... Others>
struct Joined<TypeList<A...>, std::variant<B...>, Others...> : Joined<TypeList<A..., B...>, Others...> {};
template <class Streams>
struct EventsOf;
template <class... S>
struct EventsOf<ReadsFrom<S...>> : Joined<TypeList<>, typename S::Event...> {};

template <class R>
class TypedReaction final : public ReactionBase {
    static_assert(check_reaction<R>());

  public:
    TypedReaction(std::string_view application, std::string_view name, R reaction)
        : ReactionBase(name, topics_of(application, std::type_identity<typename R::Events>()),
                       events_of(application, std::type_identity<typename R::Events>())),
          reaction_(std::move(reaction)) {}

    Task<ReactionResult> react(std::shared_ptr<const StoredEvent> event, ReactionContext context) const override {
        return dispatch(std::move(event), std::move(context), typename EventsOf<typename R::Events>::type());
    }

  private:
    using Step = Task<ReactionResult> (TypedReaction::*)(std::shared_ptr<const StoredEvent>, ReactionContext,
                                                         std::size_t) const;

    template <class... E>
    Task<ReactionResult> dispatch(std::shared_ptr<const StoredEvent> event, ReactionContext context,
                                  TypeList<E...>) const {
        static constexpr Step kSteps[] = {step_of<E>()...};
        const std::size_t index = index_of(event->record());
        return (this->*kSteps[index])(std::move(event), std::move(context), index);
    }
    template <class E>
    static constexpr Step step_of() noexcept {
        if constexpr (kReacts<R, E>)
            return &TypedReaction::template step<E>;
        else
            return nullptr;
    }

    template <class E>
    Task<ReactionResult> step(std::shared_ptr<const StoredEvent> event, ReactionContext context,
                              std::size_t index) const {
        E typed{};
        if (auto read = read_into(typed, event->record(), index); !read) {
            ReactionResult result = unreadable(read.error());
            co_return result;
        }
        if constexpr (ReactsInContext<R, E>) {
            ReactionResult result = co_await reaction_.on(std::move(typed), std::move(context));
            co_return result;
        } else {
            ReactionResult result = co_await reaction_.on(std::move(typed));
            co_return result;
        }
    }
    template <class E>
    Result<> read_into(E& typed, const Record& record, std::size_t index) const {
        json::Reader reader;
        std::string upcasted;
        LEFTFOLD_TRY(payload, this->payload(record, index, upcasted, reader));
        if (!json::read(typed, payload, json::Strictness::lenient, reader))
            return std::unexpected(EventTypeTable::unreadable(record, reader.error()));
        return {};
    }

    template <class... S>
    static std::vector<std::string> topics_of(std::string_view application, std::type_identity<ReadsFrom<S...>>) {
        return {topic_name(application, S::aggregate)...};
    }
    template <class... S>
    static std::vector<Event> events_of(std::string_view application, std::type_identity<ReadsFrom<S...>>) {
        std::vector<Event> events;
        (add_events(events, topic_name(application, S::aggregate), std::type_identity<typename S::Event>()), ...);
        return events;
    }
    template <class... E>
    static void add_events(std::vector<Event>& events, const std::string& topic,
                           std::type_identity<std::variant<E...>>) {
        (events.push_back(
             {{topic + "." + std::string(event_name<E>()), event_version<E>(), event_upcast<E>()}, kReacts<R, E>}),
         ...);
    }

    const R reaction_;
};

}  // namespace reaction

// `name` is what its folder and its dead letters are called by: "notify-owner". Topics are "<application>.<aggregate>".
// `value`: where the reaction has settings in its fields.
template <class R>
std::unique_ptr<ReactionModel> make_typed_reaction(std::string_view application, std::string_view name, R value = {}) {
    return std::make_unique<reaction::TypedReaction<R>>(application, name, std::move(value));
}

}  // namespace leftfold
