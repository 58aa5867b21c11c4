// SegmentReader: checked batches of one segment file, read through windows of bytes.
//
// Borrows the file. With Buffers::kept every view it gives lives as long as the buffers, which take_buffers() hands
// over; with Buffers::reused only until the next call.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "leftfold/env/files.hpp"

#include "format.hpp"

namespace leftfold::log {

class SegmentReader {
  public:
    enum class Buffers : std::uint8_t { kept, reused };

    // Looks at nothing at or behind `end`.
    SegmentReader(File& file, std::uint32_t seed, std::uint64_t end, Buffers buffers) noexcept
        : file_(file), end_(end), seed_(seed), buffers_kept_(buffers == Buffers::kept) {}

    // The batch at `offset`. Where it is not in the window, reads the next one, of about `window_bytes`. cut_short
    // means that the batch does not end before `end`. Errors are those of the disk only.
    Result<ParsedBatch> at(std::uint64_t offset, std::size_t window_bytes);

    std::vector<std::string> take_buffers() noexcept { return std::move(buffers_); }

  private:
    Result<> load(std::uint64_t offset, std::size_t size);

    File& file_;
    std::uint64_t end_;
    std::uint64_t window_offset_ = 0;
    std::vector<std::string> buffers_;  // the last is the window
    std::uint32_t seed_;
    bool buffers_kept_;
};

// Bytes [offset, offset + size) of a file, fewer at its end.
Result<std::string> read_bytes(File& file, std::uint64_t offset, std::size_t size);

}  // namespace leftfold::log
