// The partitions of the topics that a reaction follows, in one list, whose index is a SlotIndex.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/log/event_log.hpp"
#include "leftfold/reaction/model.hpp"

namespace leftfold::reaction {

using SlotIndex = std::size_t;

class FollowedSlots {
  public:
    struct Entry {
        log::Slot slot;
        std::string topic;
    };

    // invalid_argument: the log does not have such a topic.
    static Result<FollowedSlots> find(const log::EventLog& log, const ReactionModel& model);

    std::size_t size() const noexcept { return entries_.size(); }
    const Entry& operator[](SlotIndex index) const noexcept { return entries_[index]; }
    std::optional<SlotIndex> find(std::string_view topic, PartitionId partition) const noexcept;
    // Where the stream of a key is. none: it does not follow this topic.
    std::optional<SlotIndex> of_key(std::string_view topic, std::string_view key) const noexcept;
    bool follows(TopicId topic) const noexcept;

  private:
    struct Topic {
        std::string name;
        TopicId id;
        SlotIndex first;
        std::uint32_t partition_count;
    };
    const Topic* find_topic(std::string_view name) const noexcept;

    std::vector<Topic> topics_;
    std::vector<Entry> entries_;
};

}  // namespace leftfold::reaction
