#include "real_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "leftfold/base/assert.hpp"

namespace leftfold {

namespace {

constexpr std::uint32_t kReadEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;
// So that one fast sender does not keep the others waiting.
constexpr int kReadsPerTurn = 4;
constexpr std::size_t kStringsPerWrite = 64;
// Beyond this an emptied queue gives its memory back.
constexpr std::size_t kQueueCapacityKept = 64;

}  // namespace

RealStream::RealStream(EventLoop& loop, FileDescriptor fd, Endpoint peer)
    : loop_(loop), fd_(std::move(fd)), peer_(std::move(peer)) {}

RealStream::~RealStream() {
    close();
    if (destroyed_ != nullptr)
        *destroyed_ = true;
}

void RealStream::start(StreamHandler& handler) {
    LEFTFOLD_ASSERT(handler_ == nullptr && fd_.valid());
    handler_ = &handler;
    start_error_ = loop_.watch(fd_.get(), kReadEvents, *this);
    if (start_error_ != 0)
        loop_.call_at_turn_end(*this);
}

void RealStream::send(std::string bytes) {
    LEFTFOLD_ASSERT(handler_ != nullptr && !finishing_);
    if (bytes.empty() || !fd_.valid())
        return;
    unsent_bytes_ += bytes.size();
    queue_.push_back(std::move(bytes));
    // Not written at once: what else this turn sends, as replies to pipelined requests, leaves in the same call.
    if (!no_space_)
        loop_.call_at_turn_end(*this);
}

void RealStream::resume_reading() {
    paused_ = false;
    if (wants_data() && fd_.valid())
        loop_.call_at_turn_end(*this);
}

void RealStream::finish_sending() {
    if (std::exchange(finishing_, true) || !fd_.valid())
        return;
    if (queue_.empty())
        ::shutdown(fd_.get(), SHUT_WR);
}

void RealStream::close() {
    if (!fd_.valid())
        return;
    loop_.forget(handler_ != nullptr ? fd_.get() : -1, *this);
    fd_.reset();
    queue_ = {};
    queue_index_ = 0;
    front_offset_ = 0;
    unsent_bytes_ = 0;
}

void RealStream::on_events(std::uint32_t events) {
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        readable_ = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        hung_up_ = true;
    // Before the end was read, an error is reported by the read that comes behind the last bytes.
    if ((events & EPOLLERR) != 0 && ended_) {
        int error_number = 0;
        socklen_t size = sizeof error_number;
        ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error_number, &size);
        fail_with(Error::from_errno(error_number != 0 ? error_number : ECONNRESET,
                                    fmt::format("connection with {}", to_string(peer_))));
        return;
    }
    if (wants_data() && !read())
        return;
    if ((events & EPOLLOUT) != 0 && std::exchange(no_space_, false))
        flush();
}

void RealStream::on_turn_end() {
    if (start_error_ != 0) {
        fail_with(
            Error::from_errno(start_error_, fmt::format("cannot watch the connection with {}", to_string(peer_))));
        return;
    }
    if (!no_space_ && !queue_.empty() && !flush())
        return;
    if (wants_data())
        read();
}

template <class Callback>
bool RealStream::tell(Callback callback) {
    bool destroyed = false;
    destroyed_ = &destroyed;
    callback();
    if (destroyed)
        return false;
    destroyed_ = nullptr;
    return fd_.valid();
}

bool RealStream::read() {
    const MutableByteSpan buffer = loop_.read_buffer();
    for (int turn = 0; turn < kReadsPerTurn; ++turn) {
        const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN) {
            readable_ = false;
            return true;
        }
        if (count < 0)
            return fail_with(Error::from_errno(errno, fmt::format("cannot read from {}", to_string(peer_))));
        if (count == 0) {
            ended_ = true;
            return tell([this] { handler_->on_end(); });
        }
        const auto size = static_cast<std::size_t>(count);
        // epoll(7): on a stream a short read has emptied the socket, and the next byte gives a new event.
        if (size < buffer.size() && !hung_up_)
            readable_ = false;
        if (!tell([&] { handler_->on_data(buffer.first(size)); }))
            return false;
        if (!wants_data())
            return true;
    }
    loop_.call_at_turn_end(*this);
    return true;
}

bool RealStream::flush() {
    while (!queue_.empty() && !no_space_)
        if (!write_some())
            return fail_with(Error::from_errno(errno, fmt::format("cannot send to {}", to_string(peer_))));
    if (no_space_)
        return true;
    if (finishing_)
        ::shutdown(fd_.get(), SHUT_WR);
    return tell([this] { handler_->on_sent(); });
}

bool RealStream::write_some() {
    std::array<iovec, kStringsPerWrite> parts;
    const std::size_t count = std::min(parts.size(), queue_.size() - queue_index_);
    for (std::size_t index = 0; index < count; ++index) {
        std::string& bytes = queue_[queue_index_ + index];
        const std::size_t offset = index == 0 ? front_offset_ : 0;
        parts[index] = {bytes.data() + offset, bytes.size() - offset};
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent >= 0) {
        drop_sent(static_cast<std::size_t>(sent));
        return true;
    }
    if (errno == EAGAIN)
        watch_for_space();
    return errno == EAGAIN || errno == EINTR;
}

void RealStream::drop_sent(std::size_t count) {
    unsent_bytes_ -= count;
    while (count > 0) {
        const std::size_t left = queue_[queue_index_].size() - front_offset_;
        if (count < left) {
            front_offset_ += count;
            return;
        }
        count -= left;
        front_offset_ = 0;
        // At once, not with the queue: a long one would hold the memory of all that is long gone.
        queue_[queue_index_++] = {};
    }
    if (queue_index_ == queue_.size() && queue_.capacity() > kQueueCapacityKept)
        queue_ = {};
    if (queue_index_ < queue_.size() && queue_index_ < kStringsPerWrite)
        return;
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_index_, queue_.size())));
    queue_index_ = 0;
}

void RealStream::watch_for_space() {
    no_space_ = true;
    // Stays on: edge-triggered, it costs nothing until the socket is full again. Adding it looks at the socket again,
    // so that space which came since is not missed.
    if (!std::exchange(watches_space_, true))
        loop_.change(fd_.get(), kReadEvents | EPOLLOUT, *this);
}

bool RealStream::fail_with(Error error) {
    close();
    handler_->on_failed(std::move(error));
    return false;
}

}  // namespace leftfold
