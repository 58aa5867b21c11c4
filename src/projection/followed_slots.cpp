#include "followed_slots.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace leftfold {

Result<FollowedSlots> FollowedSlots::find(const log::EventLog& log, const ProjectionModel& model) {
    FollowedSlots slots;
    for (const std::string& name : model.topics()) {
        const auto found = std::ranges::find(log.topics(), name, &log::TopicDeclaration::name);
        if (found == log.topics().end()) {
            return fail(ErrorCode::invalid_argument,
                        fmt::format("the projection '{}' reads the topic '{}', which the log does not have: declare "
                                    "the aggregate it belongs to",
                                    model.name(), name));
        }
        const TopicId id(static_cast<std::uint32_t>(found - log.topics().begin()));
        if (std::ranges::find(slots.topics_, id, &Topic::id) != slots.topics_.end())
            continue;
        slots.topics_.push_back({id, log::topic_hash(name), slots.entries_.size(), found->partition_count});
        for (std::uint32_t p = 0; p < found->partition_count; ++p)
            slots.entries_.push_back({{id, PartitionId(p)}, name});
    }
    return slots;
}

std::optional<std::size_t> FollowedSlots::entry_of(const Topic& topic, PartitionId partition) const noexcept {
    if (partition.value() >= topic.partition_count)
        return std::nullopt;
    return topic.first + partition.value();
}

std::optional<std::size_t> FollowedSlots::index_of(log::Slot slot) const noexcept {
    const auto found = std::ranges::find(topics_, slot.topic, &Topic::id);
    return found == topics_.end() ? std::nullopt : entry_of(*found, slot.partition);
}

bool FollowedSlots::follows(log::TopicHash topic) const noexcept {
    return std::ranges::find(topics_, topic, &Topic::hash) != topics_.end();
}

std::optional<std::size_t> FollowedSlots::index_of(log::TopicHash topic, PartitionId partition) const noexcept {
    const auto found = std::ranges::find(topics_, topic, &Topic::hash);
    return found == topics_.end() ? std::nullopt : entry_of(*found, partition);
}

std::optional<std::size_t> FollowedSlots::index_of(const std::string& topic, PartitionId partition) const noexcept {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (entries_[i].topic == topic && entries_[i].slot.partition == partition)
            return i;
    }
    return std::nullopt;
}

Positions FollowedSlots::positions_of(const std::vector<rows::FoldedPosition>& stored) const {
    Positions positions(size());
    for (const rows::FoldedPosition& position : stored) {
        if (const auto index = index_of(position.topic, position.partition))
            positions[*index] = position.position;
    }
    return positions;
}

}  // namespace leftfold
