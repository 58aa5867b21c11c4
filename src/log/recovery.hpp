// Recovery of one partition at open (SEMANTICS 23).
//
// A break below what was known durable is damage and is refused. Above it, it is the torn tail of the last group and is
// cut. What is whole above the known durable end may be in the page cache only, even after a sync that "succeeded"
// behind a failed one: it is read from the disk, kept in a file beside, written again and synced, before anybody is
// served.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "leftfold/env/files.hpp"

#include "scan.hpp"
#include "segment.hpp"

namespace leftfold::log {

struct RecoveryInput {
    FileSystem& files;
    std::string directory;  // of the log, for messages
    std::string folder;     // of the partition; exists
    SegmentPlace place;
    std::uint64_t hash_seed = 0;
    Position durable;  // by the manifest
};

struct Recovered {
    std::vector<std::unique_ptr<Segment>> segments;  // in order; the last one's file is open for writing
    std::uint64_t allocated = 0;                     // of the last one
};

// Blocks. Writes nothing where the log was stopped cleanly.
Result<Recovered> recover_partition(const RecoveryInput& input);

// Base positions of the segments in a folder, in order.
Result<std::vector<Position>> list_segments(FileSystem& files, const std::string& folder);

}  // namespace leftfold::log
