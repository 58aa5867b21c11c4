// The head of a message, as requests and responses share it: where it ends, its header lines, the framing of the body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "leftfold/http/message.hpp"

#include "fault.hpp"

namespace leftfold::http {

struct CodecLimits {
    std::size_t header_bytes_max;
    std::size_t header_count_max;
    std::size_t body_bytes_max;
};

// Finds the end of a head in bytes that arrive piece by piece; looks at each byte once.
class HeadScanner {
  public:
    // `bytes` is the head from its first byte, each time at least as long as before. The size of the head with its
    // empty line, or 0 if it has not ended; fault() tells whether it can still.
    std::size_t scan(std::string_view bytes, std::size_t size_max) noexcept;
    Fault fault() const noexcept { return fault_; }
    void reset() noexcept { *this = {}; }

  private:
    std::size_t looked_at_ = 0;
    std::size_t line_start_ = 0;
    Fault fault_ = Fault::none;
};

// "Name: value\r\n" lines up to the empty line, which is the end of `lines`. Names and values point into it.
Fault parse_fields(std::string_view lines, std::size_t count_max, std::vector<HeaderField>& fields);

// What the headers say about the body and the connection.
struct Framing {
    std::optional<std::uint64_t> content_length;
    std::string_view host;
    std::uint32_t host_count = 0;
    bool chunked = false;
    bool close = false;
    bool expects_continue = false;
};

// Refuses whatever two readers could understand differently (RFC 9112 §6.3).
Fault read_framing(const std::vector<HeaderField>& fields, Framing& framing) noexcept;

// '0' … '9' only, at least one. nullopt: another character; what is too large becomes the largest number.
std::optional<std::uint64_t> parse_decimal(std::string_view text) noexcept;

// "HTTP/1.1" → 11; 0 if it is not of that form.
int parse_version(std::string_view text) noexcept;

}  // namespace leftfold::http
