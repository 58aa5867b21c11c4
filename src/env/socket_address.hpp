// SocketAddress: an Endpoint in the form of the system calls, and back.
#pragma once

#include <vector>

#include <sys/socket.h>

#include "leftfold/env/network.hpp"

namespace leftfold {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
    int family() const noexcept { return storage.ss_family; }
};

// The addresses to try one after the other, at least one: "localhost" is 127.0.0.1 and ::1, everything else is numeric.
Result<std::vector<SocketAddress>> addresses_of(const Endpoint& endpoint);

// Of an IPv4 or IPv6 address; IPv4 within IPv6 comes out as IPv4.
TcpEndpoint tcp_endpoint_of(const SocketAddress& address);

}  // namespace leftfold
