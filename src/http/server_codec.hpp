// ServerCodec: the protocol of one connection, seen from the server, without I/O: bytes in, requests out; answers in,
// in any order, bytes out, in the order of the requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leftfold/http/message.hpp"

#include "request_parser.hpp"
#include "response_writer.hpp"

namespace leftfold::http {

// What all connections of a server share. Outlives them.
struct CodecShared {
    CodecLimits limits;
    RequestScratch scratch;
    ResponseWriter writer;
};

class ServerCodec {
  public:
    explicit ServerCodec(CodecShared& shared) noexcept : shared_(&shared), parser_(shared.limits, shared.scratch) {}

    enum class Event : std::uint8_t {
        need_more,  // all of the input is taken
        request,    // shared.scratch.request is valid until the next call; answer it with ticket()
        refused,    // the answer that says so is already given; like `over` from now on
        over        // no further request will be read: the input does not matter
    };

    // Removes what it has read from the front of `input`.
    Event read(std::string_view& input);
    std::uint64_t ticket() const noexcept { return (next_to_read_ - 1) << 1U | (is_head_ ? 1U : 0U); }

    // The answer for a ticket, once.
    void reply(std::uint64_t ticket, Response response);

    // Refuses the request that is underway, as read() does a malformed one.
    void refuse(Fault fault);
    // No request but the one underway, if any, is read; the last answer says so.
    void finish() noexcept;

    // Bytes for the client since the last call.
    std::string take_output() noexcept { return std::exchange(output_, {}); }
    std::size_t output_bytes() const noexcept { return output_.size(); }

    std::size_t unanswered() const noexcept { return static_cast<std::size_t>(next_to_read_ - next_to_write_); }
    bool mid_request() const noexcept { return !reading_over_ && parser_.mid_request(); }
    bool mid_body() const noexcept { return !reading_over_ && parser_.mid_body(); }
    // All that will be answered has been: the client is owed nothing more.
    bool finished() const noexcept { return reading_over_ && unanswered() == 0; }
    // Grows with each request read.
    std::uint64_t requests_read() const noexcept { return next_to_read_; }

    void release_memory() { parser_.release_memory(); }

  private:
    struct Waiting {
        std::uint64_t ticket;
        Response response;
    };

    void write(std::uint64_t ticket, const Response& response);
    void write_those_waiting();
    void write_continue();

    CodecShared* shared_;
    RequestParser parser_;
    std::string output_;
    std::vector<Waiting> waiting_;  // given before an earlier one; fewer than unanswered()
    std::uint64_t next_to_read_ = 0;
    std::uint64_t next_to_write_ = 0;
    bool is_head_ = false;
    bool finishing_ = false;
    bool reading_over_ = false;
};

// The answer to a fault, with the limit that was passed.
Response fault_response(Fault fault, const CodecLimits& limits);

}  // namespace leftfold::http
