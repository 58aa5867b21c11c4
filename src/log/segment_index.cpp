#include "segment_index.hpp"

#include <algorithm>
#include <iterator>

#include "format.hpp"

namespace leftfold::log {

std::uint64_t place_offset_before(const std::vector<Place>& places, Position position) noexcept {
    const auto behind = std::ranges::upper_bound(places, position, {}, &Place::position);
    return behind == places.begin() ? kSegmentHeaderBytes : std::prev(behind)->offset;
}

void SegmentIndex::note_place(Position position, std::uint64_t offset) {
    if (places.empty() || offset - places.back().offset >= kPlaceBytes)
        places.push_back({position, static_cast<std::uint32_t>(offset)});
}

void SegmentIndex::append(const MemoryIndex& group, std::uint64_t offset, Position base, Timestamp recorded_at) {
    Position position = base;
    for (const MemoryIndex::Batch& batch : group.batches()) {
        note_place(position, offset + batch.offset);
        position = Position(position.value() + batch.record_count);
    }
    batches.append(group, static_cast<std::uint32_t>(offset));
    end = position;
    recorded_at_last = recorded_at;
}

}  // namespace leftfold::log
