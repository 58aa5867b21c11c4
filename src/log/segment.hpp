// Segment: one file of batches with the index over it, as readers of the shard use it.
//
// What memory answers for a segment that is being written, an index file answers for one that is closed; callers do not
// see which. A lookup that fails with corrupt while has_index_file() means that the index file is damaged:
// rebuild_index(), ask again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/env/files.hpp"

#include "format.hpp"
#include "index_file.hpp"
#include "segment_index.hpp"

namespace leftfold::log {

// A stream's part of one segment.
struct StreamPart {
    Version first;
    Version last;
    IndexFile::Stream stored{};  // where an index file gave it
};

class Segment {
  public:
    Segment(std::string path, SegmentHeader header, std::uint64_t bytes, std::shared_ptr<SegmentIndex> index)
        : path_(std::move(path)), header_(std::move(header)), bytes_(bytes), memory_(std::move(index)) {}
    Segment(std::string path, SegmentHeader header, std::uint64_t bytes, std::unique_ptr<IndexFile> index)
        : path_(std::move(path)), header_(std::move(header)), bytes_(bytes), index_file_(std::move(index)) {}

    const std::string& path() const noexcept { return path_; }
    const SegmentHeader& header() const noexcept { return header_; }
    Position base() const noexcept { return header_.base; }
    Position end() const noexcept { return memory_ ? memory_->end : index_file_->end(); }
    std::uint64_t bytes() const noexcept { return bytes_; }
    std::uint32_t seed() const noexcept { return header_.checksum; }
    Timestamp recorded_at_last() const noexcept {
        return memory_ ? memory_->recorded_at_last : index_file_->recorded_at_last();
    }

    bool is_open() const noexcept { return file_ != nullptr; }
    Result<> open(FileSystem& files);
    void close() noexcept;
    void set_file(std::unique_ptr<File> file) noexcept { file_ = std::move(file); }
    File& file() noexcept { return *file_; }

    // False: what has this hash is surely not here. The following need the segment open.
    bool may_contain(std::uint64_t hash) const noexcept { return memory_ || index_file_->may_contain(hash); }
    Result<std::optional<StreamPart>> find_stream(std::uint64_t hash, std::string_view key);
    // Of a stream's part here, its last version; without looking for the first.
    Result<std::optional<Version>> last_version(std::uint64_t hash, std::string_view key);
    // Up to `count_max` batches of a stream that is here, the first holding `from` (or the oldest, where that is
    // older).
    Result<std::vector<std::uint32_t>> stream_batches(const StreamPart& part, std::uint64_t hash, std::string_view key,
                                                      Version from, std::size_t count_max);
    // Batches that may hold the command, newest last.
    Result<std::vector<std::uint32_t>> command_batches(std::uint64_t hash);
    // Where to begin to look for a position.
    std::uint64_t offset_before(Position position) const noexcept {
        return memory_ ? memory_->offset_before(position) : index_file_->offset_before(position);
    }

    // Of the segment that is being written: a group became durable.
    void append(const MemoryIndex& group, std::uint64_t group_bytes, Position base, Timestamp recorded_at);

    bool has_index_file() const noexcept { return index_file_ != nullptr; }
    const std::shared_ptr<SegmentIndex>& memory() const noexcept { return memory_; }
    void set_index_file(std::unique_ptr<IndexFile> index);
    void set_memory(std::shared_ptr<SegmentIndex> index);
    IndexedSegment indexed(std::uint64_t hash_seed) const noexcept { return {seed(), bytes_, hash_seed}; }

  private:
    std::string path_;
    SegmentHeader header_;
    std::uint64_t bytes_;                   // header and whole batches
    std::shared_ptr<SegmentIndex> memory_;  // one of the two
    std::unique_ptr<IndexFile> index_file_;
    std::unique_ptr<File> file_;
    std::unique_ptr<File> index_handle_;
};

}  // namespace leftfold::log
