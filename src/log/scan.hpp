// Scanning: one segment from its first batch to where the whole ones end, checked and indexed; and what lies behind.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "leftfold/env/files.hpp"

#include "format.hpp"
#include "segment_index.hpp"

namespace leftfold::log {

// The header of the file at `path`, which must be that of this partition's segment with this base.
struct SegmentPlace {
    Uuid incarnation;
    std::string topic;
    PartitionId partition;
};
Result<SegmentHeader> read_segment_header(File& file, const std::string& path, const SegmentPlace& place,
                                          Position base);

struct Scan {
    SegmentIndex index;
    std::uint64_t bytes = 0;               // header and whole batches
    BatchFault fault = BatchFault::empty;  // of what follows
    std::string_view contradiction;        // of what follows, if it is whole: what in it cannot be
    Position durable_up_to;                // the furthest that a batch speaks of
    std::uint64_t batch_count = 0;
    std::uint64_t record_count = 0;
};

// Why the scan ended where it did.
std::string_view reason(const Scan& scan) noexcept;

// `visit`, where given, sees each batch with its offset. Errors are those of the disk only.
using VisitBatch = std::function<void(const BatchView&, std::uint64_t offset)>;
Result<Scan> scan_segment(File& file, const SegmentHeader& header, std::uint64_t file_bytes, std::uint64_t hash_seed,
                          const VisitBatch& visit = nullptr);

// What lies in [from, file_bytes).
struct Remains {
    bool is_zero = true;
    Position durable_up_to;            // the furthest that a whole batch there speaks of
    std::uint64_t witness_offset = 0;  // of that batch
};
Result<Remains> examine_remains(File& file, std::uint32_t seed, std::uint64_t from, std::uint64_t file_bytes);

}  // namespace leftfold::log
