#include "segment.hpp"

#include <algorithm>

#include "leftfold/base/assert.hpp"

namespace leftfold::log {

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

std::uint64_t SegmentIndex::offset_before(Position position) const noexcept {
    const auto behind = std::ranges::upper_bound(places, position, {}, &Place::position);
    return behind == places.begin() ? kSegmentHeaderBytes : std::prev(behind)->offset;
}

Result<std::optional<StreamPart>> Segment::find_stream(std::uint64_t hash, std::string_view key) {
    const MemoryIndex& index = index_->batches;
    const MemoryIndex::Stream* stream = index.find(hash, key);
    if (stream == nullptr)
        return std::nullopt;
    return StreamPart{Version(index.find_version(*stream, Version(0))->first_version), index.head(*stream).last_version()};
}

Result<std::vector<std::uint32_t>> Segment::stream_batches(std::uint64_t hash, std::string_view key, Version from,
                                                           std::size_t count_max) {
    std::vector<std::uint32_t> offsets;
    const MemoryIndex& index = index_->batches;
    if (const MemoryIndex::Stream* stream = index.find(hash, key)) {
        while (offsets.size() < count_max) {
            const MemoryIndex::Batch* batch = index.find_version(*stream, from);
            if (batch == nullptr)
                break;
            offsets.push_back(batch->offset);
            from = batch->last_version().next();
        }
    }
    return offsets;
}

Result<std::vector<std::uint32_t>> Segment::command_batches(std::uint64_t hash) {
    std::vector<std::uint32_t> offsets;
    index_->batches.find_command(hash, [&](std::uint32_t offset) { return offsets.push_back(offset), false; });
    return offsets;
}

Result<std::uint64_t> Segment::offset_before(Position position) { return index_->offset_before(position); }

void Segment::append(const MemoryIndex& group, std::uint64_t group_bytes, Position base, Timestamp recorded_at) {
    LEFTFOLD_ASSERT(base >= end());
    index_->append(group, bytes_, base, recorded_at);
    bytes_ += group_bytes;
}

}  // namespace leftfold::log
