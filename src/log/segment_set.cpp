#include "segment_set.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "leftfold/base/assert.hpp"
#include "segment_reader.hpp"

namespace leftfold::log {
namespace {

// A stream's batches lie apart: small windows first, larger ones while batches follow each other closely.
constexpr std::size_t kStreamWindowBytesMin = 2 * 1024;
constexpr std::size_t kStreamWindowBytesMax = 64 * 1024;
constexpr std::size_t kStreamBatchesAtOnce = 256;

std::unexpected<Error> damaged(const Segment& segment, std::uint64_t offset, std::string_view what) {
    return fail(ErrorCode::corrupt, fmt::format("'{}' at byte {}: {}; `log verify` shows the extent of the damage",
                                                segment.path(), offset, what));
}

// A whole batch at `offset`, or why it is none.
Result<BatchView> durable_batch(SegmentReader& reader, const Segment& segment, std::uint64_t offset, std::size_t window_bytes) {
    LEFTFOLD_TRY(parsed, reader.at(offset, window_bytes));
    if (parsed.fault == BatchFault::none)
        return parsed.batch;
    if (parsed.fault == BatchFault::unsupported)
        return fail(ErrorCode::unsupported, fmt::format("'{}' at byte {}: {}", segment.path(), offset, to_string(parsed.fault)));
    return damaged(segment, offset, to_string(parsed.fault));
}

}  // namespace

std::optional<CommandEvents> command_events(std::span<const Record> records, std::string_view command_id) {
    std::optional<CommandEvents> found;
    for (const Record& record : records) {
        if (record.meta.command_id_source != CommandIdSource::client || record.meta.command_id != command_id)
            continue;
        if (!found)
            found = CommandEvents{record.meta.version, record.meta.version, record.position, record.meta.payload_hash};
        found->last_version = record.meta.version;
        found->last_position = record.position;
    }
    return found;
}

SegmentSet::SegmentSet(FileSystem& files, std::vector<std::unique_ptr<Segment>> segments, std::uint64_t allocated)
    : files_(files), segments_(std::move(segments)), allocated_(allocated) {
    LEFTFOLD_ASSERT(segments_.empty() || segments_.back()->is_open());
}

Position SegmentSet::start() const noexcept { return segments_.empty() ? Position(0) : segments_.front()->base(); }
Position SegmentSet::end() const noexcept { return segments_.empty() ? Position(0) : segments_.back()->end(); }

Timestamp SegmentSet::recorded_at_last() const noexcept {
    for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
        if ((*segment)->recorded_at_last() != Timestamp::min())
            return (*segment)->recorded_at_last();
    }
    return Timestamp::min();
}

Result<File*> SegmentSet::open(Segment& segment) {
    if (&segment == segments_.back().get())
        return &segment.file();
    if (const auto at = std::ranges::find(open_closed_, &segment); at != open_closed_.end()) {
        std::rotate(at, at + 1, open_closed_.end());
        return &segment.file();
    }
    if (!segment.is_open()) {
        LEFTFOLD_TRY(file, files_.open(segment.path(), OpenMode::read));
        segment.set_file(std::move(file));
    }
    if (open_closed_.size() == kOpenFilesMax) {
        open_closed_.front()->set_file(nullptr);
        open_closed_.erase(open_closed_.begin());
    }
    open_closed_.push_back(&segment);
    return &segment.file();
}

Result<Version> SegmentSet::head(std::uint64_t hash, std::string_view key) {
    for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
        LEFTFOLD_TRY(part, (*segment)->find_stream(hash, key));
        if (part)
            return part->last;
    }
    return Version(0);
}

Result<std::optional<CommandEvents>> SegmentSet::find_command(std::uint64_t hash, std::string_view key,
                                                              std::string_view command_id) {
    std::vector<Record> records;
    for (auto at = segments_.rbegin(); at != segments_.rend(); ++at) {
        Segment& segment = **at;
        LEFTFOLD_TRY(offsets, segment.command_batches(hash));
        if (offsets.empty())
            continue;
        LEFTFOLD_TRY(file, open(segment));
        SegmentReader reader(*file, segment.seed(), segment.bytes(), SegmentReader::Buffers::reused);
        for (auto offset = offsets.rbegin(); offset != offsets.rend(); ++offset) {
            LEFTFOLD_TRY(batch, durable_batch(reader, segment, *offset, kStreamWindowBytesMin));
            if (batch.key != key)
                continue;
            records.clear();
            if (!decode_records(batch, records))
                return damaged(segment, *offset, "a batch whose records do not parse");
            if (auto found = command_events(records, command_id))
                return found;
        }
    }
    return std::nullopt;
}

// The last segment that begins at or before `position`.
Segment* SegmentSet::find(Position position) noexcept {
    const auto behind = std::ranges::upper_bound(segments_, position, {}, [](const auto& s) { return s->base(); });
    return behind == segments_.begin() ? nullptr : std::prev(behind)->get();
}

Result<ReadBatch> SegmentSet::read(Position from, std::size_t bytes_max) {
    from = std::max(from, start());
    while (from < end()) {
        Segment* segment = find(from);
        ReadBatch out;
        LEFTFOLD_TRY(found, read_segment(*segment, from, bytes_max, out));
        if (found)
            return out;
        // Only gaps to the end of this segment.
        const auto next = std::ranges::upper_bound(segments_, from, {}, [](const auto& s) { return s->base(); });
        if (next == segments_.end())
            break;
        from = (*next)->base();
    }
    return ReadBatch({}, {}, from);
}

