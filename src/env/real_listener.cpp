#include "real_listener.hpp"

#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include "real_stream.hpp"
#include "socket_address.hpp"

namespace leftfold {

namespace {

constexpr int kBacklog = 4096;  // the system cuts it to net.core.somaxconn
constexpr int kAcceptsPerTurn = 64;
// How long to let connections wait when descriptors or memory ran out.
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);

void set_option(int fd, int level, int option, int value) noexcept {
    ::setsockopt(fd, level, option, &value, sizeof value);
}

Result<FileDescriptor> make_socket(const SocketAddress& address, const Endpoint& endpoint) {
    FileDescriptor fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid())
        return std::unexpected(
            Error::from_errno(errno, fmt::format("cannot make a socket for {}", to_string(endpoint))));
    return fd;
}

// Removes the file that a process which died left behind; refuses one that is in use or is no socket.
Result<> remove_stale_socket(const std::string& path, const SocketAddress& address) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) < 0)
        return {};
    if (!S_ISSOCK(status.st_mode))
        return fail(ErrorCode::already_exists, fmt::format("cannot listen on '{}': it exists and is no socket", path));
    LEFTFOLD_TRY(probe, make_socket(address, UnixEndpoint{path}));
    if (::connect(probe.get(), address.get(), address.size) == 0 || errno == EAGAIN)
        return fail(ErrorCode::unavailable, fmt::format("cannot listen on '{}': another process does", path),
                    Retry::yes);
    if (errno == ECONNREFUSED && ::unlink(path.c_str()) < 0 && errno != ENOENT)
        return std::unexpected(Error::from_errno(errno, fmt::format("cannot remove the stale socket '{}'", path)));
    return {};
}

Result<FileDescriptor> bind_and_listen(const SocketAddress& address, const Endpoint& endpoint) {
    LEFTFOLD_TRY(fd, make_socket(address, endpoint));
    if (const auto* unix_endpoint = std::get_if<UnixEndpoint>(&endpoint)) {
        LEFTFOLD_CHECK(remove_stale_socket(unix_endpoint->path, address));
        // Linux gives the file the mode of the unbound socket: unlike chmod() afterwards, this leaves no gap.
        ::fchmod(fd.get(), S_IRUSR | S_IWUSR);
    } else {
        set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
        // "::" takes IPv4 too, whatever the machine's default is.
        if (address.family() == AF_INET6)
            set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    }
    if (::bind(fd.get(), address.get(), address.size) < 0 || ::listen(fd.get(), kBacklog) < 0)
        return std::unexpected(Error::from_errno(errno, fmt::format("cannot listen on {}", to_string(endpoint))));
    return fd;
}

Endpoint real_endpoint(int fd, const Endpoint& asked) {
    if (std::holds_alternative<UnixEndpoint>(asked))
        return asked;
    SocketAddress address;
    address.size = sizeof address.storage;
    ::getsockname(fd, address.get(), &address.size);
    return tcp_endpoint_of(address);
}

}  // namespace

void send_without_delay(int fd) noexcept {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

Result<std::unique_ptr<RealListener>> RealListener::open(EventLoop& loop, const Endpoint& endpoint,
                                                         Network::Accept accept) {
    LEFTFOLD_TRY(addresses, addresses_of(endpoint));
    LEFTFOLD_TRY(fd, bind_and_listen(addresses.front(), endpoint));
    const int descriptor = fd.get();
    std::unique_ptr<RealListener> listener(
        new RealListener(loop, std::move(fd), real_endpoint(descriptor, endpoint), std::move(accept)));
    if (const int error_number = loop.watch(descriptor, EPOLLIN, *listener); error_number != 0)
        return std::unexpected(
            Error::from_errno(error_number, fmt::format("cannot listen on {}", to_string(endpoint))));
    return listener;
}

RealListener::RealListener(EventLoop& loop, FileDescriptor fd, Endpoint endpoint, Network::Accept accept)
    : loop_(loop), fd_(std::move(fd)), endpoint_(std::move(endpoint)), accept_(std::move(accept)) {
    const auto* unix_endpoint = std::get_if<UnixEndpoint>(&endpoint_);
    struct stat status{};
    if (unix_endpoint != nullptr && ::lstat(unix_endpoint->path.c_str(), &status) == 0) {
        device_ = status.st_dev;
        inode_ = status.st_ino;
    }
}

RealListener::~RealListener() {
    loop_.cancel(resume_timer_);
    loop_.forget(fd_.get(), *this);
    const auto* unix_endpoint = std::get_if<UnixEndpoint>(&endpoint_);
    struct stat status{};
    if (unix_endpoint != nullptr && ::lstat(unix_endpoint->path.c_str(), &status) == 0 && status.st_dev == device_ &&
        status.st_ino == inode_)
        ::unlink(unix_endpoint->path.c_str());
    if (destroyed_ != nullptr)
        *destroyed_ = true;
}

void RealListener::on_events(std::uint32_t) {
    for (int count = 0; count < kAcceptsPerTurn; ++count)
        if (!accept_one())
            return;
}

bool RealListener::accept_one() {
    SocketAddress address;
    address.size = sizeof address.storage;
    FileDescriptor fd(::accept4(fd_.get(), address.get(), &address.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
        const int error_number = errno;
        if (error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS || error_number == ENOMEM)
            pause_accepting();
        // accept(2): whatever else went wrong befell the connection that is taken off the queue by it.
        return error_number == ECONNABORTED || error_number == EINTR || error_number == EPROTO;
    }
    const bool is_tcp = std::holds_alternative<TcpEndpoint>(endpoint_);
    if (is_tcp)
        send_without_delay(fd.get());
    Endpoint peer = is_tcp ? Endpoint(tcp_endpoint_of(address)) : endpoint_;

    // Held here during the call: what it captured must stay even if it destroys this listener.
    Network::Accept accept = std::move(accept_);
    bool destroyed = false;
    destroyed_ = &destroyed;
    accept(std::make_unique<RealStream>(loop_, std::move(fd), std::move(peer)));
    if (destroyed)
        return false;
    destroyed_ = nullptr;
    accept_ = std::move(accept);
    return true;
}

void RealListener::pause_accepting() {
    // The waiting connection would keep the descriptor readable, and the loop spinning.
    loop_.change(fd_.get(), 0, *this);
    resume_timer_ = loop_.call_after(kAcceptPause, [this] { loop_.change(fd_.get(), EPOLLIN, *this); });
}

}  // namespace leftfold
