#include "request_parser.hpp"

#include <algorithm>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/hex.hpp"
#include "leftfold/http/url.hpp"

#include "characters.hpp"

namespace leftfold::http {

namespace {

// RFC 9112 §2.2: at least one empty line in front of a request is to be overlooked.
constexpr std::uint8_t kEmptyLinesMax = 4;

// A body of unknown sender is not given memory before it arrives, but one of common size is not copied about either.
constexpr std::uint64_t kReservedBodyBytesMax = 16 * 1024;

}  // namespace

RequestParser::Outcome RequestParser::feed(std::string_view& input) {
    LEFTFOLD_ASSERT(fault_ == Fault::none);
    if (input.empty())
        return Outcome::need_more;
    switch (state_) {
        case State::between:
            return begin(input);
        case State::head:
            return collect_head(input);
        case State::body:
            return continue_body(input);
        case State::chunks:
            return continue_chunks(input);
    }
    return Outcome::need_more;
}

void RequestParser::release_memory() {
    if (state_ == State::between)
        std::string().swap(collected_);
}

RequestParser::Outcome RequestParser::begin(std::string_view& input) {
    expects_continue_ = false;
    while (!input.empty() && input.front() == (empty_lines_ % 2 == 0 ? '\r' : '\n') &&
           empty_lines_ < kEmptyLinesMax * 2) {
        input.remove_prefix(1);
        ++empty_lines_;
    }
    if (input.empty())
        return Outcome::need_more;
    if (empty_lines_ % 2 != 0 || !is_a(kTokenChar, input.front()))
        return refuse(Fault::not_http);
    empty_lines_ = 0;

    scanner_.reset();
    const std::size_t head_size = scanner_.scan(input, limits_.header_bytes_max);
    if (scanner_.fault() != Fault::none)
        return refuse(scanner_.fault());
    if (head_size == 0) {
        collected_.assign(input);
        input = {};
        state_ = State::head;
        return Outcome::need_more;
    }
    const std::string_view head = input.substr(0, head_size);
    input.remove_prefix(head_size);
    return read_head(head, input);
}

RequestParser::Outcome RequestParser::collect_head(std::string_view& input) {
    const std::string_view piece = input.substr(0, limits_.header_bytes_max - collected_.size());
    collected_.append(piece);
    const std::size_t head_size = scanner_.scan(collected_, limits_.header_bytes_max);
    if (scanner_.fault() != Fault::none)
        return refuse(scanner_.fault());
    if (head_size == 0) {
        LEFTFOLD_ASSERT(piece.size() == input.size());
        input = {};
        return Outcome::need_more;
    }
    input.remove_prefix(piece.size() - (collected_.size() - head_size));
    collected_.resize(head_size);
    return read_head(collected_, input);
}

// `head` lies either in front of `input`, or is what was collected.
RequestParser::Outcome RequestParser::read_head(std::string_view head, std::string_view& input) {
    if (const Fault fault = parse_head(head); fault != Fault::none)
        return refuse(fault);
    const std::uint64_t length = framing_.content_length.value_or(0);
    if (length > limits_.body_bytes_max)
        return refuse(Fault::body_too_large);
    if (!framing_.chunked && length <= input.size()) {
        const std::string_view body = input.substr(0, static_cast<std::size_t>(length));
        input.remove_prefix(body.size());
        return complete(body);
    }

    head_size_ = head.size();
    if (state_ == State::between) {
        collected_.reserve(head.size() + static_cast<std::size_t>(std::min(length, kReservedBodyBytesMax)));
        collected_.assign(head);
    }
    expects_continue_ = framing_.expects_continue && !http10_ && input.empty();
    body_left_ = length;
    chunks_.reset();
    state_ = framing_.chunked ? State::chunks : State::body;
    return feed(input);
}

RequestParser::Outcome RequestParser::continue_body(std::string_view& input) {
    expects_continue_ = false;
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size()));
    collected_.append(input.substr(0, size));
    input.remove_prefix(size);
    body_left_ -= size;
    return body_left_ == 0 ? finish_collected() : Outcome::need_more;
}

RequestParser::Outcome RequestParser::continue_chunks(std::string_view& input) {
    expects_continue_ = false;
    switch (chunks_.feed(input, collected_, head_size_, limits_)) {
        case ChunkedDecoder::Outcome::need_more:
            return Outcome::need_more;
        case ChunkedDecoder::Outcome::refused:
            return refuse(chunks_.fault());
        case ChunkedDecoder::Outcome::complete:
            return finish_collected();
    }
    return Outcome::need_more;
}