Result<bool> SegmentSet::read_segment(Segment& segment, Position from, std::size_t bytes_max, ReadBatch& out) {
    LEFTFOLD_TRY(file, open(segment));
    LEFTFOLD_TRY(place, segment.offset_before(from));
    std::uint64_t offset = from == cursor_position_ ? cursor_offset_ : place;
    SegmentReader reader(*file, segment.seed(), segment.bytes(), SegmentReader::Buffers::kept);
    std::vector<Record> records;
    std::size_t used = 0;
    Position next = from;
    while (offset < segment.bytes()) {
        LEFTFOLD_TRY(batch, durable_batch(reader, segment, offset, bytes_max));
        if (batch.end() > from) {
            if (!records.empty() && used + batch.bytes.size() > bytes_max)
                break;
            if (!decode_records(batch, records))
                return damaged(segment, offset, "a batch whose records do not parse");
            used += batch.bytes.size();
            next = batch.end();
        }
        offset += batch.bytes.size();
        if (!records.empty() && used >= bytes_max)
            break;
    }
    const auto wanted = std::ranges::lower_bound(records, from, {}, &Record::position);
    records.erase(records.begin(), wanted);
    if (records.empty())
        return false;
    cursor_position_ = offset < segment.bytes() || &segment == segments_.back().get() ? next : kNoPosition;
    cursor_offset_ = offset;
    out = ReadBatch(reader.take_buffers(), std::move(records), next);
    return true;
}

Result<ReadBatch> SegmentSet::read_stream(std::uint64_t hash, std::string_view key, Version from, std::size_t bytes_max) {
    from = std::max(from, Version(1));
    std::vector<Segment*> parts;  // newest first
    for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
        LEFTFOLD_TRY(part, (*segment)->find_stream(hash, key));
        if (!part)
            continue;
        if (part->last < from)
            break;
        parts.push_back(segment->get());
        if (part->first <= from)
            break;
    }
    std::vector<std::string> buffers;
    std::vector<Record> records;
    std::size_t used = 0;
    bool full = false;
    Version wanted = from;
    for (auto part = parts.rbegin(); part != parts.rend() && !full; ++part) {
        Segment& segment = **part;
        LEFTFOLD_TRY(file, open(segment));
        SegmentReader reader(*file, segment.seed(), segment.bytes(), SegmentReader::Buffers::kept);
        std::size_t window = kStreamWindowBytesMin;
        while (!full) {
            LEFTFOLD_TRY(offsets, segment.stream_batches(hash, key, wanted, kStreamBatchesAtOnce));
            if (offsets.empty())
                break;
            for (const std::uint32_t offset : offsets) {
                LEFTFOLD_TRY(batch, durable_batch(reader, segment, offset, window));
                if (batch.key != key || batch.first_version > wanted || batch.last_version() < wanted)
                    return damaged(segment, offset, "not the batch that the index names");
                if (!records.empty() && used + batch.bytes.size() > bytes_max) {
                    full = true;
                    break;
                }
                if (!decode_records(batch, records))
                    return damaged(segment, offset, "a batch whose records do not parse");
                used += batch.bytes.size();
                wanted = batch.last_version().next();
                window = std::min(window * 2, kStreamWindowBytesMax);
            }
        }
        for (std::string& buffer : reader.take_buffers())
            buffers.push_back(std::move(buffer));
    }
    const auto first = std::ranges::lower_bound(records, from, {}, [](const Record& r) { return r.meta.version; });
    records.erase(records.begin(), first);
    return ReadBatch(std::move(buffers), std::move(records), kNoPosition);
}

void SegmentSet::plan(CommitJob& job, std::size_t group_bytes, const SegmentHeader& begins) const {
    job.begins.reset();
    job.file = nullptr;
    job.created = nullptr;
    if (!segments_.empty()) {
        Segment& last = *segments_.back();
        job.file = &last.file();
        job.offset = last.bytes();
        job.allocated = allocated_;
        job.seed = last.seed();
    }
    const bool is_empty = !segments_.empty() && segments_.back()->base() == segments_.back()->end();
    if (segments_.empty() || (!is_empty && job.offset + group_bytes > job.segment_bytes)) {
        job.begins = begins;
        job.begins->previous_base = segments_.empty() ? kNoPosition : segments_.back()->base();
    }
}

bool SegmentSet::adopt(CommitJob& job) {
    allocated_ = job.allocated;
    if (!job.created)
        return false;
    auto index = std::make_shared<SegmentIndex>();
    index->end = job.begins->base;
    job.begins->checksum = job.seed;
    const std::string path = join_path(job.folder, segment_name(job.begins->base, kSegmentSuffix));
    auto segment = std::make_unique<Segment>(path, *job.begins, kSegmentHeaderBytes, std::move(index));
    segment->set_file(std::move(job.created));
    if (!segments_.empty())
        segments_.back()->set_file(nullptr);
    segments_.push_back(std::move(segment));
    return segments_.size() > 1;
}

void SegmentSet::committed(const CommitJob& job, const MemoryIndex& group, Position base, Timestamp recorded_at) {
    segments_.back()->append(group, job.group->size(), base, recorded_at);
}

}  // namespace leftfold::log
