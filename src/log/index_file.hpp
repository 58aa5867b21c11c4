// IndexFile: what a MemoryIndex knows of a closed segment, in a file beside it, so that memory does not grow with the
// streams and command ids that nobody asks for. Can always be made again from the segment. docs/formats/log.md has the
// bytes.
//
// A bloom filter, bucket directories and places stay in memory (about 1.4 bytes a stream or command); the rest is read
// bucket by bucket, each under its checksum. corrupt from a lookup means: rebuild it from the segment.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/env/files.hpp"

#include "segment_index.hpp"

namespace leftfold::log {

inline constexpr std::string_view kIndexSuffix = ".index";

// What ties an index to its segment: another one's, or an older one's, is not believed.
struct IndexedSegment {
    std::uint32_t seed = 0;
    std::uint64_t bytes = 0;
    std::uint64_t hash_seed = 0;

    friend bool operator==(const IndexedSegment&, const IndexedSegment&) = default;
};

// Bytes of an index file.
std::string encode_index(const SegmentIndex& index, const IndexedSegment& segment);

class IndexFile {
  public:
    struct Stream {
        std::uint64_t hash;
        Version first;
        Version last;
        std::uint32_t newest_offset;  // of its newest batch
        std::uint32_t list_start;
        std::uint32_t list_count;
    };
    struct BatchEntry {
        std::uint32_t offset;
        std::uint32_t version_offset;  // of its first version from the stream's first
    };

    // Reads what stays in memory. corrupt or unsupported if it is not this segment's, whole.
    static Result<std::unique_ptr<IndexFile>> open(FileSystem& files, const std::string& path,
                                                   const IndexedSegment& segment);
    // From the bytes that were just written to `path`.
    static Result<std::unique_ptr<IndexFile>> from_bytes(const std::string& path, std::string_view bytes,
                                                         const IndexedSegment& segment);

    const std::string& path() const noexcept { return path_; }
    Position end() const noexcept { return end_; }
    Timestamp recorded_at_last() const noexcept { return recorded_at_last_; }
    std::uint64_t offset_before(Position position) const noexcept { return place_offset_before(places_, position); }
    // False: surely not here.
    bool may_contain(std::uint64_t hash) const noexcept;

    // `file` is this index file, open. Streams with this hash; more than one only where hashes collide.
    Result<std::vector<Stream>> find_streams(File& file, std::uint64_t hash) const;
    Result<std::vector<std::uint32_t>> find_commands(File& file, std::uint64_t hash) const;
    // Up to `count_max` batches, the first the one with the version asked for, or the oldest where that is older.
    Result<std::vector<std::uint32_t>> batches(File& file, const Stream& stream, Version from,
                                               std::size_t count_max) const;

    std::size_t memory_bytes() const noexcept;

  private:
    struct Bucket {
        std::uint32_t first;  // entry
        std::uint32_t checksum;
    };
    struct Directory {
        std::uint32_t bits = 0;
        std::uint32_t count = 0;
        std::uint64_t entries_offset = 0;
        std::vector<Bucket> buckets;
    };

    Result<> parse_resident(std::string_view bytes, const IndexedSegment& segment);
    Result<std::string> read_bucket(File& file, const Directory& directory, std::size_t entry_bytes,
                                    std::uint64_t hash) const;

    std::string path_;
    Position end_;
    Timestamp recorded_at_last_;
    std::vector<std::uint64_t> bloom_;
    Directory streams_;
    Directory commands_;
    std::vector<Place> places_;
    std::uint64_t lists_offset_ = 0;
    std::uint32_t batch_count_ = 0;
};

// Writes the index file of a closed segment; `index` does not change meanwhile. Blocks.
Result<std::unique_ptr<IndexFile>> write_index(FileSystem& files, const std::string& path, const SegmentIndex& index,
                                               const IndexedSegment& segment);

// "00000000000000001234.index" for "00000000000000001234.log"
std::string index_path(std::string_view segment_path);

}  // namespace leftfold::log
