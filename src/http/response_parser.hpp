// ResponseParser: bytes from a server in, one response out. Sans-IO; as strict as the request parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chunked.hpp"
#include "fault.hpp"
#include "head.hpp"

namespace leftfold::http {

class ResponseParser {
  public:
    enum class Outcome : std::uint8_t { need_more, complete, refused };

    explicit ResponseParser(const CodecLimits& limits) noexcept : limits_(limits) {}

    // Begins with the response to a request; one to HEAD has no body.
    void begin(bool to_head);
    // Removes what it has read from the front of `input`. After `refused` nothing more can be read.
    Outcome feed(std::string_view& input);
    // The server sends no more: complete where that ends the body, else refused, without a fault.
    Outcome end() noexcept;

    Fault fault() const noexcept { return fault_; }
    bool keeps_alive() const noexcept { return keeps_alive_; }
    int status() const noexcept { return status_; }
    std::string take_head() noexcept { return std::move(head_); }
    // Status and head are known: no longer interim.
    bool has_head() const noexcept { return state_ != State::head; }
    // What has come of it since the last call: the limit of a body holds for what nobody has taken.
    std::string take_body() noexcept { return std::exchange(body_, {}); }

  private:
    enum class State : std::uint8_t { head, body, chunks, until_end, done };

    Outcome collect_head(std::string_view& input);
    Outcome read_head();
    Outcome read_body(std::string_view& input);
    Fault parse_head();
    Outcome complete() noexcept;
    Outcome refuse(Fault fault) noexcept;

    const CodecLimits& limits_;
    std::string head_;
    std::string body_;
    std::vector<HeaderField> fields_;
    HeadScanner scanner_;
    ChunkedDecoder chunks_;
    Framing framing_;
    std::uint64_t body_left_ = 0;
    int status_ = 0;
    int interim_count_ = 0;
    State state_ = State::head;
    Fault fault_ = Fault::none;
    bool to_head_ = false;
    bool keeps_alive_ = false;
};

}  // namespace leftfold::http
