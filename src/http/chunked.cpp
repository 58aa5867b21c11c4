#include "chunked.hpp"

#include <algorithm>

#include "leftfold/base/hex.hpp"

#include "characters.hpp"

namespace leftfold::http {

namespace {

// Enough for 2^64 - 1; more would be leading zeros.
constexpr std::uint8_t kSizeDigitsMax = 16;

}  // namespace

ChunkedDecoder::Outcome ChunkedDecoder::feed(std::string_view& input, std::string& body, std::size_t body_start,
                                             const CodecLimits& limits) {
    while (!input.empty()) {
        if (state_ == State::data) {
            const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, input.size()));
            body.append(input.substr(0, size));
            input.remove_prefix(size);
            chunk_left_ -= size;
            if (chunk_left_ == 0)
                state_ = State::data_return;
            continue;
        }
        const char c = input.front();
        input.remove_prefix(1);
        const std::size_t content_bytes_max = limits.body_bytes_max - (body.size() - body_start);
        if (const Outcome outcome = step(c, content_bytes_max, limits); outcome != Outcome::need_more)
            return outcome;
    }
    return Outcome::need_more;
}

ChunkedDecoder::Outcome ChunkedDecoder::step(char c, std::size_t content_bytes_max, const CodecLimits& limits) {
    switch (state_) {
        case State::size_start:
        case State::size:
            return step_size(c, content_bytes_max);
        case State::extension:
            if (c == '\r')
                return expect(c, '\r', State::size_line_feed);
            if (!is_a(kFieldChar, c))
                return refuse(Fault::chunk_invalid);
            return ++extension_bytes_ > kChunkExtensionBytesMax ? refuse(Fault::chunk_extensions_too_large)
                                                                : Outcome::need_more;
        case State::size_line_feed:
            return expect(c, '\n', chunk_left_ == 0 ? State::trailer_start : State::data);
        case State::data:
            break;
        case State::data_return:
            return expect(c, '\r', State::data_line_feed);
        case State::data_line_feed:
            return expect(c, '\n', State::size_start);
        case State::trailer_start:
        case State::trailer:
        case State::trailer_line_feed:
        case State::last_line_feed:
            return step_trailer(c, limits);
    }
    return refuse(Fault::chunk_invalid);
}

ChunkedDecoder::Outcome ChunkedDecoder::step_size(char c, std::size_t content_bytes_max) {
    if (state_ == State::size_start) {
        chunk_left_ = 0;
        digits_ = 0;
    }
    if (const int digit = hex_digit(c); digit >= 0) {
        if (++digits_ > kSizeDigitsMax)
            return refuse(Fault::chunk_invalid);
        chunk_left_ = chunk_left_ << 4U | static_cast<std::uint64_t>(digit);
        state_ = State::size;
        return chunk_left_ > content_bytes_max ? refuse(Fault::body_too_large) : Outcome::need_more;
    }
    if (state_ == State::size_start || (c != '\r' && c != ';'))
        return refuse(Fault::chunk_invalid);
    state_ = c == ';' ? State::extension : State::size_line_feed;
    return Outcome::need_more;
}

ChunkedDecoder::Outcome ChunkedDecoder::step_trailer(char c, const CodecLimits& limits) {
    if (++trailer_bytes_ > limits.header_bytes_max)
        return refuse(Fault::trailers_too_large);
    switch (state_) {
        case State::trailer_start:
            if (c == '\r')
                return expect(c, '\r', State::last_line_feed);
            state_ = State::trailer;
            return is_a(kTokenChar, c) ? Outcome::need_more : refuse(Fault::trailer_invalid);
        case State::trailer:
            if (c == '\r')
                return expect(c, '\r', State::trailer_line_feed);
            return is_a(kFieldChar, c) ? Outcome::need_more : refuse(Fault::trailer_invalid);
        case State::trailer_line_feed:
            return expect(c, '\n', State::trailer_start);
        default:
            return c == '\n' ? Outcome::complete : refuse(Fault::trailer_invalid);
    }
}

ChunkedDecoder::Outcome ChunkedDecoder::expect(char c, char wanted, State next) {
    if (c != wanted)
        return refuse(Fault::chunk_invalid);
    state_ = next;
    return Outcome::need_more;
}

ChunkedDecoder::Outcome ChunkedDecoder::refuse(Fault fault) {
    fault_ = fault;
    return Outcome::refused;
}

}  // namespace leftfold::http
