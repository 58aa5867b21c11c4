#include "segment_set.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

#include "scan.hpp"
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
Result<BatchView> durable_batch(SegmentReader& reader, const Segment& segment, std::uint64_t offset,
                                std::size_t window_bytes) {
    LEFTFOLD_TRY(parsed, reader.at(offset, window_bytes));
    if (parsed.fault == BatchFault::none)
        return parsed.batch;
    if (parsed.fault == BatchFault::unsupported)
        return fail(ErrorCode::unsupported,
                    fmt::format("'{}' at byte {}: {}", segment.path(), offset, to_string(parsed.fault)));
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

SegmentSet::SegmentSet(FileSystem& files, std::uint64_t hash_seed, std::vector<std::unique_ptr<Segment>> segments,
                       std::uint64_t allocated)
    : files_(files), hash_seed_(hash_seed), segments_(std::move(segments)), allocated_(allocated) {
    LEFTFOLD_ASSERT(segments_.empty() || segments_.back()->is_open());
}

Position SegmentSet::start() const noexcept {
    return segments_.empty() ? Position(0) : segments_.front()->base();
}
Position SegmentSet::end() const noexcept {
    return segments_.empty() ? Position(0) : segments_.back()->end();
}

Timestamp SegmentSet::recorded_at_last() const noexcept {
    for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
        if ((*segment)->recorded_at_last() != Timestamp::min())
            return (*segment)->recorded_at_last();
    }
    return Timestamp::min();
}

Result<> SegmentSet::open(Segment& segment) {
    if (&segment == segments_.back().get())
        return {};
    if (const auto at = std::ranges::find(open_closed_, &segment); at != open_closed_.end()) {
        std::rotate(at, at + 1, open_closed_.end());
    } else {
        if (open_closed_.size() == kOpenFilesMax) {
            open_closed_.front()->close();
            open_closed_.erase(open_closed_.begin());
        }
        open_closed_.push_back(&segment);
    }
    return segment.open(files_);
}

template <class Ask>
std::invoke_result_t<Ask> SegmentSet::asked(Segment& segment, Ask ask) {
    const auto attempt = [&]() -> std::invoke_result_t<Ask> {
        LEFTFOLD_CHECK(open(segment));
        return ask();
    };
    auto answer = attempt();
    if (answer || answer.error().code() != ErrorCode::corrupt || !segment.has_index_file())
        return answer;
    segment.close();
    LEFTFOLD_TRY(file, files_.open(segment.path(), OpenMode::read));
    LEFTFOLD_TRY(scan, scan_segment(*file, segment.header(), segment.bytes(), hash_seed_));
    if (scan.bytes != segment.bytes())
        return damaged(segment, scan.bytes, reason(scan));
    segment.set_memory(std::make_shared<SegmentIndex>(std::move(scan.index)));
    return attempt();
}

Result<Version> SegmentSet::head(std::uint64_t hash, std::string_view key) {
    for (auto at = segments_.rbegin(); at != segments_.rend(); ++at) {
        Segment& segment = **at;
        if (!segment.may_contain(hash))
            continue;
        LEFTFOLD_TRY(last, asked(segment, [&] { return segment.last_version(hash, key); }));
        if (last)
            return *last;
    }
    return Version(0);
}

