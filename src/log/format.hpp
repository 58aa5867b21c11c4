// The bytes of a segment, exactly as docs/formats/log.md has them: segment header, batches, records. Pure functions.
//
// Everything read here comes from outside: nothing is believed before its checksum holds, and nothing asserts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/base/strong_id.hpp"
#include "leftfold/base/time.hpp"
#include "leftfold/base/uuid.hpp"
#include "leftfold/event/record.hpp"

namespace leftfold::log {

inline constexpr std::uint16_t kFormatVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 512;
inline constexpr std::size_t kBatchHeaderBytes = 64;
inline constexpr std::size_t kBatchBytesMax = 64UL * 1024 * 1024;
inline constexpr std::size_t kKeyBytesMax = 1024;
inline constexpr std::size_t kTopicNameBytesMax = 200;
inline constexpr std::uint8_t kCodecJson = 1;

// Offsets within a segment are stored in 32 bits.
inline constexpr std::uint64_t kSegmentBytesMax = 2ULL * 1024 * 1024 * 1024;

inline constexpr Position kNoPosition{-1};

struct SegmentHeader {
    Uuid incarnation;
    std::string topic;
    PartitionId partition;
    Position base;
    Position previous_base = kNoPosition;  // of the segment before: so that a missing one is noticed
    Timestamp created_at;
    Epoch epoch;

    std::uint32_t checksum = 0;               // set by decode
    std::size_t bytes = kSegmentHeaderBytes;  // where the first batch begins
};

std::string encode_segment_header(const SegmentHeader& header);

// `bytes` may be longer than the header. corrupt or unsupported.
Result<SegmentHeader> decode_segment_header(std::string_view bytes);

struct BatchFields {
    std::string_view key;
    Position base;
    Version first_version;
    Timestamp recorded_at;
    Epoch epoch;
    std::uint32_t record_count = 0;
    Position durable_up_to;  // all below were durable when this was written
};

// What a batch of these needs. fields.record_count is not looked at.
std::size_t encoded_batch_bytes(const BatchFields& fields, std::span<const Record> records) noexcept;

// Writes one batch to `out`, which has room for exactly `bytes` = encoded_batch_bytes(), without checksum and
// durable_up_to: seal_batch sets these.
void encode_batch(char* out, std::size_t bytes, const BatchFields& fields, std::span<const Record> records) noexcept;

// `seed` is the checksum of the header of the segment that the batch goes to: a batch is valid in its own segment only.
void seal_batch(char* batch, Position durable_up_to, std::uint32_t seed);

// From the header of a batch whose header is there and was encoded or checked before.
std::size_t batch_bytes(const char* batch) noexcept;

enum class BatchFault : std::uint8_t {
    none,
    empty,        // zeros where a batch would begin: the end of what was written
    cut_short,    // more bytes are needed: see needed_bytes
    malformed,    // no batch header
    checksum,     // a batch header, but not the bytes that it was written with
    unsupported,  // whole, and of a form that this build does not know
};
std::string_view to_string(BatchFault fault) noexcept;

// A checked batch. Views point into the bytes given.
struct BatchView : BatchFields {
    std::string_view bytes;
    std::string_view body;  // the records

    Position end() const noexcept { return Position(base.value() + record_count); }
    Version last_version() const noexcept { return Version(first_version.value() + record_count - 1); }
};

struct ParsedBatch {
    BatchFault fault = BatchFault::empty;
    std::size_t needed_bytes = 0;  // where cut_short: from the start of the batch
    BatchView batch;               // where none
};

// The batch at the start of `bytes`.
ParsedBatch parse_batch(std::string_view bytes, std::uint32_t seed);

// A batch that encode_batch wrote at the start of `bytes`. Looks at neither checksum nor durable_up_to, which another
// thread may be setting.
BatchView view_unsealed_batch(std::string_view bytes) noexcept;

// Appends the records of a batch. False if they are not what the header says (`out` is then as before).
bool decode_records(const BatchView& batch, std::vector<Record>& out);

// Where the first byte sequence that could begin a batch is, at or behind `from`; npos if nowhere.
std::size_t find_batch_start(std::string_view bytes, std::size_t from) noexcept;

}  // namespace leftfold::log
