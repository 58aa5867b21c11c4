// SegmentSet: what is durable of one partition, and every question that is answered from it. Belongs to the shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "leftfold/log/event_log.hpp"

#include "commit.hpp"
#include "segment.hpp"

namespace leftfold::log {

// Open files of closed segments, per partition: the least recently used is closed above it.
inline constexpr std::size_t kOpenFilesMax = 16;

class SegmentSet {
  public:
    // Segments in order of their bases, as recovery found them; the last is written on.
    SegmentSet(FileSystem& files, std::uint64_t hash_seed, std::vector<std::unique_ptr<Segment>> segments,
               std::uint64_t allocated);

    Position start() const noexcept;
    Position end() const noexcept;  // durable
    Timestamp recorded_at_last() const noexcept;

    // 0: no such stream.
    Result<Version> head(std::uint64_t hash, std::string_view key);
    Result<std::optional<CommandEvents>> find_command(std::uint64_t hash, std::string_view key,
                                                      std::string_view command_id);
    Result<ReadBatch> read(Position from, std::size_t bytes_max);
    Result<ReadBatch> read_stream(std::uint64_t hash, std::string_view key, Version from, std::size_t bytes_max);

    // Fills in where a group of `group_bytes` goes; `begins` describes the segment that it opens if the last one is
    // full.
    void plan(CommitJob& job, std::size_t group_bytes, const SegmentHeader& begins) const;
    // After the job has run, whatever its result: adopts a new segment. The segment before it, if it is closed by that,
    // is returned: its index may go to a file.
    Segment* adopt(CommitJob& job);
    // After it succeeded.
    void committed(const CommitJob& job, const MemoryIndex& group, Position base, Timestamp recorded_at);

    // The index of the closed segment with this base is in a file now.
    void set_index_file(Position base, std::unique_ptr<IndexFile> index);

  private:
    struct StreamRead;

    Result<> open(Segment& segment);
    // Calls `ask` with the segment open; once more with a new index where the index file turns out to be damaged.
    template <class Ask>
    std::invoke_result_t<Ask> asked(Segment& segment, Ask ask);
    Segment* find(Position position) noexcept;
    Result<bool> read_segment(Segment& segment, Position from, std::size_t bytes_max, ReadBatch& out);
    Result<> read_stream_part(Segment& segment, StreamRead& read);

    FileSystem& files_;
    std::uint64_t hash_seed_;
    std::vector<std::unique_ptr<Segment>> segments_;
    std::uint64_t allocated_;  // of the last segment

    std::vector<Segment*> open_closed_;  // least recently used first
    // Where the last read() ended: a reader that goes on finds its place at once.
    const Segment* cursor_segment_ = nullptr;
    Position cursor_position_ = kNoPosition;
    std::uint64_t cursor_offset_ = 0;
};

// The events of one command among the records of a batch; none if it is not there. last_position is set.
std::optional<CommandEvents> command_events(std::span<const Record> records, std::string_view command_id);

}  // namespace leftfold::log
