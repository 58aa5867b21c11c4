// ServerCodec: the protocol of one connection, seen from the server, without I/O: bytes in, requests out; answers in,
// in any order, whole or piece by piece, bytes out, in the order of the requests.
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
    std::uint64_t ticket() const noexcept {
        return (next_to_read_ - 1) << kTicketFlags | (is_http10_ ? kHttp10 : 0) | (is_head_ ? kHead : 0);
    }

    // The answer for a ticket, once.
    void reply(std::uint64_t ticket, Response response);
    // The same piece by piece: begin, any number of pieces, end. An answer to HEAD is over once begun, and what follows
    // is dropped.
    void begin(std::uint64_t ticket, Response head);
    void write(std::uint64_t ticket, std::string_view piece);
    void end(std::uint64_t ticket);
    // Takes back an answer that was begun, and answers 500 in its place. False if its turn has come: then the client
    // has seen part of it.
    bool take_back(std::uint64_t ticket);

    // All of the answer is in the output.
    bool is_answered(std::uint64_t ticket) const noexcept { return sequence_of(ticket) < next_to_write_; }
    // The answers before it are in the output, and it is not.
    bool has_turn(std::uint64_t ticket) const noexcept { return sequence_of(ticket) == next_to_write_; }
    // Bytes of an answer that waits for its turn.
    std::size_t waiting_bytes(std::uint64_t ticket) const noexcept;

    // Refuses the request that is underway, as read() does a malformed one.
    void refuse(Fault fault);
    // No request but the one underway, if any, is read; the last answer says so, unless it was begun before.
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
    static constexpr unsigned kTicketFlags = 2;
    static constexpr std::uint64_t kHead = 1;
    static constexpr std::uint64_t kHttp10 = 2;

    enum class Stage : std::uint8_t { begun, whole };
    struct Waiting {
        std::uint64_t ticket;
        Response response;
        Stage stage;
        bool in_pieces;  // goes out as it was written: chunked
    };

    static std::uint64_t sequence_of(std::uint64_t ticket) noexcept { return ticket >> kTicketFlags; }
    void take(Waiting answer);
    void write_answer(const Waiting& answer);
    void write_piece(std::uint64_t ticket, std::string_view piece);
    void write_end(std::uint64_t ticket);
    void write_those_waiting();
    void write_continue();
    Waiting* find_waiting(std::uint64_t ticket) noexcept;

    CodecShared* shared_;
    RequestParser parser_;
    std::string output_;
    std::vector<Waiting> waiting_;  // given before an earlier one was; fewer than unanswered()
    std::uint64_t next_to_read_ = 0;
    std::uint64_t next_to_write_ = 0;
    bool is_head_ = false;
    bool is_http10_ = false;
    bool finishing_ = false;
    bool reading_over_ = false;
};

// The answer to a fault, with the limit that was passed.
Response fault_response(Fault fault, const CodecLimits& limits);

}  // namespace leftfold::http
