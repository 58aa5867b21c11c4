#include "socket_address.hpp"

#include <cstddef>
#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace leftfold {

namespace {

template <class Raw>
SocketAddress wrap(const Raw& raw, std::size_t size = sizeof(Raw)) {
    static_assert(sizeof(Raw) <= sizeof(sockaddr_storage));
    SocketAddress address;
    std::memcpy(&address.storage, &raw, size);
    address.size = static_cast<socklen_t>(size);
    return address;
}

std::optional<SocketAddress> parse_numeric(const std::string& host, std::uint16_t port) {
    sockaddr_in four{};
    if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        return wrap(four);
    }
    sockaddr_in6 six{};
    if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        return wrap(six);
    }
    return std::nullopt;
}

Result<SocketAddress> unix_address(const std::string& path) {
    sockaddr_un raw{};
    raw.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof raw.sun_path)
        return fail(ErrorCode::invalid_argument,
                    fmt::format("the path of a Unix socket has 1 to {} bytes, not {}: '{}'", sizeof raw.sun_path - 1,
                                path.size(), path));
    std::memcpy(raw.sun_path, path.data(), path.size());
    return wrap(raw, offsetof(sockaddr_un, sun_path) + path.size() + 1);
}

}  // namespace

Result<std::vector<SocketAddress>> addresses_of(const Endpoint& endpoint) {
    std::vector<SocketAddress> addresses;
    if (const auto* unix_endpoint = std::get_if<UnixEndpoint>(&endpoint)) {
        LEFTFOLD_TRY(address, unix_address(unix_endpoint->path));
        addresses.push_back(address);
        return addresses;
    }
    const auto& tcp = std::get<TcpEndpoint>(endpoint);
    if (tcp.host == "localhost") {
        addresses.push_back(*parse_numeric("127.0.0.1", tcp.port));
        addresses.push_back(*parse_numeric("::1", tcp.port));
        return addresses;
    }
    const auto address = parse_numeric(tcp.host, tcp.port);
    if (!address)
        return fail(ErrorCode::invalid_argument,
                    fmt::format("'{}' is neither a numeric IPv4 or IPv6 address nor 'localhost'", tcp.host));
    addresses.push_back(*address);
    return addresses;
}

TcpEndpoint tcp_endpoint_of(const SocketAddress& address) {
    char text[INET6_ADDRSTRLEN] = {};
    if (address.family() == AF_INET) {
        sockaddr_in four{};
        std::memcpy(&four, &address.storage, sizeof four);
        ::inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
        return {text, ntohs(four.sin_port)};
    }
    sockaddr_in6 six{};
    std::memcpy(&six, &address.storage, sizeof six);
    if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
        ::inet_ntop(AF_INET, &six.sin6_addr.s6_addr[12], text, sizeof text);
    else
        ::inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
    return {text, ntohs(six.sin6_port)};
}

}  // namespace leftfold
