#include "leftfold/reaction/http_calls.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include <fmt/format.h>

namespace leftfold {

namespace {

struct Target {
    std::string authority;  // as in the URL, for the Host header
    Endpoint endpoint;
    std::string target;
};

constexpr std::uint16_t kHttpPort = 80;

bool is_host_char(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == ':' || c == '[' || c == ']';
}

std::optional<TcpEndpoint> endpoint_of(std::string_view authority) {
    if (authority.empty() || !std::ranges::all_of(authority, is_host_char))
        return std::nullopt;
    TcpEndpoint endpoint{.host = {}, .port = kHttpPort};
    std::string_view behind;
    if (authority.front() == '[') {
        const std::size_t close = authority.find(']');
        if (close == std::string_view::npos)
            return std::nullopt;
        endpoint.host = authority.substr(1, close - 1);
        behind = authority.substr(close + 1);
    } else {
        const std::size_t colon = authority.find(':');
        endpoint.host = authority.substr(0, colon);
        behind = colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
    }
    if (endpoint.host.empty())
        return std::nullopt;
    if (behind.empty())
        return endpoint;
    const auto [end, error] = std::from_chars(behind.data() + 1, behind.data() + behind.size(), endpoint.port);
    if (behind.front() != ':' || error != std::errc() || end != behind.data() + behind.size() || endpoint.port == 0)
        return std::nullopt;
    return endpoint;
}

Result<Target> parse_url(std::string_view url) {
    constexpr std::string_view kScheme = "http://";
    if (!url.starts_with(kScheme))
        return fail(
            ErrorCode::unsupported,
            fmt::format("'{}' is no http:// URL: let a proxy on this machine speak TLS to the other side", url));
    url.remove_prefix(kScheme.size());
    const std::size_t slash = std::min(url.find_first_of("/?"), url.size());
    const std::string_view authority = url.substr(0, slash);
    auto endpoint = endpoint_of(authority);
    if (!endpoint)
        return fail(ErrorCode::invalid_argument, fmt::format("'{}' names no host and port", authority));
    std::string target(url.substr(slash));
    if (!target.starts_with('/'))
        target.insert(0, "/");
    return Target{std::string(authority), *std::move(endpoint), std::move(target)};
}

}  // namespace

class HttpClients::Impl {
  public:
    Impl(const Env& env, HttpClientsOptions options) : env_(env), options_(options) {}

    void call(HttpCall call, Answered answered) {
        auto target = parse_url(call.url);
        if (!target) {
            refuse(std::move(answered), std::move(target).error());
            return;
        }
        Host* host = host_for(*target);
        if (host == nullptr) {
            refuse(std::move(answered),
                   Error(ErrorCode::overloaded, fmt::format("calls to {} other hosts are under way", hosts_.size()),
                         Retry::yes));
            return;
        }
        http::ClientRequest request;
        request.method = call.method;
        request.target = std::move(target->target);
        request.body = std::move(call.body);
        request.timeout = call.timeout;
        for (const auto& [name, value] : call.headers)
            request.add_header(name, value);
        ++host->under_way;
        host->last_used = ++uses_;
        // A client that is destroyed drops its requests: the host is there.
        host->client.request(std::move(request),
                             [host, answered = std::move(answered)](Result<http::ClientResponse> response) mutable {
                                 --host->under_way;
                                 answered(std::move(response));
                             });
    }

  private:
    struct Host {
        Host(const Env& env, http::ClientOptions options) : client(env, std::move(options)) {}
        http::Client client;
        std::size_t under_way = 0;
        std::uint64_t last_used = 0;
    };

    void refuse(Answered answered, Error error) {
        env_.scheduler.post([answered = std::move(answered), error = std::move(error)]() mutable {
            answered(std::unexpected(std::move(error)));
        });
    }

    Host* host_for(const Target& target) {
        if (const auto found = hosts_.find(target.authority); found != hosts_.end())
            return found->second.get();
        if (hosts_.size() >= options_.hosts_max && !drop_one())
            return nullptr;
        http::ClientOptions options{.endpoint = target.endpoint, .host = target.authority};
        options.connections_max = options_.connections_max;
        return hosts_.emplace(target.authority, std::make_unique<Host>(env_, std::move(options))).first->second.get();
    }
    // The one unused for longest.
    bool drop_one() {
        auto oldest = hosts_.end();
        for (auto host = hosts_.begin(); host != hosts_.end(); ++host)
            if (host->second->under_way == 0 &&
                (oldest == hosts_.end() || host->second->last_used < oldest->second->last_used))
                oldest = host;
        if (oldest == hosts_.end())
            return false;
        hosts_.erase(oldest);
        return true;
    }

    Env env_;
    HttpClientsOptions options_;
    std::map<std::string, std::unique_ptr<Host>> hosts_;
    std::uint64_t uses_ = 0;
};

HttpClients::HttpClients(const Env& env, HttpClientsOptions options) : impl_(std::make_unique<Impl>(env, options)) {}
HttpClients::~HttpClients() = default;

void HttpClients::call(HttpCall call, Answered answered) {
    impl_->call(std::move(call), std::move(answered));
}

}  // namespace leftfold
