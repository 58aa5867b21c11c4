// FollowedSlots: the partitions that a projection reads, numbered from 0. Positions of all of them are a vector in this
// order.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/log/event_log.hpp"
#include "leftfold/log/position_token.hpp"
#include "leftfold/projection/model.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold {

using Positions = std::vector<Position>;

// Immutable: any thread.
class FollowedSlots {
  public:
    struct Entry {
        log::Slot slot;
        std::string topic;
    };

    FollowedSlots() = default;
    // invalid_argument: the log has not all of the topics.
    static Result<FollowedSlots> find(const log::EventLog& log, const ProjectionModel& model);

    std::size_t size() const noexcept { return entries_.size(); }
    const Entry& operator[](std::size_t index) const noexcept { return entries_[index]; }

    std::optional<std::size_t> index_of(log::Slot slot) const noexcept;
    bool follows(log::TopicHash topic) const noexcept;
    std::optional<std::size_t> index_of(log::TopicHash topic, PartitionId partition) const noexcept;
    std::optional<std::size_t> index_of(const std::string& topic, PartitionId partition) const noexcept;

    // From a store. What it has of others is of topics that were once followed, and means nothing.
    Positions positions_of(const std::vector<rows::FoldedPosition>& stored) const;

  private:
    struct Topic {
        TopicId id;
        log::TopicHash hash;
        std::size_t first = 0;  // of its entries
        std::uint32_t partition_count = 0;
    };
    std::optional<std::size_t> entry_of(const Topic& topic, PartitionId partition) const noexcept;

    std::vector<Topic> topics_;
    std::vector<Entry> entries_;
};

}  // namespace leftfold
