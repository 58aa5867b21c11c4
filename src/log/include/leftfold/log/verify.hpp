// verify_log: reads every byte of a data directory and says what is there and what is damaged. Changes nothing, and may
// run beside the process that holds the directory: then it sees a prefix of what that process writes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/base/strong_id.hpp"
#include "leftfold/base/uuid.hpp"
#include "leftfold/env/files.hpp"

namespace leftfold::log {

struct Finding {
    std::string file;
    std::uint64_t offset = 0;
    std::string what;
};

struct PartitionReport {
    std::string topic;
    PartitionId partition;
    std::uint64_t segment_count = 0;
    std::uint64_t batch_count = 0;
    std::uint64_t record_count = 0;
    std::uint64_t stream_count = 0;
    std::uint64_t bytes = 0;  // of headers and whole batches
    Position start;           // of the oldest record
    Position end;             // behind the newest
    // Stored bytes that are not what was written. A person must act.
    std::vector<Finding> damages;
    // Index files that do not fit their segments: the next start makes them again.
    std::vector<Finding> stale_indexes;
    // Bytes behind the last whole batch: of a crash, cut at the next start, or of a write that is going on.
    std::optional<Finding> unfinished;
};

struct LogReport {
    Uuid incarnation;
    Epoch epoch;
    std::vector<PartitionReport> partitions;  // by topic as the manifest has them, then by number

    bool is_sound() const noexcept;
};

struct VerifyProgress {
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes_total = 0;
};

// Errors: not_found if there is no log, corrupt or unsupported where not even the manifest can be read, and those of
// the disk. Damage is no error: it is in the report.
Result<LogReport> verify_log(FileSystem& files, const std::string& directory,
                             const std::function<void(const VerifyProgress&)>& progress = nullptr);

}  // namespace leftfold::log
