// ChunkedDecoder: the chunked transfer coding (RFC 9112 §7.1), piece by piece. Extensions and trailers are bounded,
// checked for form, and dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fault.hpp"
#include "head.hpp"

namespace leftfold::http {

// Of all chunks of a body together. Nobody uses extensions; what is longer is an attack on the reader's time.
inline constexpr std::size_t kChunkExtensionBytesMax = 4096;

class ChunkedDecoder {
  public:
    enum class Outcome : std::uint8_t { need_more, complete, refused };

    // Removes what it has read from the front of `input`, and appends the content to `body`, of which the first
    // `body_start` bytes are not part of it.
    Outcome feed(std::string_view& input, std::string& body, std::size_t body_start, const CodecLimits& limits);
    Fault fault() const noexcept { return fault_; }
    void reset() noexcept { *this = {}; }

  private:
    enum class State : std::uint8_t {
        size_start,
        size,
        extension,
        size_line_feed,
        data,
        data_return,
        data_line_feed,
        trailer_start,
        trailer,
        trailer_line_feed,
        last_line_feed
    };

    Outcome step(char c, std::size_t content_bytes_max, const CodecLimits& limits);
    Outcome step_size(char c, std::size_t content_bytes_max);
    Outcome step_trailer(char c, const CodecLimits& limits);
    Outcome expect(char c, char wanted, State next);
    Outcome refuse(Fault fault);

    std::uint64_t chunk_left_ = 0;
    std::uint32_t extension_bytes_ = 0;
    std::uint32_t trailer_bytes_ = 0;
    std::uint8_t digits_ = 0;
    State state_ = State::size_start;
    Fault fault_ = Fault::none;
};

}  // namespace leftfold::http
