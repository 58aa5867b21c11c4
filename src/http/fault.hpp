// Fault: what is wrong with bytes from a peer, in one word, and what is said about it.
#pragma once

#include <cstdint>
#include <string_view>

namespace leftfold::http {

enum class Fault : std::uint8_t {
    none,
    not_http,
    bare_line_feed,
    bad_start_line,
    bad_status_line,
    folded_header,
    space_in_header_name,
    bad_header_name,
    bad_header_value,
    host_missing,
    host_repeated,
    host_invalid,
    length_invalid,
    length_repeated,
    length_with_coding,
    coding_unknown,
    coding_in_http10,
    chunk_invalid,
    chunk_extensions_too_large,
    trailer_invalid,
    target_invalid,
    target_encoding_invalid,
    target_asterisk,
    target_too_long,
    headers_too_large,
    headers_too_many,
    trailers_too_large,
    body_too_large,
    expectation_unknown,
    method_unknown,
    version_unsupported,
    timed_out,
    handler_failed
};

struct FaultText {
    int status;              // of the answer, if the peer is a client
    std::string_view name;   // of the problem type
    std::string_view title;  // one for each name
    std::string_view detail;
};

// Not for Fault::none.
const FaultText& describe(Fault fault) noexcept;

}  // namespace leftfold::http
