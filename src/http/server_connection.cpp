#include "server_connection.hpp"

#include <algorithm>
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
    shared_->counters.bodies -= bodies_.size();
    stream_.reset();
    unread_ = {};
    codec_.take_output();
    std::exchange(shared_, nullptr)->keeper.forget(*this);
    for (const Body& body : std::exchange(bodies_, {}))
        body.handler->on_gone();
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
    go_on_after_answer();
}

// What waited for the answer may be read now; within handle(), who called that does it.
void ServerConnection::go_on_after_answer() {
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
    if (!is_open())
        return;
    if (broken_) {
        close();
        return;
    }
    if (stopping_)
        tell_stop();
    if (is_open() && phase_ != Phase::lingering)
        read_unread();
}

// ---------------------------------------------------------------------------------------------------------------------
// Bodies

bool ServerConnection::begin_body(std::uint64_t ticket, Response head, BodyHandler& handler) {
    if (!is_open())
        return false;
    if (peer_ended_) {  // see on_end()
        break_later();
        return false;
    }
    ++shared_->counters.responses;
    codec_.begin(ticket, std::move(head));
    const bool goes_on = !codec_.is_answered(ticket);
    if (goes_on) {
        bodies_.push_back({.ticket = ticket, .handler = &handler});
        ++shared_->counters.bodies;
        if (stopping_)
            shared_->keeper.resume_later(*this);
    }
    go_on_after_answer();
    return goes_on;
}

void ServerConnection::write_body(std::uint64_t ticket, std::string_view piece) {
    if (!is_open() || find_body(ticket) == nullptr)
        return;
    codec_.write(ticket, piece);
    if (shared_->running == this || !codec_.has_turn(ticket))
        return;
    const Hold hold(*this);
    settle();
}

void ServerConnection::end_body(std::uint64_t ticket, bool is_whole) {
    if (!is_open() || find_body(ticket) == nullptr)
        return;
    std::erase_if(bodies_, [ticket](const Body& body) { return body.ticket == ticket; });
    --shared_->counters.bodies;
    if (is_whole) {
        codec_.end(ticket);
        go_on_after_answer();
    } else if (!codec_.take_back(ticket)) {
        break_later();
    }
}

// Not at once: it may be a Handler that asks for it.
void ServerConnection::break_later() {
    broken_ = true;
    shared_->keeper.resume_later(*this);
}

std::size_t ServerConnection::unsent_body_bytes(std::uint64_t ticket) const noexcept {
    if (!is_open() || codec_.is_answered(ticket))
        return 0;
    return codec_.has_turn(ticket) ? codec_.output_bytes() + stream_->unsent_bytes() : codec_.waiting_bytes(ticket);
}

bool ServerConnection::has_body_room(std::uint64_t ticket) noexcept {
    Body* const body = is_open() ? find_body(ticket) : nullptr;
    if (body == nullptr)
        return true;
    body->awaits_room = body->awaits_room || unsent_body_bytes(ticket) > shared_->options.body_unsent_bytes_max;
    return !body->awaits_room;
}

ServerConnection::Body* ServerConnection::find_body(std::uint64_t ticket) noexcept {
    const auto found = std::ranges::find(bodies_, ticket, &Body::ticket);
    return found == bodies_.end() ? nullptr : &*found;
}

ServerConnection::Body* ServerConnection::body_in_turn() noexcept {
    const auto found = std::ranges::find_if(bodies_, [this](const Body& body) { return codec_.has_turn(body.ticket); });
    return found == bodies_.end() ? nullptr : &*found;
}

void ServerConnection::tell_room() {
    Body* const body = is_open() ? body_in_turn() : nullptr;
    if (body == nullptr || !std::exchange(body->awaits_room, false))
        return;
    body->without_room_since = MonotonicTime::max();
    body->handler->on_room();
}

// A handler may end its body, or begin another, in the call.
void ServerConnection::tell_stop() {
    const Hold hold(*this);
    while (is_open()) {
        const auto next = std::ranges::find(bodies_, false, &Body::knows_stop);
        if (next == bodies_.end())
            return;
        next->knows_stop = true;
        next->handler->on_stop();
    }
}

bool ServerConnection::reads_too_slowly(MonotonicTime now) noexcept {
    Body* const body = body_in_turn();
    if (body == nullptr || !body->awaits_room)
        return false;
    if (body->without_room_since == MonotonicTime::max())
        body->without_room_since = now;
    return now - body->without_room_since >= shared_->options.write_timeout;
}

// ---------------------------------------------------------------------------------------------------------------------

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
    // Of the request; a body that goes on for hours holds nothing of it.
    if (!bodies_.empty())
        codec_.release_memory();
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
    if (phase_ == Phase::lingering) {
        linger();
        return;
    }
    if (paused_)
        read_unread();
    tell_room();
}

void ServerConnection::on_end() {
    const Hold hold(*this);
    peer_ended_ = true;
    // Whoever reads along for hours does not end his sending first: he has gone, and that is seen in no other way until
    // something is sent to him.
    if (!bodies_.empty()) {
        close();
        return;
    }
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
    stopping_ = true;
    codec_.finish();
    std::string().swap(unread_);
    if (codec_.finished() && stream_->unsent_bytes() == 0) {
        close();
        return;
    }
    settle();
    tell_stop();
}

void ServerConnection::sweep(MonotonicTime now) {
    const Hold hold(*this);
    const std::size_t unsent = stream_->unsent_bytes();
    if (const std::uint64_t taken = bytes_given_ - unsent; unsent == 0 || taken != bytes_taken_) {
        bytes_taken_ = taken;
        progress_at_ = now;
    }
    if (now - progress_at_ >= shared_->options.write_timeout || reads_too_slowly(now)) {
        ++shared_->counters.timeouts;
        shared_->counters.bodies_cut += bodies_.size();
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
