#include "followed_slots.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "leftfold/base/murmur2.hpp"

namespace leftfold::reaction {

Result<FollowedSlots> FollowedSlots::find(const log::EventLog& log, const ReactionModel& model) {
    FollowedSlots slots;
    for (const std::string& name : model.topics()) {
        const auto found = std::ranges::find(log.topics(), name, &log::TopicDeclaration::name);
        if (found == log.topics().end()) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("the reaction '{}' follows the topic '{}', which the log does not have: declare the "
                            "aggregate it belongs to",
                            model.name(), name));
        }
        const TopicId id(static_cast<std::uint32_t>(found - log.topics().begin()));
        slots.topics_.push_back({name, id, slots.entries_.size(), found->partition_count});
        for (std::uint32_t p = 0; p < found->partition_count; ++p)
            slots.entries_.push_back({{id, PartitionId(p)}, name});
    }
    return slots;
}

const FollowedSlots::Topic* FollowedSlots::find_topic(std::string_view name) const noexcept {
    const auto found = std::ranges::find(topics_, name, &Topic::name);
    return found == topics_.end() ? nullptr : &*found;
}

std::optional<SlotIndex> FollowedSlots::find(std::string_view topic, PartitionId partition) const noexcept {
    const Topic* found = find_topic(topic);
    if (found == nullptr || partition.value() >= found->partition_count)
        return std::nullopt;
    return found->first + partition.value();
}

std::optional<SlotIndex> FollowedSlots::of_key(std::string_view topic, std::string_view key) const noexcept {
    const Topic* found = find_topic(topic);
    if (found == nullptr)
        return std::nullopt;
    return found->first + partition_of(key, found->partition_count).value();
}

bool FollowedSlots::follows(TopicId topic) const noexcept {
    return std::ranges::find(topics_, topic, &Topic::id) != topics_.end();
}

}  // namespace leftfold::reaction
