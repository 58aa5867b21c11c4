// StrongId: a number that is one thing only, so that a position never passes for a version.
//
// Instances are declared below. They compare and hash; value() is for codecs and output. Only those that count have
// next().
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <type_traits>

namespace leftfold {

template <class Tag, class Rep>
class StrongId {
  public:
    using rep = Rep;

    constexpr StrongId() noexcept = default;
    constexpr explicit StrongId(Rep value) noexcept : value_(value) {}

    constexpr Rep value() const noexcept { return value_; }
    constexpr StrongId next() const noexcept { return StrongId(static_cast<Rep>(value_ + 1)); }

    friend constexpr auto operator<=>(StrongId, StrongId) noexcept = default;

  private:
    Rep value_{};
};

// Of an event within its partition: grows, may have gaps, starts at 0. On Kafka it is the offset.
using Position = StrongId<struct PositionTag, std::int64_t>;

// Of an event within its stream: 1, 2, 3 … without gaps. 0 means that the stream does not exist.
using Version = StrongId<struct VersionTag, std::int64_t>;

// A partition of a topic: 0 … count - 1.
using PartitionId = StrongId<struct PartitionIdTag, std::uint32_t>;

// A topic within one opened log, dense from 0 in the order of declaration. Never stored: the name is.
using TopicId = StrongId<struct TopicIdTag, std::uint32_t>;

// Of the owner that wrote a batch: grows with every open (embedded) or take-over (Kafka).
using Epoch = StrongId<struct EpochTag, std::uint32_t>;

}  // namespace leftfold

template <class Tag, class Rep>
struct std::hash<leftfold::StrongId<Tag, Rep>> {
    std::size_t operator()(leftfold::StrongId<Tag, Rep> id) const noexcept { return std::hash<Rep>{}(id.value()); }
};
