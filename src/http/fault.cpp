#include "fault.hpp"

#include "leftfold/base/assert.hpp"

namespace leftfold::http {

namespace {

constexpr FaultText malformed(std::string_view detail) {
    return {400, "malformed-request", "The request is not well-formed HTTP/1.1", detail};
}
constexpr FaultText ambiguous(std::string_view detail) {
    return {400, "ambiguous-length", "The length of the request's body is ambiguous", detail};
}
constexpr FaultText bad_target(std::string_view detail) {
    return {400, "invalid-target", "The request target is not valid", detail};
}
constexpr FaultText large_headers(std::string_view detail) {
    return {431, "headers-too-large", "The headers are too large", detail};
}

constexpr FaultText kNotHttp =
    malformed("The first byte cannot begin an HTTP request. This port speaks plain HTTP/1.1, without TLS.");
constexpr FaultText kBareLineFeed = malformed("A line ends in LF without CR.");
constexpr FaultText kBadStartLine = malformed("The request line is not 'METHOD target HTTP/1.1' with single spaces.");
constexpr FaultText kBadStatusLine = malformed("The status line is not 'HTTP/1.1 NNN reason'.");
constexpr FaultText kFoldedHeader = malformed("A header is continued on a second line (obs-fold).");
constexpr FaultText kSpaceInHeaderName = malformed("There is white space before the colon of a header.");
constexpr FaultText kBadHeaderName =
    malformed("A header's name is empty, has an invalid character or no colon behind it.");
constexpr FaultText kBadHeaderValue = malformed("A header's value holds a control character.");
constexpr FaultText kHostMissing = malformed("The Host header is missing.");
constexpr FaultText kHostRepeated = malformed("There is more than one Host header.");
constexpr FaultText kHostInvalid = malformed("The Host header is not a host with an optional port.");
constexpr FaultText kLengthInvalid = ambiguous("Content-Length is not one decimal number.");
constexpr FaultText kLengthRepeated = ambiguous("There is more than one Content-Length header.");
constexpr FaultText kLengthWithCoding = ambiguous("Content-Length and Transfer-Encoding are both there.");
constexpr FaultText kCodingInHttp10 = ambiguous("Transfer-Encoding is not part of HTTP/1.0.");
constexpr FaultText kCodingUnknown{400, "unsupported-transfer-coding", "The transfer coding is not supported",
                                   "Transfer-Encoding must be exactly 'chunked', once."};
constexpr FaultText kChunkInvalid = malformed("A chunk of the body is not well-formed.");
constexpr FaultText kChunkExtensionsTooLarge = malformed("The chunk extensions are too large.");
constexpr FaultText kTrailerInvalid = malformed("A trailer is not well-formed.");
constexpr FaultText kTargetInvalid =
    bad_target("It must be a path that begins with '/', or an http URL without user name.");
constexpr FaultText kTargetEncodingInvalid =
    bad_target("A '%' must be followed by two hexadecimal digits, and not by 00.");
constexpr FaultText kTargetAsterisk = bad_target("'*' is not served: ask for the options of a path.");
constexpr FaultText kTargetTooLong{414, "target-too-long", "The request target is too long",
                                   "The request line alone is longer than all headers may be."};
constexpr FaultText kHeadersTooLarge = large_headers("Request line and headers together are too large.");
constexpr FaultText kHeadersTooMany = large_headers("There are too many headers.");
constexpr FaultText kTrailersTooLarge = large_headers("The trailers behind a chunked body are too large.");
constexpr FaultText kBodyTooLarge{413, "body-too-large", "The body is too large",
                                  "The body is larger than this server takes."};
constexpr FaultText kExpectationUnknown{417, "expectation-failed", "The expectation cannot be met",
                                        "Expect must be '100-continue'."};
constexpr FaultText kMethodUnknown{501, "method-not-implemented", "The method is not implemented",
                                   "Known are GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS."};
constexpr FaultText kVersionUnsupported{505, "version-not-supported", "The HTTP version is not supported",
                                        "Speak HTTP/1.1 or HTTP/1.0."};
constexpr FaultText kTimedOut{408, "request-timeout", "The request did not arrive in time",
                              "Headers or body took longer than this server waits."};
constexpr FaultText kHandlerFailed{500, "internal-error", "The server failed to answer",
                                   "The request ended without an answer; whether it had an effect is unknown."};

}  // namespace

const FaultText& describe(Fault fault) noexcept {
    LEFTFOLD_ASSERT(fault != Fault::none);
    switch (fault) {
        case Fault::none:
        case Fault::not_http:
            return kNotHttp;
        case Fault::bare_line_feed:
            return kBareLineFeed;
        case Fault::bad_start_line:
            return kBadStartLine;
        case Fault::bad_status_line:
            return kBadStatusLine;
        case Fault::folded_header:
            return kFoldedHeader;
        case Fault::space_in_header_name:
            return kSpaceInHeaderName;
        case Fault::bad_header_name:
            return kBadHeaderName;
        case Fault::bad_header_value:
            return kBadHeaderValue;
        case Fault::host_missing:
            return kHostMissing;
        case Fault::host_repeated:
            return kHostRepeated;
        case Fault::host_invalid:
            return kHostInvalid;
        case Fault::length_invalid:
            return kLengthInvalid;
        case Fault::length_repeated:
            return kLengthRepeated;
        case Fault::length_with_coding:
            return kLengthWithCoding;
        case Fault::coding_unknown:
            return kCodingUnknown;
        case Fault::coding_in_http10:
            return kCodingInHttp10;
        case Fault::chunk_invalid:
            return kChunkInvalid;
        case Fault::chunk_extensions_too_large:
            return kChunkExtensionsTooLarge;
        case Fault::trailer_invalid:
            return kTrailerInvalid;
        case Fault::target_invalid:
            return kTargetInvalid;
        case Fault::target_encoding_invalid:
            return kTargetEncodingInvalid;
        case Fault::target_asterisk:
            return kTargetAsterisk;
        case Fault::target_too_long:
            return kTargetTooLong;
        case Fault::headers_too_large:
            return kHeadersTooLarge;
        case Fault::headers_too_many:
            return kHeadersTooMany;
        case Fault::trailers_too_large:
            return kTrailersTooLarge;
        case Fault::body_too_large:
            return kBodyTooLarge;
        case Fault::expectation_unknown:
            return kExpectationUnknown;
        case Fault::method_unknown:
            return kMethodUnknown;
        case Fault::version_unsupported:
            return kVersionUnsupported;
        case Fault::timed_out:
            return kTimedOut;
        case Fault::handler_failed:
            return kHandlerFailed;
    }
    return kHandlerFailed;
}

}  // namespace leftfold::http
