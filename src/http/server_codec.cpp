#include "server_codec.hpp"

#include <algorithm>
#include <utility>

#include "leftfold/base/assert.hpp"
#include "leftfold/http/problem.hpp"

namespace leftfold::http {

ServerCodec::Event ServerCodec::read(std::string_view& input) {
    if (reading_over_)
        return Event::over;
    switch (parser_.feed(input)) {
        case RequestParser::Outcome::need_more:
            write_continue();
            return Event::need_more;
        case RequestParser::Outcome::refused:
            refuse(parser_.fault());
            return Event::refused;
        case RequestParser::Outcome::complete:
            break;
    }
    ++next_to_read_;
    is_head_ = shared_->scratch.request.method == Method::head;
    is_http10_ = parser_.is_http10();
    reading_over_ = finishing_ || parser_.closes();
    return Event::request;
}

void ServerCodec::refuse(Fault fault) {
    LEFTFOLD_ASSERT(!reading_over_);
    ++next_to_read_;
    is_head_ = false;
    is_http10_ = false;
    reading_over_ = true;
    reply(ticket(), fault_response(fault, shared_->limits));
}

void ServerCodec::finish() noexcept {
    finishing_ = true;
    reading_over_ = reading_over_ || !parser_.mid_request();
}

void ServerCodec::reply(std::uint64_t ticket, Response response) {
    take({.ticket = ticket, .response = std::move(response), .stage = Stage::whole, .in_pieces = false});
}

void ServerCodec::begin(std::uint64_t ticket, Response head) {
    take({.ticket = ticket, .response = std::move(head), .stage = Stage::begun, .in_pieces = true});
}

void ServerCodec::take(Waiting answer) {
    LEFTFOLD_ASSERT(sequence_of(answer.ticket) >= next_to_write_ && sequence_of(answer.ticket) < next_to_read_);
    if (!has_turn(answer.ticket)) {
        waiting_.push_back(std::move(answer));
        return;
    }
    write_answer(answer);
    if (!waiting_.empty())
        write_those_waiting();
    write_continue();
}

void ServerCodec::write(std::uint64_t ticket, std::string_view piece) {
    if (has_turn(ticket))
        write_piece(ticket, piece);
    else if (Waiting* const waiting = find_waiting(ticket); waiting != nullptr)
        waiting->response.body.append(piece);
}

void ServerCodec::end(std::uint64_t ticket) {
    if (Waiting* const waiting = find_waiting(ticket); waiting != nullptr)
        waiting->stage = Stage::whole;
    if (!has_turn(ticket))
        return;
    write_end(ticket);
    write_those_waiting();
    write_continue();
}

bool ServerCodec::take_back(std::uint64_t ticket) {
    Waiting* const waiting = find_waiting(ticket);
    if (waiting == nullptr)
        return is_answered(ticket);
    waiting->response = fault_response(Fault::handler_failed, shared_->limits);
    waiting->stage = Stage::whole;
    waiting->in_pieces = false;
    return true;
}

std::size_t ServerCodec::waiting_bytes(std::uint64_t ticket) const noexcept {
    const auto found = std::ranges::find(waiting_, ticket, &Waiting::ticket);
    return found == waiting_.end() ? 0 : found->response.body.size();
}

ServerCodec::Waiting* ServerCodec::find_waiting(std::uint64_t ticket) noexcept {
    const auto found = std::ranges::find(waiting_, ticket, &Waiting::ticket);
    return found == waiting_.end() ? nullptr : &*found;
}

// Of an answer that was begun and goes on, what there is of it.
void ServerCodec::write_answer(const Waiting& answer) {
    const bool is_head = (answer.ticket & kHead) != 0;
    const bool last = reading_over_ && next_to_write_ + 1 == next_to_read_;
    auto length = ResponseWriter::Length::known;
    if (answer.in_pieces)
        length = (answer.ticket & kHttp10) != 0 ? ResponseWriter::Length::until_close : ResponseWriter::Length::chunked;
    shared_->writer.append(output_, answer.response, {.without_body = is_head, .close = last, .length = length});
    if (answer.in_pieces && !is_head) {
        write_piece(answer.ticket, answer.response.body);
        if (answer.stage == Stage::begun)
            return;
        write_end(answer.ticket);
        return;
    }
    ++next_to_write_;
}

void ServerCodec::write_piece(std::uint64_t ticket, std::string_view piece) {
    if ((ticket & kHttp10) != 0)
        output_.append(piece);
    else
        ResponseWriter::append_chunk(output_, piece);
}

void ServerCodec::write_end(std::uint64_t ticket) {
    if ((ticket & kHttp10) == 0)
        ResponseWriter::append_last_chunk(output_);
    ++next_to_write_;
}

void ServerCodec::write_those_waiting() {
    const auto has_turn_now = [this](const Waiting& one) { return has_turn(one.ticket); };
    for (auto next = std::ranges::find_if(waiting_, has_turn_now); next != waiting_.end();
         next = std::ranges::find_if(waiting_, has_turn_now)) {
        const Waiting answer = std::move(*next);
        std::swap(*next, waiting_.back());
        waiting_.pop_back();
        write_answer(answer);
    }
    if (waiting_.empty())
        waiting_ = {};
}

// A 100 is an answer too: it may not overtake those to earlier requests.
void ServerCodec::write_continue() {
    if (parser_.expects_continue() && unanswered() == 0 && !reading_over_) {
        output_.append("HTTP/1.1 100 Continue\r\n\r\n");
        parser_.continue_sent();
    }
}

Response fault_response(Fault fault, const CodecLimits& limits) {
    const FaultText& text = describe(fault);
    Problem problem(text.status, text.name, text.title);
    problem.detail(text.detail);
    switch (fault) {
        case Fault::target_too_long:
        case Fault::headers_too_large:
        case Fault::trailers_too_large:
            problem.member("limit_bytes", limits.header_bytes_max);
            break;
        case Fault::headers_too_many:
            problem.member("limit_count", limits.header_count_max);
            break;
        case Fault::body_too_large:
            problem.member("limit_bytes", limits.body_bytes_max);
            break;
        default:
            break;
    }
    return problem.response();
}

}  // namespace leftfold::http
