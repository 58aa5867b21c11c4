// CommitJob: one group of batches on its way to the disk. Filled by the shard, run by a worker, read by the shard
// again; never by both at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "leftfold/env/files.hpp"

#include "format.hpp"

namespace leftfold::log {

inline constexpr std::uint64_t kAllocateBytes = 4ULL * 1024 * 1024;

struct CommitJob {
    // In.
    FileSystem* files = nullptr;
    std::string folder;                   // of the partition
    std::uint64_t segment_bytes = 0;      // no space is taken far beyond
    std::optional<SegmentHeader> begins;  // a new segment, which the group opens
    std::string* group = nullptr;         // unsealed batches
    Position durable_up_to;

    // In and out: the segment being written. `file` is the one to use; a new segment's is in `created`.
    File* file = nullptr;
    std::uint64_t offset = 0;     // where the group goes
    std::uint64_t allocated = 0;  // bytes of the file that surely have space
    std::uint32_t seed = 0;
    std::unique_ptr<File> created;

    // Out.
    Result<> result;
    bool surely_not_written = true;  // where it failed
};

// Blocks. On success the whole group is durable.
void run(CommitJob& job);

// "00000000000000001234" + suffix
std::string segment_name(Position base, std::string_view suffix);

inline constexpr std::string_view kSegmentSuffix = ".log";
inline constexpr std::string_view kNewSegmentSuffix = ".log.new";  // until its header is durable
inline constexpr std::string_view kTailSuffix = ".tail";           // while recovery writes a tail again

}  // namespace leftfold::log
