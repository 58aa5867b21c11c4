// Segment: one file of batches with the index over it, as readers of the shard use it.
//
// What a MemoryIndex answers for a segment that is being written, an index file answers for one that is closed; callers do not
// see which. Views in a ReadBatch's buffers; everything else by value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format.hpp"
#include "leftfold/env/files.hpp"
#include "memory_index.hpp"

namespace leftfold::log {

// Where a batch begins: one is kept for every kPlaceBytes of a segment.
struct Place {
    Position position;
    std::uint32_t offset;
};
inline constexpr std::uint32_t kPlaceBytes = 32 * 1024;

// What is known of the batches of one segment, all in memory.
struct SegmentIndex {
    MemoryIndex batches;
    std::vector<Place> places;
    Position end;
    Timestamp recorded_at_last = Timestamp::min();

    // A group of batches at `offset` with positions from `base` on.
    void append(const MemoryIndex& group, std::uint64_t offset, Position base, Timestamp recorded_at);
    // The last place at or before `position`.
    std::uint64_t offset_before(Position position) const noexcept;
    void note_place(Position position, std::uint64_t offset);
};

// A stream's part of one segment.
struct StreamPart {
    Version first;
    Version last;
};

// The offsets of consecutive batches of a stream, the first with the version asked for.
struct BatchOffsets {
    std::vector<std::uint32_t> offsets;
};

class Segment {
  public:
    Segment(std::string path, SegmentHeader header, std::uint64_t bytes, std::shared_ptr<SegmentIndex> index)
        : path_(std::move(path)), header_(std::move(header)), bytes_(bytes), index_(std::move(index)) {}

    const std::string& path() const noexcept { return path_; }
    Position base() const noexcept { return header_.base; }
    Position end() const noexcept { return index_->end; }
    std::uint64_t bytes() const noexcept { return bytes_; }
    std::uint32_t seed() const noexcept { return header_.checksum; }
    Timestamp recorded_at_last() const noexcept { return index_->recorded_at_last; }
    const std::shared_ptr<SegmentIndex>& memory() const noexcept { return index_; }

    bool is_open() const noexcept { return file_ != nullptr; }
    void set_file(std::unique_ptr<File> file) noexcept { file_ = std::move(file); }
    File& file() noexcept { return *file_; }

    Result<std::optional<StreamPart>> find_stream(std::uint64_t hash, std::string_view key);
    // Up to `count_max` batches of a stream that is here, the first holding `from` (or the oldest, where that is older).
    Result<std::vector<std::uint32_t>> stream_batches(std::uint64_t hash, std::string_view key, Version from,
                                                      std::size_t count_max);
    // Batches that may hold the command, newest last.
    Result<std::vector<std::uint32_t>> command_batches(std::uint64_t hash);
    // Where to begin to look for a position.
    Result<std::uint64_t> offset_before(Position position);

    // Of the segment that is being written: a group became durable.
    void append(const MemoryIndex& group, std::uint64_t group_bytes, Position base, Timestamp recorded_at);

  private:
    std::string path_;
    SegmentHeader header_;
    std::uint64_t bytes_;  // header and whole batches
    std::shared_ptr<SegmentIndex> index_;
    std::unique_ptr<File> file_;
};

}  // namespace leftfold::log
