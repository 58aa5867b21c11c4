// StreamTopics: which events a live stream can show, what a request selects of them, and where it begins.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/event/catalogue.hpp"
#include "leftfold/event/record.hpp"
#include "leftfold/http/message.hpp"
#include "leftfold/log/event_log.hpp"
#include "leftfold/log/position_token.hpp"

#include "request_fields.hpp"

namespace leftfold::gateway {

// A partition of a topic that streams can show; dense from 0.
using SlotIndex = StrongId<struct SlotIndexTag, std::uint32_t>;

struct StreamTopic {
    TopicId topic;
    std::string name;       // "bank.account"
    std::string aggregate;  // "account"
    std::string source;     // CloudEvents `source` of its events
    std::vector<std::string> types;
    log::TopicHash hash;
    SlotIndex first_slot;
    std::uint32_t partition_count = 0;
};

struct Selection {
    std::vector<SlotIndex> slots;    // by topic hash, then partition, as in a token
    std::vector<std::string> types;  // sorted; empty: all
    std::string key;                 // empty: all

    bool takes_type(std::string_view type) const noexcept;
    friend auto operator<=>(const Selection&, const Selection&) = default;
};

// Where a stream has come to, in the order of its selection's slots: behind the last event seen.
using Vector = std::vector<Position>;

class StreamTopics {
  public:
    explicit StreamTopics(log::EventLog& log) noexcept : log_(log) {}

    void add(TopicId topic, std::string aggregate, std::string source, std::span<const EventType> types);

    std::span<const StreamTopic> topics() const noexcept { return topics_; }
    std::size_t slot_count() const noexcept { return slots_.size(); }
    log::Slot slot(SlotIndex index) const noexcept { return slots_[index.value()].slot; }
    const StreamTopic& topic_of(SlotIndex index) const noexcept { return topics_[slots_[index.value()].topic]; }
    std::optional<SlotIndex> find(log::Slot slot) const noexcept;

    // ?topic=, ?aggregate= and ?type=, each any number of times, ?key= and ?from=.
    struct Asked {
        Selection selection;
        std::string from;
    };
    OrResponse<Asked> asked_of_all(std::string_view query) const;
    // Of one aggregate: ?type= and ?from=.
    OrResponse<Asked> asked_of_one(TopicId topic, std::string_view key, std::string_view query) const;

    // `from` is "now", "start" or a token; the header Last-Event-ID, which a client sends when it connects again, wins.
    // A partition that the token does not name begins at its start, so that nothing is left out.
    OrResponse<Vector> begin_of(const http::Request& request, std::string_view from, const Selection& selection) const;

    // The token that says `vector`; a position of 0 is left out.
    void append_token(std::string& out, const Selection& selection, const Vector& vector) const;

  private:
    struct SlotEntry {
        log::Slot slot;
        std::size_t topic;  // index into topics_
    };

    OrResponse<Asked> select(std::vector<const StreamTopic*> topics, std::vector<std::string> types, std::string key,
                             std::string from) const;
    OrResponse<log::PositionToken> token_of(std::string_view text) const;

    log::EventLog& log_;
    std::vector<StreamTopic> topics_;
    std::vector<SlotEntry> slots_;
};

}  // namespace leftfold::gateway
