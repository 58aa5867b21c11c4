#include <arpa/inet.h>
#include <fmt/format.h>

#include "leftfold/env/network.hpp"

namespace leftfold {

namespace {

bool is_loopback_host(const std::string& host) {
    if (host == "localhost")
        return true;
    in_addr four{};
    if (::inet_pton(AF_INET, host.c_str(), &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    in6_addr six{};
    if (::inet_pton(AF_INET6, host.c_str(), &six) != 1)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

}  // namespace

std::string to_string(const Endpoint& endpoint) {
    if (const auto* unix_endpoint = std::get_if<UnixEndpoint>(&endpoint))
        return "unix:" + unix_endpoint->path;
    const auto& tcp = std::get<TcpEndpoint>(endpoint);
    const bool is_ipv6 = tcp.host.find(':') != std::string::npos;
    return fmt::format(fmt::runtime(is_ipv6 ? "[{}]:{}" : "{}:{}"), tcp.host, tcp.port);
}

bool is_loopback(const Endpoint& endpoint) {
    const auto* tcp = std::get_if<TcpEndpoint>(&endpoint);
    return tcp == nullptr || is_loopback_host(tcp->host);
}

}  // namespace leftfold
