#include "response_parser.hpp"

#include <algorithm>

#include "leftfold/base/assert.hpp"

#include "characters.hpp"

namespace leftfold::http {

namespace {

// 1xx in front of the response proper. Who sends more is not a server that anybody runs.
constexpr int kInterimCountMax = 8;

}  // namespace

void ResponseParser::begin(bool to_head) {
    head_.clear();
    body_.clear();
    scanner_.reset();
    chunks_.reset();
    interim_count_ = 0;
    state_ = State::head;
    to_head_ = to_head;
    keeps_alive_ = false;
}

ResponseParser::Outcome ResponseParser::feed(std::string_view& input) {
    LEFTFOLD_ASSERT(fault_ == Fault::none && state_ != State::done);
    while (!input.empty()) {
        const Outcome outcome = state_ == State::head ? collect_head(input) : read_body(input);
        if (outcome != Outcome::need_more)
            return outcome;
    }
    return Outcome::need_more;
}

ResponseParser::Outcome ResponseParser::end() noexcept {
    return state_ == State::until_end ? complete() : Outcome::refused;
}

ResponseParser::Outcome ResponseParser::collect_head(std::string_view& input) {
    const std::string_view piece = input.substr(0, limits_.header_bytes_max - head_.size());
    head_.append(piece);
    const std::size_t head_size = scanner_.scan(head_, limits_.header_bytes_max);
    if (scanner_.fault() != Fault::none)
        return refuse(scanner_.fault());
    input.remove_prefix(head_size == 0 ? piece.size() : piece.size() - (head_.size() - head_size));
    if (head_size == 0)
        return Outcome::need_more;
    head_.resize(head_size);
    return read_head();
}

ResponseParser::Outcome ResponseParser::read_head() {
    if (const Fault fault = parse_head(); fault != Fault::none)
        return refuse(fault);
    if (status_ < 200) {
        // Nothing was asked to be upgraded.
        if (status_ == 101 || ++interim_count_ > kInterimCountMax)
            return refuse(Fault::bad_status_line);
        head_.clear();
        scanner_.reset();
        return Outcome::need_more;
    }
    // RFC 9112 §6.3.
    if (to_head_ || status_ == 204 || status_ == 304 || framing_.content_length == 0)
        return complete();
    if (framing_.content_length.value_or(0) > limits_.body_bytes_max)
        return refuse(Fault::body_too_large);
    body_left_ = framing_.content_length.value_or(0);
    keeps_alive_ = keeps_alive_ && (framing_.chunked || framing_.content_length);
    state_ = framing_.chunked ? State::chunks : framing_.content_length ? State::body : State::until_end;
    return Outcome::need_more;
}

Fault ResponseParser::parse_head() {
    const std::string_view head = head_;
    const std::size_t line_size = head.find('\n') - 1;
    const std::string_view line = head.substr(0, line_size);
    // "HTTP/1.1 200 reason", where the reason, but not the space before it, may be missing. Some leave out both.
    if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ') || !are_all(kFieldChar, line))
        return Fault::bad_status_line;
    const int version = parse_version(line.substr(0, 8));
    const auto status = parse_decimal(line.substr(9, 3));
    if (version == 0 || !status || *status < 100 || *status > 599)
        return Fault::bad_status_line;
    if (version / 10 != 1)
        return Fault::version_unsupported;
    status_ = static_cast<int>(*status);
    if (const Fault fault = parse_fields(head.substr(line_size + 2), limits_.header_count_max, fields_);
        fault != Fault::none)
        return fault;
    if (const Fault fault = read_framing(fields_, framing_); fault != Fault::none)
        return fault;
    keeps_alive_ = version > 10 && !framing_.close;
    return framing_.chunked && version == 10 ? Fault::coding_in_http10 : Fault::none;
}

ResponseParser::Outcome ResponseParser::read_body(std::string_view& input) {
    if (state_ == State::chunks) {
        switch (chunks_.feed(input, body_, 0, limits_)) {
            case ChunkedDecoder::Outcome::need_more:
                return Outcome::need_more;
            case ChunkedDecoder::Outcome::refused:
                return refuse(chunks_.fault());
            case ChunkedDecoder::Outcome::complete:
                return complete();
        }
    }
    const bool until_end = state_ == State::until_end;
    const auto size =
        until_end ? input.size() : static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size()));
    if (size > limits_.body_bytes_max - body_.size())
        return refuse(Fault::body_too_large);
    body_.append(input.substr(0, size));
    input.remove_prefix(size);
    if (until_end)
        return Outcome::need_more;
    body_left_ -= size;
    return body_left_ == 0 ? complete() : Outcome::need_more;
}

ResponseParser::Outcome ResponseParser::complete() noexcept {
    state_ = State::done;
    return Outcome::complete;
}

ResponseParser::Outcome ResponseParser::refuse(Fault fault) noexcept {
    fault_ = fault;
    return Outcome::refused;
}

}  // namespace leftfold::http
