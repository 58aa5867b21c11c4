// RequestParser: bytes of a connection in, requests out. Sans-IO; the same result for every way of cutting the bytes.
//
// A request that arrives whole is read where it lies, without a copy; only one that arrives in pieces is collected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/http/message.hpp"

#include "chunked.hpp"
#include "fault.hpp"
#include "head.hpp"

namespace leftfold::http {

// What a finished request is made of, shared by all connections of a thread: a request lives only until the next feed()
// of any of them.
struct RequestScratch {
    Request request;
    std::vector<HeaderField> fields;
    std::string path;  // where decoding changed it
};

class RequestParser {
  public:
    enum class Outcome : std::uint8_t { need_more, complete, refused };

    RequestParser(const CodecLimits& limits, RequestScratch& scratch) noexcept : limits_(limits), scratch_(scratch) {}

    // Removes what it has read from the front of `input`; all of it on need_more. After `complete` the scratch holds
    // the request (without peer and on_loopback), valid while the bytes of `input` are and until the next call. After
    // `refused` nothing more can be read.
    Outcome feed(std::string_view& input);

    Fault fault() const noexcept { return fault_; }
    // A request has begun and is not complete.
    bool mid_request() const noexcept { return state_ != State::between; }
    bool mid_body() const noexcept { return state_ == State::body || state_ == State::chunks; }
    // The client waits for a 100 before it sends the body that is due now.
    bool expects_continue() const noexcept { return expects_continue_; }
    void continue_sent() noexcept { expects_continue_ = false; }
    // The complete request is the last that its client wants answered.
    bool closes() const noexcept { return closes_; }
    // It is one of HTTP/1.0.
    bool is_http10() const noexcept { return http10_; }

    // Gives up memory that only a request underway needs.
    void release_memory();

  private:
    enum class State : std::uint8_t { between, head, body, chunks };

    Outcome begin(std::string_view& input);
    Outcome collect_head(std::string_view& input);
    Outcome read_head(std::string_view head, std::string_view& input);
    Outcome continue_body(std::string_view& input);
    Outcome continue_chunks(std::string_view& input);
    Outcome finish_collected();
    Outcome complete(std::string_view body);
    Outcome refuse(Fault fault);

    Fault parse_head(std::string_view head);
    Fault parse_start_line(std::string_view line);
    Fault parse_target(std::string_view target);
    Fault check_host() const noexcept;

    const CodecLimits& limits_;
    RequestScratch& scratch_;

    std::string collected_;  // head, then body without coding
    HeadScanner scanner_;
    ChunkedDecoder chunks_;
    std::size_t head_size_ = 0;
    std::uint64_t body_left_ = 0;
    Framing framing_;
    State state_ = State::between;
    Fault fault_ = Fault::none;
    std::uint8_t empty_lines_ = 0;  // twice: CR and LF count
    bool http10_ = false;
    bool closes_ = false;
    bool expects_continue_ = false;
};

}  // namespace leftfold::http