// The head was parsed when it ended, but other connections have used the scratch since, and the bytes have moved.
RequestParser::Outcome RequestParser::finish_collected() {
    const std::string_view all = collected_;
    const Fault fault = parse_head(all.substr(0, head_size_));
    LEFTFOLD_ASSERT(fault == Fault::none);
    return complete(all.substr(head_size_));
}

RequestParser::Outcome RequestParser::complete(std::string_view body) {
    scratch_.request.body = body;
    scratch_.request.fields = scratch_.fields;
    closes_ = framing_.close || http10_;
    expects_continue_ = false;
    state_ = State::between;
    return Outcome::complete;
}

RequestParser::Outcome RequestParser::refuse(Fault fault) {
    fault_ = fault;
    state_ = State::between;
    release_memory();
    return Outcome::refused;
}

Fault RequestParser::parse_head(std::string_view head) {
    const std::size_t line_size = head.find('\n') - 1;
    if (const Fault fault = parse_start_line(head.substr(0, line_size)); fault != Fault::none)
        return fault;
    if (const Fault fault = parse_fields(head.substr(line_size + 2), limits_.header_count_max, scratch_.fields);
        fault != Fault::none)
        return fault;
    if (const Fault fault = read_framing(scratch_.fields, framing_); fault != Fault::none)
        return fault;
    if (framing_.chunked && http10_)
        return Fault::coding_in_http10;
    return check_host();
}

Fault RequestParser::check_host() const noexcept {
    if (framing_.host_count > 1)
        return Fault::host_repeated;
    if (framing_.host_count == 0)
        return http10_ ? Fault::none : Fault::host_missing;
    return are_all(kHostChar, framing_.host) ? Fault::none : Fault::host_invalid;
}

Fault RequestParser::parse_start_line(std::string_view line) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last)
        return Fault::bad_start_line;
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const int version = parse_version(line.substr(last + 1));
    if (!are_all(kTokenChar, method) || target.empty() || target.find_first_of(" \t\r") != std::string_view::npos ||
        version == 0)
        return Fault::bad_start_line;
    // RFC 9110 §2.5: a higher minor version is answered as the highest that is known.
    if (version / 10 != 1)
        return Fault::version_unsupported;
    http10_ = version == 10;
    const auto known = parse_method(method);
    if (!known)
        return Fault::method_unknown;
    scratch_.request.method = *known;
    return parse_target(target);
}

namespace {

// "http://host:port" of an absolute-form target; its Host header is checked, but not compared: a proxy may have changed
// it.
bool remove_authority(std::string_view& target) {
    const std::size_t colon = target.find("://");
    if (colon == std::string_view::npos)
        return false;
    const std::string_view scheme = target.substr(0, colon);
    if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https"))
        return false;
    target.remove_prefix(colon + 3);
    const std::size_t size = std::min(target.find_first_of("/?"), target.size());
    if (size == 0 || !are_all(kHostChar, target.substr(0, size)))
        return false;
    target.remove_prefix(size);
    return true;
}

bool is_well_encoded(std::string_view text) {
    for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 3))
        if (at + 2 >= text.size() || hex_digit(text[at + 1]) < 0 || hex_digit(text[at + 2]) < 0 ||
            text.substr(at + 1, 2) == "00")
            return false;
    return true;
}

}  // namespace

Fault RequestParser::parse_target(std::string_view target) {
    Request& request = scratch_.request;
    request.target = target;
    if (target == "*")
        return Fault::target_asterisk;
    if (target.front() != '/' && !remove_authority(target))
        return Fault::target_invalid;
    if (!are_all(kTargetChar, target))
        return Fault::target_invalid;
    if (!is_well_encoded(target))
        return Fault::target_encoding_invalid;

    const std::size_t path_size = std::min(target.find('?'), target.size());
    request.query = target.substr(std::min(path_size + 1, target.size()));
    request.raw_path = path_size == 0 ? std::string_view("/") : target.substr(0, path_size);
    request.path = request.raw_path;
    if (request.raw_path.find('%') != std::string_view::npos) {
        scratch_.path = percent_decode(request.raw_path).value_or("");
        request.path = scratch_.path;
    }
    return Fault::none;
}

}  // namespace leftfold::http
