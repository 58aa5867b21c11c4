#include "server_connection.hpp"

#include <utility>

#include "leftfold/base/assert.hpp"

namespace leftfold::http {

namespace {

// Keeps a connection alive through a call in which it may close.
class Hold {
  public:
    explicit Hold(ServerConnection& connection) noexcept : connection_(connection) { connection_.retain(); }
    ~Hold() { connection_.release(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

  private:
    ServerConnection& connection_;
};

}  // namespace

ServerConnection::ServerConnection(ServerShared& shared, std::unique_ptr<Stream> stream)
    : shared_(&shared), stream_(std::move(stream)), codec_(shared.codec) {}

void ServerConnection::start() {
    progress_at_ = now();
    deadline_ = progress_at_ + timeout_of(Phase::fresh);
    stream_->start(*this);
}

void ServerConnection::release() noexcept {
    if (--references_ == 0)
        delete this;
}

void ServerConnection::close() {
    if (!is_open())
        return;
    const Hold hold(*this);
    shared_->counters.responses_dropped += codec_.unanswered();
    stream_.reset();
    unread_ = {};
    codec_.take_output();
    std::exchange(shared_, nullptr)->keeper.forget(*this);
}

void ServerConnection::on_data(ByteSpan bytes) {
    if (phase_ == Phase::lingering)
        return;
    const Hold hold(*this);
    std::string_view input = text_of(bytes);
    if (!unread_.empty()) {
        unread_.append(input);
        read_unread();
        return;
    }
    read_requests(input);
    if (!input.empty())
        unread_.assign(input);
    settle();
}

void ServerConnection::read_unread() {
    std::string_view input = unread_;
    read_requests(input);
    if (input.empty())
        std::string().swap(unread_);
    else
        unread_.erase(0, unread_.size() - input.size());
    settle();
}

bool ServerConnection::is_blocked() const noexcept {
    return codec_.unanswered() >= shared_->options.pipelined_max ||
           codec_.output_bytes() + stream_->unsent_bytes() > shared_->options.unsent_bytes_max;
}

void ServerConnection::read_requests(std::string_view& input) {
    while (!input.empty() && !is_blocked()) {
        switch (codec_.read(input)) {
            case ServerCodec::Event::need_more:
                break;
            case ServerCodec::Event::request:
                handle_request();
                break;
            case ServerCodec::Event::refused:
                ++shared_->counters.bad_requests;
                input = {};
                break;
            case ServerCodec::Event::over:
                input = {};
                break;
        }
    }
}

void ServerConnection::handle_request() {
    Request& request = shared_->codec.scratch.request;
    request.peer = &stream_->peer();
    request.on_loopback = shared_->on_loopback;
    ++shared_->counters.requests;
    LEFTFOLD_ASSERT(shared_->running == nullptr);
    shared_->running = this;
    try {
        shared_->handler.handle(request, Responder(*this, codec_.ticket()));
    } catch (...) {
        ++shared_->counters.handler_exceptions;  // its Responder has answered 500
    }
    LEFTFOLD_ASSERT(is_open());  // nobody may destroy the server in handle()
    shared_->running = nullptr;
}

void ServerConnection::reply(std::uint64_t ticket, Response response) {
    if (!is_open())
        return;
    ++shared_->counters.responses;
    codec_.reply(ticket, std::move(response));
    if (shared_->running == this)
        return;
    const Hold hold(*this);
    if (shared_->running == nullptr || unread_.empty()) {
        read_unread();
        return;
    }
    shared_->keeper.resume_later(*this);
    settle();
}

void ServerConnection::resume() {
    if (is_open() && phase_ != Phase::lingering)
        read_unread();
}

// Brings everything else in line with what the codec now says.
void ServerConnection::settle() {
    if (codec_.output_bytes() > 0) {
        std::string output = codec_.take_output();
        bytes_given_ += output.size();
        stream_->send(std::move(output));
    }
    const bool nothing_follows = peer_ended_ && codec_.unanswered() == 0 && unread_.empty();
    if (codec_.finished() || nothing_follows) {
        linger();
        return;
    }
    hold_back_or_read();
    enter_phase();
}

void ServerConnection::hold_back_or_read() {
    if (const bool pause = is_blocked(); pause != std::exchange(paused_, pause)) {
        if (pause)
            stream_->pause_reading();
        else
            stream_->resume_reading();
    }
}

ServerConnection::Phase ServerConnection::current_phase() const noexcept {
    if (paused_)
        return Phase::busy;
    if (codec_.mid_request())
        return codec_.mid_body() ? Phase::body : Phase::head;
    if (codec_.unanswered() > 0)
        return Phase::busy;
    return codec_.requests_read() == 0 ? Phase::fresh : Phase::idle;
}

void ServerConnection::enter_phase() {
    const Phase phase = current_phase();
    if (phase == phase_ && phase_request_ == codec_.requests_read())
        return;
    phase_ = phase;
    phase_request_ = codec_.requests_read();
    deadline_ = phase == Phase::busy ? MonotonicTime::max() : now() + timeout_of(phase);
    if (phase == Phase::idle)
        codec_.release_memory();
}

Duration ServerConnection::timeout_of(Phase phase) const noexcept {
    const ServerOptions& options = shared_->options;
    switch (phase) {
        case Phase::fresh:
        case Phase::head:
            return options.header_timeout;
        case Phase::body:
            return options.body_timeout;
        case Phase::busy:
        case Phase::idle:
            return options.idle_timeout;
        case Phase::lingering:
            return options.linger_timeout;
    }
    return options.idle_timeout;
}

// The last answer is on its way. To close while the client still sends could destroy it (RFC 9112 §9.6): so the server
// stops sending, reads on without looking, and closes when the client has, or after a time.
void ServerConnection::linger() {
    phase_ = Phase::lingering;
    std::string().swap(unread_);
    stream_->finish_sending();
    if (stream_->unsent_bytes() > 0) {
        deadline_ = MonotonicTime::max();  // the write timeout watches
    } else if (peer_ended_) {
        close();
        return;
    } else {
        deadline_ = now() + timeout_of(Phase::lingering);
    }
    if (std::exchange(paused_, false))
        stream_->resume_reading();
}

void ServerConnection::on_sent() {
    const Hold hold(*this);
    if (phase_ == Phase::lingering)
        linger();
    else if (paused_)
        read_unread();
}

void ServerConnection::on_end() {
    const Hold hold(*this);
    peer_ended_ = true;
    if (phase_ != Phase::lingering)
        settle();
    else if (stream_->unsent_bytes() == 0)
        close();
}

void ServerConnection::on_failed(Error) {
    close();
}

void ServerConnection::finish() {
    LEFTFOLD_ASSERT(shared_->running == nullptr);
    if (phase_ == Phase::lingering)
        return;
    const Hold hold(*this);
    codec_.finish();
    std::string().swap(unread_);
    if (codec_.finished() && stream_->unsent_bytes() == 0)
        close();
    else
        settle();
}

void ServerConnection::sweep(MonotonicTime now) {
    const Hold hold(*this);
    const std::size_t unsent = stream_->unsent_bytes();
    if (const std::uint64_t taken = bytes_given_ - unsent; unsent == 0 || taken != bytes_taken_) {
        bytes_taken_ = taken;
        progress_at_ = now;
    } else if (now - progress_at_ >= shared_->options.write_timeout) {
        ++shared_->counters.timeouts;
        close();
        return;
    }
    if (deadline_ <= now)
        expire();
}

void ServerConnection::expire() {
    ++shared_->counters.timeouts;
    if (!codec_.mid_request()) {
        close();
        return;
    }
    ++shared_->counters.bad_requests;
    codec_.refuse(Fault::timed_out);
    settle();
}

}  // namespace leftfold::http
