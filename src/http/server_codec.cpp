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
    reading_over_ = finishing_ || parser_.closes();
    return Event::request;
}

void ServerCodec::refuse(Fault fault) {
    LEFTFOLD_ASSERT(!reading_over_);
    ++next_to_read_;
    is_head_ = false;
    reading_over_ = true;
    reply(ticket(), fault_response(fault, shared_->limits));
}

void ServerCodec::finish() noexcept {
    finishing_ = true;
    reading_over_ = reading_over_ || !parser_.mid_request();
}

void ServerCodec::reply(std::uint64_t ticket, Response response) {
    const std::uint64_t sequence = ticket >> 1U;
    LEFTFOLD_ASSERT(sequence >= next_to_write_ && sequence < next_to_read_);
    if (sequence != next_to_write_) {
        waiting_.push_back({ticket, std::move(response)});
        return;
    }
    write(ticket, response);
    if (!waiting_.empty())
        write_those_waiting();
    write_continue();
}

void ServerCodec::write(std::uint64_t ticket, const Response& response) {
    const bool last = reading_over_ && next_to_write_ + 1 == next_to_read_;
    shared_->writer.append(output_, response, {.without_body = (ticket & 1U) != 0, .close = last});
    ++next_to_write_;
}

void ServerCodec::write_those_waiting() {
    const auto is_next = [this](const Waiting& one) { return one.ticket >> 1U == next_to_write_; };
    for (auto next = std::ranges::find_if(waiting_, is_next); next != waiting_.end();
         next = std::ranges::find_if(waiting_, is_next)) {
        write(next->ticket, next->response);
        std::swap(*next, waiting_.back());
        waiting_.pop_back();
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
