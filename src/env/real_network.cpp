#include "real_network.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "real_listener.hpp"
#include "real_stream.hpp"
#include "socket_address.hpp"

namespace leftfold {

// One connect() until it is answered: tries the addresses in turn.
class RealNetwork::Connecting final : private EventSource {
  public:
    Connecting(RealNetwork& network, const Endpoint& endpoint, Connected connected)
        : network_(network), endpoint_(endpoint), connected_(std::move(connected)) {}
    ~Connecting() { network_.loop_.forget(fd_.get(), *this); }

    void begin() {
        auto addresses = addresses_of(endpoint_);
        if (addresses)
            addresses_ = std::move(*addresses);
        else
            failure_ = std::move(addresses).error();
        try_next();
    }

  private:
    // Ends in an event of the socket, or at the end of the turn if nothing is left to try.
    void try_next() {
        while (address_index_ < addresses_.size()) {
            const int error_number = try_address(addresses_[address_index_++]);
            if (error_number == 0)
                return;
            note_failure(error_number);
        }
        network_.loop_.call_at_turn_end(*this);
    }

    int try_address(const SocketAddress& address) {
        network_.loop_.forget(fd_.get(), *this);
        fd_ = FileDescriptor(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!fd_.valid())
            return errno;
        if (::connect(fd_.get(), address.get(), address.size) < 0 && errno != EINPROGRESS)
            return errno;
        return network_.loop_.watch(fd_.get(), EPOLLOUT, *this);
    }

    void note_failure(int error_number) {
        const std::string what = "cannot connect to " + to_string(endpoint_);
        // How a Unix socket says that its queue of connections is full.
        failure_ = error_number == EAGAIN
                       ? Error(ErrorCode::overloaded, what + ": too many are waiting to connect", Retry::yes)
                       : Error::from_errno(error_number, what);
    }

    void on_events(std::uint32_t) override {
        int error_number = 0;
        socklen_t size = sizeof error_number;
        if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error_number, &size) < 0)
            error_number = errno;
        if (error_number != 0) {
            note_failure(error_number);
            try_next();
            return;
        }
        network_.loop_.forget(fd_.get(), *this);
        if (std::holds_alternative<TcpEndpoint>(endpoint_))
            send_without_delay(fd_.get());
        answer(std::make_unique<RealStream>(network_.loop_, std::move(fd_), endpoint_));
    }

    void on_turn_end() override { answer(std::unexpected(std::move(failure_))); }

    void answer(Result<std::unique_ptr<Stream>> result) {
        const auto self = std::ranges::find(network_.connecting_, this, &std::unique_ptr<Connecting>::get);
        const std::unique_ptr<Connecting> keeps_this_alive = std::move(*self);
        network_.connecting_.erase(self);
        connected_(std::move(result));
    }

    RealNetwork& network_;
    Endpoint endpoint_;
    Connected connected_;
    std::vector<SocketAddress> addresses_;
    std::size_t address_index_ = 0;
    FileDescriptor fd_;
    Error failure_{ErrorCode::unavailable, "nothing was tried"};
};

RealNetwork::RealNetwork(EventLoop& loop) : loop_(loop) {}

RealNetwork::~RealNetwork() = default;

Result<std::unique_ptr<Listener>> RealNetwork::listen(const Endpoint& endpoint, Accept accept) {
    LEFTFOLD_TRY(listener, RealListener::open(loop_, endpoint, std::move(accept)));
    return std::unique_ptr<Listener>(std::move(listener));
}

void RealNetwork::connect(const Endpoint& endpoint, Connected connected) {
    connecting_.push_back(std::make_unique<Connecting>(*this, endpoint, std::move(connected)));
    connecting_.back()->begin();
}

}  // namespace leftfold
