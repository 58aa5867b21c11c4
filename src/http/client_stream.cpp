#include "client_stream.hpp"

#include <utility>

#include <fmt/format.h>

namespace leftfold::http {

ClientStream::Impl::Impl(const Env& env, Endpoint endpoint, const CodecLimits& limits, ClientStreamHandler& handler)
    : env_(env),
      endpoint_(std::move(endpoint)),
      limits_(limits),
      handler_(handler),
      parser_(limits_),
      timer_(env.scheduler) {}

void ClientStream::Impl::start(std::string request_bytes, const ClientRequest& request) {
    request_ = std::move(request_bytes);
    silence_timeout_ = request.silence_timeout;
    parser_.begin(request.method == Method::head);
    timer_.set(request.timeout, [this] { time_out(); });
    env_.network.connect(endpoint_, [this, alive = std::weak_ptr(alive_)](Result<std::unique_ptr<Stream>> stream) {
        if (!alive.expired())
            connected(std::move(stream));
    });
}

void ClientStream::Impl::refuse(Error error) {
    env_.scheduler.post([this, alive = std::weak_ptr(alive_), error = std::move(error)]() mutable {
        if (!alive.expired())
            finish(std::unexpected(std::move(error)));
    });
}

void ClientStream::Impl::connected(Result<std::unique_ptr<Stream>> stream) {
    if (!timer_.is_set())
        return;  // it came too late, and that was told
    if (!stream) {
        finish(fail(ErrorCode::unavailable,
                    fmt::format("no connection to {}: {}", to_string(endpoint_), stream.error().message()),
                    Retry::yes));
        return;
    }
    stream_ = std::move(*stream);
    stream_->start(*this);
    stream_->send(std::move(request_));
    if (paused_)
        stream_->pause_reading();
}

void ClientStream::Impl::pause() {
    paused_ = true;
    if (stream_)
        stream_->pause_reading();
}

void ClientStream::Impl::resume() {
    paused_ = false;
    heard_at_ = env_.clock.monotonic();
    if (stream_)
        stream_->resume_reading();
}

void ClientStream::Impl::on_data(ByteSpan bytes) {
    heard_at_ = env_.clock.monotonic();
    std::string_view input = text_of(bytes);
    const ResponseParser::Outcome outcome = parser_.feed(input);
    if (outcome == ResponseParser::Outcome::refused) {
        const Fault fault = parser_.fault();
        finish(fail(fault == Fault::body_too_large ? ErrorCode::too_large : ErrorCode::corrupt,
                    fmt::format("the answer of {} cannot be read: {}", to_string(endpoint_), describe(fault).detail)));
        return;
    }
    if (hand_on() && outcome == ResponseParser::Outcome::complete)
        finish({});
}

bool ClientStream::Impl::hand_on() {
    if (!parser_.has_head())
        return true;
    const std::weak_ptr alive = alive_;
    if (!std::exchange(head_told_, true)) {
        watch_silence();
        ClientResponse head;
        head.status = parser_.status();
        head.head = parser_.take_head();
        handler_.on_head(std::move(head));
        if (alive.expired())
            return false;
    }
    if (const std::string piece = parser_.take_body(); !piece.empty())
        handler_.on_piece(piece);
    return !alive.expired();
}

void ClientStream::Impl::on_end() {
    if (parser_.end() == ResponseParser::Outcome::complete)
        finish({});
    else
        lose("it closed the connection");
}

void ClientStream::Impl::on_failed(Error error) {
    lose(error.message());
}

void ClientStream::Impl::lose(std::string_view how) {
    finish(fail(ErrorCode::closed,
                fmt::format("no {}answer from {}: {}", head_told_ ? "complete " : "", to_string(endpoint_), how),
                Retry::yes));
}

void ClientStream::Impl::finish(Result<> whole) {
    timer_.cancel();
    stream_.reset();
    handler_.on_end(std::move(whole));
}

void ClientStream::Impl::time_out() {
    const MonotonicTime now = env_.clock.monotonic();
    if (head_told_ && (paused_ || now < heard_at_ + silence_timeout_)) {
        watch_silence();
        return;
    }
    finish(fail(ErrorCode::timed_out,
                fmt::format("{} from {} in time", head_told_ ? "nothing more" : "no answer", to_string(endpoint_)),
                Retry::yes));
}

// One timer for a whole silence: not one for each piece.
void ClientStream::Impl::watch_silence() {
    const MonotonicTime now = env_.clock.monotonic();
    const Duration left = paused_ ? silence_timeout_ : heard_at_ + silence_timeout_ - now;
    timer_.set(left, [this] { time_out(); });
}

ClientStream::ClientStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClientStream::~ClientStream() = default;

void ClientStream::pause() {
    impl_->pause();
}
void ClientStream::resume() {
    impl_->resume();
}

}  // namespace leftfold::http
