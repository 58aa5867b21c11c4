#include "segment.hpp"

#include "leftfold/base/assert.hpp"

#include "segment_reader.hpp"

namespace leftfold::log {
namespace {

constexpr std::size_t kKeyWindowBytes = 1024;

}  // namespace

Result<> Segment::open(FileSystem& files) {
    if (!file_) {
        LEFTFOLD_TRY(file, files.open(path_, OpenMode::read));
        file_ = std::move(file);
    }
    if (index_file_ && !index_handle_) {
        auto handle = files.open(index_file_->path(), OpenMode::read);
        if (!handle && handle.error().code() == ErrorCode::not_found)
            return fail(ErrorCode::corrupt, handle.error().message());
        if (!handle)
            return std::unexpected(std::move(handle).error());
        index_handle_ = *std::move(handle);
    }
    return {};
}

void Segment::close() noexcept {
    file_ = nullptr;
    index_handle_ = nullptr;
}

Result<std::optional<StreamPart>> Segment::find_stream(std::uint64_t hash, std::string_view key) {
    if (memory_) {
        const MemoryIndex& index = memory_->batches;
        const MemoryIndex::Stream* stream = index.find(hash, key);
        if (stream == nullptr)
            return std::nullopt;
        return StreamPart{Version(index.find_version(*stream, Version(0))->first_version),
                          index.head(*stream).last_version()};
    }
    LEFTFOLD_TRY(candidates, index_file_->find_streams(*index_handle_, hash));
    SegmentReader reader(*file_, seed(), bytes_, SegmentReader::Buffers::reused);
    for (const IndexFile::Stream& stream : candidates) {
        LEFTFOLD_TRY(parsed, reader.at(stream.newest_offset, kKeyWindowBytes));
        if (parsed.fault != BatchFault::none)
            return fail(ErrorCode::corrupt, "the index names a batch that is not there");
        if (parsed.batch.key == key)
            return StreamPart{stream.first, stream.last, stream};
    }
    return std::nullopt;
}

Result<std::optional<Version>> Segment::last_version(std::uint64_t hash, std::string_view key) {
    if (memory_) {
        const MemoryIndex::Stream* stream = memory_->batches.find(hash, key);
        if (stream == nullptr)
            return std::nullopt;
        return memory_->batches.head(*stream).last_version();
    }
    LEFTFOLD_TRY(part, find_stream(hash, key));
    if (!part)
        return std::nullopt;
    return part->last;
}

Result<std::vector<std::uint32_t>> Segment::stream_batches(const StreamPart& part, std::uint64_t hash,
                                                           std::string_view key, Version from, std::size_t count_max) {
    if (index_file_)
        return index_file_->batches(*index_handle_, part.stored, from, count_max);
    std::vector<std::uint32_t> offsets;
    const MemoryIndex& index = memory_->batches;
    const MemoryIndex::Stream* stream = index.find(hash, key);
    while (stream != nullptr && offsets.size() < count_max) {
        const MemoryIndex::Batch* batch = index.find_version(*stream, from);
        if (batch == nullptr)
            break;
        offsets.push_back(batch->offset);
        from = batch->last_version().next();
    }
    return offsets;
}

Result<std::vector<std::uint32_t>> Segment::command_batches(std::uint64_t hash) {
    if (index_file_)
        return index_file_->find_commands(*index_handle_, hash);
    std::vector<std::uint32_t> offsets;
    memory_->batches.find_command(hash, [&](std::uint32_t offset) { return offsets.push_back(offset), false; });
    return offsets;
}

void Segment::append(const MemoryIndex& group, std::uint64_t group_bytes, Position base, Timestamp recorded_at) {
    LEFTFOLD_ASSERT(memory_ && base >= end());
    memory_->append(group, bytes_, base, recorded_at);
    bytes_ += group_bytes;
}

void Segment::set_index_file(std::unique_ptr<IndexFile> index) {
    index_file_ = std::move(index);
    index_handle_ = nullptr;
    memory_ = nullptr;
}

void Segment::set_memory(std::shared_ptr<SegmentIndex> index) {
    memory_ = std::move(index);
    index_file_ = nullptr;
    index_handle_ = nullptr;
}

}  // namespace leftfold::log
