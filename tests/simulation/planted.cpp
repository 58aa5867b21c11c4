#include "planted.hpp"

#include <algorithm>
#include <string>

#include "leftfold/base/bytes.hpp"

#include "format.hpp"

namespace leftfold::simulation {

namespace {

// Walks the batches of a segment and seals anew those that are torn.
void repair(std::string& segment) {
    const auto header = log::decode_segment_header(segment);
    if (!header)
        return;
    for (std::size_t at = header->bytes; at + log::kBatchHeaderBytes <= segment.size();) {
        const auto parsed = log::parse_batch(std::string_view(segment).substr(at), header->checksum);
        if (parsed.fault == log::BatchFault::none) {
            at += parsed.batch.bytes.size();
            continue;
        }
        if (parsed.fault != log::BatchFault::checksum)
            return;
        const std::size_t bytes = log::batch_bytes(segment.data() + at);
        if (bytes < log::kBatchHeaderBytes || bytes > segment.size() - at)
            return;
        log::seal_batch(segment.data() + at,
                        log::view_unsealed_batch(std::string_view(segment).substr(at)).durable_up_to, header->checksum);
        at += bytes;
    }
}

class BelievingFile final : public File {
  public:
    explicit BelievingFile(std::unique_ptr<File> inner) noexcept : inner_(std::move(inner)) {}

    Result<std::size_t> read_at(std::uint64_t offset, MutableByteSpan buffer) override {
        LEFTFOLD_TRY(size, inner_->size());
        std::string whole(size, '\0');
        LEFTFOLD_TRY(read, inner_->read_at(0, std::as_writable_bytes(std::span(whole))));
        whole.resize(read);
        repair(whole);
        if (offset >= whole.size())
            return 0;
        const std::size_t count = std::min(buffer.size(), whole.size() - offset);
        std::copy_n(bytes_of(whole).begin() + static_cast<std::ptrdiff_t>(offset), count, buffer.begin());
        return count;
    }
    Result<> write_at(std::uint64_t offset, ByteSpan bytes) override { return inner_->write_at(offset, bytes); }
    Result<> allocate(std::uint64_t size) override { return inner_->allocate(size); }
    Result<> truncate(std::uint64_t size) override { return inner_->truncate(size); }
    Result<std::uint64_t> size() override { return inner_->size(); }
    Result<> sync_data() override { return inner_->sync_data(); }
    Result<> drop_cache() override { return inner_->drop_cache(); }

  private:
    std::unique_ptr<File> inner_;
};

}  // namespace

Result<std::unique_ptr<File>> BelievingFileSystem::open(const std::string& path, OpenMode mode) {
    LEFTFOLD_TRY(file, inner_.open(path, mode));
    if (path.find("/topics/") == std::string::npos)
        return file;
    return std::make_unique<BelievingFile>(std::move(file));
}

}  // namespace leftfold::simulation