Result<std::optional<CommandEvents>> SegmentSet::find_command(std::uint64_t hash, std::string_view key,
                                                              std::string_view command_id) {
    std::vector<Record> records;
    const auto ask = [&](Segment& segment) -> Result<std::optional<CommandEvents>> {
        LEFTFOLD_TRY(offsets, segment.command_batches(hash));
        SegmentReader reader(segment.file(), segment.seed(), segment.bytes(), SegmentReader::Buffers::reused);
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
        return std::nullopt;
    };
    for (auto at = segments_.rbegin(); at != segments_.rend(); ++at) {
        Segment& segment = **at;
        if (!segment.may_contain(hash))
            continue;
        LEFTFOLD_TRY(found, asked(segment, [&] { return ask(segment); }));
        if (found)
            return found;
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
    LEFTFOLD_CHECK(asked(segment, [&] { return Result<>(); }));
    const bool goes_on = cursor_segment_ == &segment && cursor_position_ == from;
    std::uint64_t offset = goes_on ? cursor_offset_ : segment.offset_before(from);
    SegmentReader reader(segment.file(), segment.seed(), segment.bytes(), SegmentReader::Buffers::kept);
    std::vector<Record> records;
    std::size_t used = 0;
    Position next = from;
    while (offset < segment.bytes()) {
        LEFTFOLD_TRY(batch, durable_batch(reader, segment, offset, bytes_max - std::min(used, bytes_max)));
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
    cursor_segment_ = &segment;
    cursor_position_ = next;
    cursor_offset_ = offset;
    out = ReadBatch(reader.take_buffers(), std::move(records), next);
    return true;
}

// How far a read of one stream has come.
struct SegmentSet::StreamRead {
    std::uint64_t hash;
    std::string_view key;
    std::size_t bytes_max;
    Version wanted;  // the next one
    std::size_t used = 0;
    bool is_full = false;
    std::vector<std::string> buffers;
    std::vector<Record> records;
};

// May be called again with what it left, also after an error: what is in `read` is whole and in order.
Result<> SegmentSet::read_stream_part(Segment& segment, StreamRead& read) {
    LEFTFOLD_TRY(part, segment.find_stream(read.hash, read.key));
    SegmentReader reader(segment.file(), segment.seed(), segment.bytes(), SegmentReader::Buffers::kept);
    const auto read_batches = [&]() -> Result<> {
        std::size_t window = kStreamWindowBytesMin;
        std::uint64_t behind_last = 0;
        while (part && !read.is_full && read.wanted <= part->last) {
            LEFTFOLD_TRY(offsets,
                         segment.stream_batches(*part, read.hash, read.key, read.wanted, kStreamBatchesAtOnce));
            for (const std::uint32_t offset : offsets) {
                window = offset == behind_last ? std::min(window * 2, kStreamWindowBytesMax) : kStreamWindowBytesMin;
                LEFTFOLD_TRY(batch, durable_batch(reader, segment, offset, window));
                behind_last = offset + batch.bytes.size();
                if (batch.key != read.key || batch.first_version > read.wanted || batch.last_version() < read.wanted)
                    return damaged(segment, offset, "not the batch that the index names");
                if (!read.records.empty() && read.used + batch.bytes.size() > read.bytes_max) {
                    read.is_full = true;
                    return {};
                }
                if (!decode_records(batch, read.records))
                    return damaged(segment, offset, "a batch whose records do not parse");
                read.used += batch.bytes.size();
                read.wanted = batch.last_version().next();
            }
        }
        return {};
    };
    auto result = read_batches();
    std::ranges::move(reader.take_buffers(), std::back_inserter(read.buffers));
    return result;
}

Result<ReadBatch> SegmentSet::read_stream(std::uint64_t hash, std::string_view key, Version from,
                                          std::size_t bytes_max) {
    from = std::max(from, Version(1));
    std::vector<Segment*> parts;  // newest first
    for (auto at = segments_.rbegin(); at != segments_.rend(); ++at) {
        Segment& segment = **at;
        if (!segment.may_contain(hash))
            continue;
        LEFTFOLD_TRY(part, asked(segment, [&] { return segment.find_stream(hash, key); }));
        if (!part)
            continue;
        if (part->last < from)
            break;
        parts.push_back(&segment);
        if (part->first <= from)
            break;
    }
    StreamRead read{hash, key, bytes_max, from, 0, false, {}, {}};
    for (auto at = parts.rbegin(); at != parts.rend() && !read.is_full; ++at) {
        Segment& segment = **at;
        LEFTFOLD_CHECK(asked(segment, [&] { return read_stream_part(segment, read); }));
    }
    const auto first = std::ranges::lower_bound(read.records, from, {}, [](const Record& r) { return r.meta.version; });
    read.records.erase(read.records.begin(), first);
    return ReadBatch(std::move(read.buffers), std::move(read.records), kNoPosition);
}

void SegmentSet::set_index_file(Position base, std::unique_ptr<IndexFile> index) {
    Segment* segment = find(base);
    LEFTFOLD_ASSERT(segment != nullptr && segment->base() == base);
    std::erase(open_closed_, segment);
    segment->close();
    segment->set_index_file(std::move(index));
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

Segment* SegmentSet::adopt(CommitJob& job) {
    allocated_ = job.allocated;
    if (!job.created)
        return nullptr;
    auto index = std::make_shared<SegmentIndex>();
    index->end = job.begins->base;
    job.begins->checksum = job.seed;
    const std::string path = join_path(job.folder, segment_name(job.begins->base, kSegmentSuffix));
    auto segment = std::make_unique<Segment>(path, *job.begins, kSegmentHeaderBytes, std::move(index));
    segment->set_file(std::move(job.created));
    Segment* closed = segments_.empty() ? nullptr : segments_.back().get();
    if (closed != nullptr)
        closed->close();
    segments_.push_back(std::move(segment));
    return closed;
}

void SegmentSet::committed(const CommitJob& job, const MemoryIndex& group, Position base, Timestamp recorded_at) {
    segments_.back()->append(group, job.group->size(), base, recorded_at);
}

}  // namespace leftfold::log
