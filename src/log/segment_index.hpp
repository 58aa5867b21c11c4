// SegmentIndex: all that is known of the batches of one segment, in memory. Of the segment being written, and of a
// closed one until its index file is there.
#pragma once

#include <cstdint>
#include <vector>

#include "leftfold/base/time.hpp"

#include "memory_index.hpp"

namespace leftfold::log {

// Where a batch begins: one is kept for every kPlaceBytes of a segment.
struct Place {
    Position position;
    std::uint32_t offset;
};
inline constexpr std::uint32_t kPlaceBytes = 32 * 1024;

// Of the last place at or before `position`; of the first batch if there is none.
std::uint64_t place_offset_before(const std::vector<Place>& places, Position position) noexcept;

struct SegmentIndex {
    MemoryIndex batches;
    std::vector<Place> places;
    Position end;
    Timestamp recorded_at_last = Timestamp::min();

    // A group of batches at `offset` with positions from `base` on.
    void append(const MemoryIndex& group, std::uint64_t offset, Position base, Timestamp recorded_at);
    void note_place(Position position, std::uint64_t offset);
    std::uint64_t offset_before(Position position) const noexcept { return place_offset_before(places, position); }
};

}  // namespace leftfold::log
