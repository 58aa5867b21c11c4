// EventCodec: between a variant of event structs and what the log stores: a type name, a version and a JSON payload.
//
//   EventCodec<Account::Event> codec("bank.account");
//   const StoredType type = codec.encode(event, payload);      // payload appended; "bank.account.withdrawn", 1
//   Result<Account::Event> event = codec.decode(record, reader);
//
// Events of older versions go through upcast() step by step, then read leniently. Immutable after construction: any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/event/event_type.hpp"
#include "leftfold/event/json.hpp"
#include "leftfold/event/record.hpp"

namespace leftfold {

// The name lives as long as the codec that gave it.
struct StoredType {
    std::string_view name;
    std::uint32_t version = 1;
};

// The types of one aggregate, found by stored name. The part of EventCodec that is not a template.
class EventTypeTable {
  public:
    struct Entry {
        std::string name;
        std::uint32_t version = 1;
        Upcast upcast = nullptr;
    };
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

    // Names must differ.
    explicit EventTypeTable(std::vector<Entry> entries);

    StoredType type(std::size_t index) const noexcept { return {entries_[index].name, entries_[index].version}; }

    // The index of the entry, or kNone.
    std::size_t find(std::string_view name) const noexcept;

    // What stands in the way of reading this record as one of the types.
    Error unknown_type(const Record& record) const;
    Error newer_version(const Record& record, std::size_t index) const;
    static Error unreadable(const Record& record, const json::ReadError& why);

    // The payload in the version of entry `index`. Fails if it is no JSON, or if upcast() threw.
    Result<std::string> upcast(const Record& record, std::size_t index, json::Reader& reader) const;

  private:
    std::size_t slot_of(std::string_view name) const noexcept;

    std::vector<Entry> entries_;
    std::vector<std::uint32_t> slots_;  // index + 1 of the entry whose name hashes here; no two do
    std::uint64_t seed_ = 0;
    unsigned shift_ = 0;
};

template <class Event>
class EventCodec;

template <class... E>
class EventCodec<std::variant<E...>> {
    static_assert(((std::is_class_v<E> && std::is_aggregate_v<E>) && ...), "leftfold: events must be plain structs");
    static_assert(reflect::all_different(std::array<std::string_view, sizeof...(E)>{event_name<E>()...}),
                  "leftfold: two events of one aggregate have the same stored name: give one another event_name");

  public:
    using Event = std::variant<E...>;

    // `prefix` is "<application>.<aggregate>".
    explicit EventCodec(std::string_view prefix)
        : table_({EventTypeTable::Entry{std::string(prefix) + "." + std::string(event_name<E>()), event_version<E>(),
                                        event_upcast<E>()}...}),
          prefix_(prefix) {}

    StoredType type_of(const Event& event) const noexcept { return table_.type(event.index()); }

    // Appends the payload. May throw std::range_error for a value without a written form.
    StoredType encode(const Event& event, std::string& payload) const {
        std::visit([&]<class A>(const A& alternative) { json::Codec<A>::write(payload, alternative); }, event);
        return type_of(event);
    }

    Result<Event> decode(const Record& record, json::Reader& reader) const {
        const std::size_t index = table_.find(record.meta.type);
        if (index == EventTypeTable::kNone)
            return std::unexpected(table_.unknown_type(record));
        const std::uint32_t version = table_.type(index).version;
        if (record.meta.type_version == version) [[likely]]
            return read(record, index, record.payload, reader);
        if (record.meta.type_version > version)
            return std::unexpected(table_.newer_version(record, index));
        LEFTFOLD_TRY(payload, table_.upcast(record, index, reader));
        return read(record, index, payload, reader);
    }

    // For the catalogue.
    std::vector<EventType> types() const { return {event_type<E>(prefix_)...}; }

  private:
    using ReadInto = bool (*)(Event& event, std::string_view payload, json::Reader& reader);

    template <class A>
    static bool read_into(Event& event, std::string_view payload, json::Reader& reader) {
        return json::read(event.template emplace<A>(), payload, json::Strictness::lenient, reader);
    }

    static Result<Event> read(const Record& record, std::size_t index, std::string_view payload, json::Reader& reader) {
        static constexpr ReadInto kReadInto[] = {&read_into<E>...};
        Result<Event> event;
        if (!kReadInto[index](*event, payload, reader))
            event = std::unexpected(EventTypeTable::unreadable(record, reader.error()));
        return event;
    }

    EventTypeTable table_;
    std::string prefix_;
};

}  // namespace leftfold
