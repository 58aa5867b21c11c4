#include "scan.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "hash.hpp"
#include "segment_reader.hpp"

namespace leftfold::log {
namespace {

constexpr std::size_t kWindowBytes = 1024 * 1024;

// Adds a batch from outside to the index, or says what it contradicts.
std::string_view index_batch(SegmentIndex& index, const BatchView& batch, std::uint64_t offset, std::uint64_t hash_seed,
                             std::vector<Record>& scratch) {
    if (batch.base < index.end)
        return "a batch with positions that were given out before";
    if (batch.recorded_at < index.recorded_at_last)
        return "a batch recorded before the one in front of it";
    scratch.clear();
    if (!decode_records(batch, scratch))
        return "a batch whose records do not parse";
    const std::uint64_t hash = key_hash(hash_seed, batch.key);
    const MemoryIndex::Stream* stream = index.batches.find(hash, batch.key);
    if (stream != nullptr && index.batches.head(*stream).last_version().next() != batch.first_version)
        return "a batch that does not continue the versions of its stream";
    index.note_place(batch.base, offset);
    index.batches.add_batch(hash, batch.key, static_cast<std::uint32_t>(offset), batch.first_version,
                            batch.record_count);
    std::string_view previous;
    for (const Record& record : scratch) {
        const std::string_view id = record.meta.command_id;
        if (record.meta.command_id_source == CommandIdSource::client && !id.empty() && id != previous)
            index.batches.add_command(command_hash(hash, id), static_cast<std::uint32_t>(offset));
        previous = id;
    }
    index.end = batch.end();
    index.recorded_at_last = batch.recorded_at;
    return {};
}

// Equal to itself one byte on: each byte equals the first.
bool is_zero(std::string_view bytes) {
    return bytes.empty() || (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace

Result<SegmentHeader> read_segment_header(File& file, const std::string& path, const SegmentPlace& place,
                                          Position base) {
    LEFTFOLD_TRY(bytes, read_bytes(file, 0, kSegmentHeaderBytes));
    auto decoded = decode_segment_header(bytes);
    if (!decoded)
        return std::unexpected(std::move(decoded).error().with_context(fmt::format("'{}'", path)));
    SegmentHeader& header = *decoded;
    if (header.incarnation != place.incarnation || header.topic != place.topic || header.partition != place.partition ||
        header.base != base) {
        return fail(
            ErrorCode::corrupt,
            fmt::format("'{}' does not belong here: it is the segment of log {}, topic '{}', partition {}, that begins "
                        "at position {}",
                        path, header.incarnation.to_string(), header.topic, header.partition.value(),
                        header.base.value()));
    }
    return decoded;
}

std::string_view reason(const Scan& scan) noexcept {
    return scan.contradiction.empty() ? to_string(scan.fault) : scan.contradiction;
}

Result<Scan> scan_segment(File& file, const SegmentHeader& header, std::uint64_t file_bytes, std::uint64_t hash_seed,
                          const VisitBatch& visit) {
    Scan scan;
    scan.bytes = header.bytes;
    scan.index.end = header.base;
    std::vector<Record> scratch;
    SegmentReader reader(file, header.checksum, std::min(file_bytes, kSegmentBytesMax * 2),
                         SegmentReader::Buffers::reused);
    for (;;) {
        LEFTFOLD_TRY(parsed, reader.at(scan.bytes, kWindowBytes));
        scan.fault = parsed.fault;
        if (parsed.fault != BatchFault::none)
            return scan;
        const BatchView& batch = parsed.batch;
        scan.contradiction = index_batch(scan.index, batch, scan.bytes, hash_seed, scratch);
        if (!scan.contradiction.empty())
            return scan;
        if (visit)
            visit(batch, scan.bytes);
        scan.durable_up_to = std::max(scan.durable_up_to, batch.durable_up_to);
        ++scan.batch_count;
        scan.record_count += batch.record_count;
        scan.bytes += batch.bytes.size();
    }
}

Result<Remains> examine_remains(File& file, std::uint32_t seed, std::uint64_t from, std::uint64_t file_bytes) {
    Remains remains;
    SegmentReader reader(file, seed, file_bytes, SegmentReader::Buffers::reused);
    // Windows overlap by what a batch's first bytes need to be recognised.
    constexpr std::size_t kOverlap = 3;
    for (std::uint64_t at = from; at < file_bytes; at += kWindowBytes) {
        LEFTFOLD_TRY(window, read_bytes(file, at, kWindowBytes + kOverlap));
        remains.is_zero = remains.is_zero && is_zero(window);
        for (std::size_t hit = find_batch_start(window, 0); hit < window.size();
             hit = find_batch_start(window, hit + 1)) {
            LEFTFOLD_TRY(parsed, reader.at(at + hit, kWindowBytes));
            if (parsed.fault == BatchFault::none && parsed.batch.durable_up_to > remains.durable_up_to) {
                remains.durable_up_to = parsed.batch.durable_up_to;
                remains.witness_offset = at + hit;
            }
        }
    }
    return remains;
}

}  // namespace leftfold::log
