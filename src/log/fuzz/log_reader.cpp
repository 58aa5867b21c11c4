// Everything that reads the bytes of a log, on bytes that nobody wrote. Checksums are made to hold where that lets the
// inputs further in.
//
// The first byte chooses: 0 a segment as it is, 1 one batch behind a good checksum, 2 a manifest behind a good
// checksum, 3 a manifest as it is, 4 the resident part of an index.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "leftfold/base/crc32c.hpp"

#include "../format.hpp"
#include "../index_file.hpp"
#include "../manifest.hpp"
#include "../scan.hpp"

namespace {

using namespace leftfold;
using namespace leftfold::log;

class MemoryFile final : public File {
  public:
    explicit MemoryFile(std::string bytes) : bytes_(std::move(bytes)) {}

    Result<std::size_t> read_at(std::uint64_t offset, MutableByteSpan buffer) override {
        if (offset >= bytes_.size())
            return std::size_t{0};
        const std::size_t size = std::min(buffer.size(), bytes_.size() - static_cast<std::size_t>(offset));
        std::memcpy(buffer.data(), bytes_.data() + offset, size);
        return size;
    }
    Result<> write_at(std::uint64_t, ByteSpan) override { return fail(ErrorCode::read_only, "memory"); }
    Result<> allocate(std::uint64_t) override { return fail(ErrorCode::read_only, "memory"); }
    Result<> truncate(std::uint64_t) override { return fail(ErrorCode::read_only, "memory"); }
    Result<std::uint64_t> size() override { return bytes_.size(); }
    Result<> sync_data() override { return {}; }
    Result<> drop_cache() override { return {}; }

  private:
    std::string bytes_;
};

void read_segment(std::string bytes) {
    SegmentHeader header;
    if (auto decoded = decode_segment_header(bytes))
        header = *std::move(decoded);
    const std::uint64_t size = bytes.size();
    MemoryFile file(std::move(bytes));
    const auto scan = scan_segment(file, header, size, 0);
    if (scan && scan->contradiction.empty())
        static_cast<void>(examine_remains(file, header.checksum, scan->bytes, size));
}

void read_batch(std::string bytes) {
    if (bytes.size() < kBatchHeaderBytes)
        return;
    std::memcpy(bytes.data(), "\xFFLFB", 4);
    store_le(bytes.data() + 8, static_cast<std::uint32_t>(bytes.size()));
    seal_batch(bytes.data(), Position(0), 0);
    const ParsedBatch parsed = parse_batch(bytes, 0);
    std::vector<Record> records;
    if (parsed.fault == BatchFault::none)
        static_cast<void>(decode_records(parsed.batch, records));
    // As the first batch of a segment too: what it contradicts must be said, not asserted.
    std::string segment(kSegmentHeaderBytes, '\0');
    read_segment(segment + bytes + bytes);
}

void read_manifest_with_checksum(std::string text) {
    char line[20];
    std::snprintf(line, sizeof line, "crc32c %08x\n", crc32c(bytes_of(text)));
    static_cast<void>(decode_manifest(text + line));
}

void read_index(const std::string& bytes) {
    if (bytes.size() < 40)
        return;
    const IndexedSegment segment{load_le<std::uint32_t>(bytes.data() + 20), load_le<std::uint64_t>(bytes.data() + 24),
                                 load_le<std::uint64_t>(bytes.data() + 32)};
    static_cast<void>(IndexFile::from_bytes("index", bytes, segment));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    std::string input(reinterpret_cast<const char*>(data + 1), size - 1);
    switch (data[0] % 5) {
        case 0:
            read_segment(std::move(input));
            break;
        case 1:
            read_batch(std::move(input));
            break;
        case 2:
            read_manifest_with_checksum(std::move(input));
            break;
        case 3:
            static_cast<void>(decode_manifest(input));
            break;
        default:
            read_index(input);
            break;
    }
    return 0;
}
