#include "client_connection.hpp"

#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold::http {

ClientConnection::ClientConnection(ConnectionPool& pool, const CodecLimits& limits, std::unique_ptr<Stream> stream)
    : pool_(pool), stream_(std::move(stream)), parser_(limits) {
    stream_->start(*this);
}

void ClientConnection::send(std::unique_ptr<Exchange> exchange) {
    LEFTFOLD_ASSERT(is_idle());
    exchange_ = std::move(exchange);
    exchange_->connection = this;
    response_begun_ = false;
    parser_.begin(exchange_->is_head);
    stream_->send(std::move(exchange_->bytes));
}

std::unique_ptr<Exchange> ClientConnection::take_exchange() {
    exchange_->connection = nullptr;
    return std::move(exchange_);
}

void ClientConnection::on_data(ByteSpan bytes) {
    if (is_idle()) {
        pool_.closed_while_idle(*this);  // nobody asked: what it is about cannot be known
        return;
    }
    response_begun_ = true;
    std::string_view input = text_of(bytes);
    switch (parser_.feed(input)) {
        case ResponseParser::Outcome::need_more:
            return;
        case ResponseParser::Outcome::complete:
            complete(parser_.keeps_alive() && input.empty() && stream_->unsent_bytes() == 0);
            return;
        case ResponseParser::Outcome::refused:
            pool_.failed(*this,
                         Error(parser_.fault() == Fault::body_too_large ? ErrorCode::too_large : ErrorCode::corrupt,
                               fmt::format("the answer of {} cannot be read: {}", to_string(stream_->peer()),
                                           describe(parser_.fault()).detail)));
            return;
    }
}

void ClientConnection::on_end() {
    if (is_idle())
        pool_.closed_while_idle(*this);
    else if (parser_.end() == ResponseParser::Outcome::complete)
        complete(false);
    else
        lose("it closed the connection");
}

void ClientConnection::on_failed(Error error) {
    if (is_idle())
        pool_.closed_while_idle(*this);
    else
        lose(error.message());
}

void ClientConnection::complete(bool reusable) {
    ClientResponse response;
    response.status = parser_.status();
    response.head = parser_.take_head();
    response.body = parser_.take_body();
    pool_.answered(*this, std::move(response), reusable);
}

void ClientConnection::lose(std::string_view how) {
    pool_.failed(*this, Error(ErrorCode::closed,
                              fmt::format("no {}answer from {}: {}", response_begun_ ? "complete " : "",
                                          to_string(stream_->peer()), how),
                              Retry::yes));
}

}  // namespace leftfold::http
