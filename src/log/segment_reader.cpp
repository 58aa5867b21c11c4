#include "segment_reader.hpp"

#include <algorithm>

namespace leftfold::log {
namespace {

Result<> read_into(File& file, std::uint64_t offset, std::size_t size, std::string& out) {
    Result<std::size_t> got = 0;
    // The size given to the callback is not to be used: libstdc++ 12 passes the capacity.
    out.resize_and_overwrite(size, [&](char* bytes, std::size_t) {
        got = file.read_at(offset, std::as_writable_bytes(std::span(bytes, size)));
        return got.value_or(0);
    });
    if (!got)
        return std::unexpected(std::move(got).error());
    return {};
}

}  // namespace

Result<std::string> read_bytes(File& file, std::uint64_t offset, std::size_t size) {
    std::string bytes;
    LEFTFOLD_CHECK(read_into(file, offset, size, bytes));
    return bytes;
}

Result<> SegmentReader::load(std::uint64_t offset, std::size_t size) {
    if (buffers_.empty() || buffers_kept_)
        buffers_.emplace_back();
    window_offset_ = offset;
    return read_into(file_, offset, static_cast<std::size_t>(std::min<std::uint64_t>(size, end_ - offset)),
                     buffers_.back());
}

Result<ParsedBatch> SegmentReader::at(std::uint64_t offset, std::size_t window_bytes) {
    if (offset >= end_)
        return ParsedBatch{};
    const auto view = [&]() -> std::string_view {
        if (buffers_.empty() || offset < window_offset_ || offset >= window_offset_ + buffers_.back().size())
            return {};
        return std::string_view(buffers_.back()).substr(static_cast<std::size_t>(offset - window_offset_));
    };
    ParsedBatch parsed = parse_batch(view(), seed_);
    if (view().size() < kBatchHeaderBytes || parsed.fault == BatchFault::cut_short) {
        LEFTFOLD_CHECK(load(offset, std::max({window_bytes, kBatchHeaderBytes, parsed.needed_bytes})));
        parsed = parse_batch(view(), seed_);
    }
    if (parsed.fault == BatchFault::cut_short && parsed.needed_bytes <= end_ - offset &&
        parsed.needed_bytes > view().size()) {
        LEFTFOLD_CHECK(load(offset, parsed.needed_bytes));
        parsed = parse_batch(view(), seed_);
    }
    return parsed;
}

}  // namespace leftfold::log
