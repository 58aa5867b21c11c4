#include "recovery.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "leftfold/base/bytes.hpp"
#include "leftfold/base/crc32c.hpp"

#include "commit.hpp"
#include "segment_reader.hpp"

namespace leftfold::log {
namespace {

constexpr std::size_t kNameDigits = 20;
constexpr std::uint64_t kTailBytesMax = kSegmentBytesMax;

std::unexpected<Error> damaged(const RecoveryInput& input, const std::string& path, std::uint64_t offset,
                               std::string_view what) {
    return fail(ErrorCode::corrupt,
                fmt::format("'{}' at byte {}: {}. The log is not opened, so that nothing is lost by it; "
                            "`log verify --data {}` shows the extent of the damage",
                            path, offset, what, input.directory));
}

// A tail on its way to be written again: seed and offset of its segment, then the bytes.
std::string encode_tail(std::uint32_t seed, std::uint64_t offset, std::string_view bytes) {
    std::string out;
    ByteWriter writer(out);
    writer.integer(std::uint32_t{0});
    writer.integer(seed);
    writer.integer(offset);
    writer.raw(bytes);
    store_le(out.data(), crc32c(bytes_of(std::string_view(out).substr(sizeof(std::uint32_t)))));
    return out;
}

Result<> write_tail(File& file, std::uint64_t offset, std::string_view bytes) {
    LEFTFOLD_CHECK(file.write_at(offset, bytes_of(bytes)));
    return file.sync_data();
}

Result<> remove_tail(const RecoveryInput& input, const std::string& tail_path) {
    LEFTFOLD_CHECK(input.files.remove(tail_path));
    return input.files.sync_directory(input.folder);
}

// A recovery before this one was interrupted while it wrote the tail.
Result<> finish_tail(const RecoveryInput& input, const std::string& path, File& file, const SegmentHeader& header) {
    const std::string tail_path = join_path(input.folder, segment_name(header.base, kTailSuffix));
    LEFTFOLD_TRY(exists, input.files.exists(tail_path));
    if (!exists)
        return {};
    LEFTFOLD_TRY(content, read_file(input.files, tail_path, kTailBytesMax));
    ByteReader reader(content);
    const auto checksum = reader.integer<std::uint32_t>();
    const auto seed = reader.integer<std::uint32_t>();
    const auto offset = reader.integer<std::uint64_t>();
    LEFTFOLD_TRY(file_bytes, file.size());
    if (!reader.ok() || crc32c(bytes_of(std::string_view(content).substr(sizeof checksum))) != checksum ||
        seed != header.checksum || offset > file_bytes)
        return damaged(input, tail_path, 0, fmt::format("not the tail of '{}'", path));
    LEFTFOLD_CHECK(write_tail(file, offset, reader.raw(reader.remaining())));
    return remove_tail(input, tail_path);
}

Result<> rewrite_tail(const RecoveryInput& input, File& file, const SegmentHeader& header, const Scan& scan,
                      Position durable) {
    std::uint64_t offset = scan.bytes;
    if (scan.index.end > durable) {
        SegmentReader reader(file, header.checksum, scan.bytes, SegmentReader::Buffers::reused);
        for (offset = scan.index.offset_before(durable);;) {
            LEFTFOLD_TRY(parsed, reader.at(offset, kPlaceBytes));
            if (parsed.fault != BatchFault::none || parsed.batch.end() > durable)
                break;
            offset += parsed.batch.bytes.size();
        }
    }
    if (offset == scan.bytes) {
        LEFTFOLD_CHECK(file.truncate(scan.bytes));
        return file.sync_data();
    }
    LEFTFOLD_TRY(tail, read_bytes(file, offset, static_cast<std::size_t>(scan.bytes - offset)));
    const std::string tail_path = join_path(input.folder, segment_name(header.base, kTailSuffix));
    LEFTFOLD_CHECK(replace_file(input.files, tail_path, encode_tail(header.checksum, offset, tail)));
    LEFTFOLD_CHECK(file.truncate(scan.bytes));
    LEFTFOLD_CHECK(write_tail(file, offset, tail));
    return remove_tail(input, tail_path);
}

// Scans the segment being written to where its whole batches end; refuses if something durable is behind that.
Result<Scan> scan_active(const RecoveryInput& input, File& file, const std::string& path, const SegmentHeader& header,
                         Remains& remains) {
    LEFTFOLD_TRY(file_bytes, file.size());
    LEFTFOLD_TRY(scan, scan_segment(file, header, file_bytes, input.hash_seed));
    if (scan.fault == BatchFault::unsupported) {
        return fail(ErrorCode::unsupported,
                    fmt::format("'{}' at byte {}: {}; use a newer build", path, scan.bytes, reason(scan)));
    }
    // Whole, and yet it cannot be: no crash does that.
    if (!scan.contradiction.empty())
        return damaged(input, path, scan.bytes, scan.contradiction);
    LEFTFOLD_TRY(examined, examine_remains(file, header.checksum, scan.bytes, file_bytes));
    remains = examined;
    const Position end = scan.index.end;
    if (remains.durable_up_to > end) {
        return damaged(input, path, scan.bytes,
                       fmt::format("{}, though position {} was durable (the batch at byte {} says so)", reason(scan),
                                   end.value(), remains.witness_offset));
    }
    if (std::max(input.durable, scan.durable_up_to) > end) {
        return damaged(
            input, path, scan.bytes,
            fmt::format("{}, though position {} was durable (the manifest says so)", reason(scan), end.value()));
    }
    return scan;
}

Result<std::unique_ptr<Segment>> recover_active(const RecoveryInput& input, const std::string& path,
                                                std::unique_ptr<File> file, SegmentHeader header,
                                                std::uint64_t& allocated) {
    LEFTFOLD_CHECK(finish_tail(input, path, *file, header));
    Remains remains;
    LEFTFOLD_TRY(scan, scan_active(input, *file, path, header, remains));
    Position durable = std::max({input.durable, scan.durable_up_to, header.base});
    if (scan.index.end > durable || !remains.is_zero) {
        LEFTFOLD_CHECK(file->drop_cache());
        LEFTFOLD_TRY(scan_of_disk, scan_active(input, *file, path, header, remains));
        scan = std::move(scan_of_disk);
        LEFTFOLD_CHECK(rewrite_tail(input, *file, header, scan, durable));
    }
    LEFTFOLD_TRY(file_bytes, file->size());
    allocated = file_bytes;
    auto segment = std::make_unique<Segment>(path, std::move(header), scan.bytes,
                                             std::make_shared<SegmentIndex>(std::move(scan.index)));
    segment->set_file(std::move(file));
    return segment;
}

Result<std::unique_ptr<Segment>> open_closed(const RecoveryInput& input, const std::string& path, File& file,
                                             SegmentHeader header) {
    LEFTFOLD_TRY(file_bytes, file.size());
    const IndexedSegment indexed{header.checksum, file_bytes, input.hash_seed};
    if (auto index = IndexFile::open(input.files, index_path(path), indexed))
        return std::make_unique<Segment>(path, std::move(header), file_bytes, *std::move(index));
    LEFTFOLD_TRY(scan, scan_segment(file, header, file_bytes, input.hash_seed));
    if (scan.bytes != file_bytes)
        return damaged(input, path, scan.bytes, fmt::format("{}, in a segment that was closed", reason(scan)));
    // On a full or read-only disk the index stays in memory.
    if (auto index = write_index(input.files, index_path(path), scan.index, indexed))
        return std::make_unique<Segment>(path, std::move(header), file_bytes, *std::move(index));
    return std::make_unique<Segment>(path, std::move(header), file_bytes,
                                     std::make_shared<SegmentIndex>(std::move(scan.index)));
}

Result<> remove_left_over(const RecoveryInput& input) {
    LEFTFOLD_TRY(entries, input.files.list(input.folder));
    for (const DirectoryEntry& entry : entries) {
        if (entry.name.ends_with(kNewSegmentSuffix) || entry.name.ends_with(".tmp"))
            LEFTFOLD_CHECK(input.files.remove(join_path(input.folder, entry.name)));
    }
    return {};
}

}  // namespace

Result<std::vector<Position>> list_segments(FileSystem& files, const std::string& folder) {
    LEFTFOLD_TRY(entries, files.list(folder));
    std::vector<Position> bases;
    for (const DirectoryEntry& entry : entries) {
        if (entry.is_directory || entry.name.size() != kNameDigits + kSegmentSuffix.size() ||
            !entry.name.ends_with(kSegmentSuffix))
            continue;
        std::int64_t base = 0;
        const char* digits = entry.name.data();
        const auto [end, error] = std::from_chars(digits, digits + kNameDigits, base);
        if (error == std::errc() && end == digits + kNameDigits && base >= 0)
            bases.emplace_back(base);
    }
    std::ranges::sort(bases);
    return bases;
}

Result<Recovered> recover_partition(const RecoveryInput& input) {
    LEFTFOLD_CHECK(remove_left_over(input));
    // The process before may have ended between giving a name and syncing it.
    LEFTFOLD_CHECK(input.files.sync_directory(input.folder));
    LEFTFOLD_TRY(bases, list_segments(input.files, input.folder));
    Recovered recovered;
    Position previous_base = kNoPosition;
    for (const Position base : bases) {
        const std::string path = join_path(input.folder, segment_name(base, kSegmentSuffix));
        const bool is_active = base == bases.back();
        LEFTFOLD_TRY(file, input.files.open(path, is_active ? OpenMode::read_write : OpenMode::read));
        LEFTFOLD_TRY(header, read_segment_header(*file, path, input.place, base));
        if (header.previous_base != previous_base) {
            return damaged(input, path, 0,
                           fmt::format("the segment before it is missing: it follows the one with base {}, there is {}",
                                       header.previous_base.value(), previous_base.value()));
        }
        if (!recovered.segments.empty() && recovered.segments.back()->end() > base)
            return damaged(input, path, 0, "it begins below the end of the segment before it");
        auto segment = is_active ? recover_active(input, path, std::move(file), std::move(header), recovered.allocated)
                                 : open_closed(input, path, *file, std::move(header));
        if (!segment)
            return std::unexpected(std::move(segment).error());
        recovered.segments.push_back(*std::move(segment));
        previous_base = base;
    }
    const Position end = bases.empty() ? Position(0) : recovered.segments.back()->end();
    if (end < input.durable) {
        return damaged(input, input.folder, 0,
                       fmt::format("segments are missing: the log ends at position {}, and was durable up to {}",
                                   end.value(), input.durable.value()));
    }
    return recovered;
}

}  // namespace leftfold::log
