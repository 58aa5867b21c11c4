#include "owner.hpp"

#include <optional>

#include <fmt/format.h>

#include "leftfold/event/json_value.hpp"
#include "leftfold/http/server.hpp"

#include "inspection.hpp"

namespace leftfold {

namespace {

Error error_of(const http::ClientResponse& response) {
    std::string message = fmt::format("the owner answered {}", response.status);
    if (const auto problem = json::Value::parse(response.body))
        if (const json::Value* detail = problem->find("detail"); detail != nullptr && detail->string() != nullptr)
            message = *detail->string();
    return Error(response.status == 404 ? ErrorCode::not_found : ErrorCode::invalid_argument, std::move(message));
}

}  // namespace

class OwnerSession::Impl {
  public:
    explicit Impl(RealEnv& real) : real_(real) {}

    Result<> own(std::string_view application, const std::vector<Service>& services, const std::string& directory) {
        LEFTFOLD_TRY(host, Host::open(real_.env(), application, services, {.directory = directory, .aggregates = {}},
                                      registry_));
        host_ = std::move(host);
        inspection_ = std::make_unique<Inspection>(real_.env(), *host_);
        LEFTFOLD_TRY(server, http::Server::start(real_.env(), {.endpoint = socket_}, *inspection_));
        server_ = std::move(server);
        return {};
    }

    RealEnv& real_;
    UnixEndpoint socket_;
    MetricRegistry registry_;
    std::unique_ptr<Host> host_;  // only if this process is the owner
    std::unique_ptr<Inspection> inspection_;
    std::unique_ptr<http::Server> server_;
    std::unique_ptr<http::Client> client_;
};

OwnerSession::OwnerSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OwnerSession::~OwnerSession() = default;

Result<std::unique_ptr<OwnerSession>> OwnerSession::open(RealEnv& real, std::string_view application,
                                                         const std::vector<Service>& services, std::string directory) {
    LEFTFOLD_TRY(exists, log::holds_embedded_log(real.env().files, directory));
    if (!exists)
        return fail(ErrorCode::not_found,
                    fmt::format("nothing is stored in '{}'; name the directory with --data", directory));
    auto impl = std::make_unique<Impl>(real);
    impl->socket_.path = join_path(directory, kControlSocketName);
    // Whoever holds the lock is asked; `unavailable` is how the log says that somebody does.
    if (auto owned = impl->own(application, services, directory);
        !owned && owned.error().code() != ErrorCode::unavailable)
        return std::unexpected(std::move(owned).error());
    impl->client_ =
        std::make_unique<http::Client>(real.env(), http::ClientOptions{.endpoint = impl->socket_, .host = "leftfold"});
    return std::unique_ptr<OwnerSession>(new OwnerSession(std::move(impl)));
}

void OwnerSession::ask(std::string target, Duration timeout, Answer answer) {
    http::ClientRequest request{.target = std::move(target), .timeout = timeout};
    impl_->client_->request(std::move(request), [answer =
                                                     std::move(answer)](Result<http::ClientResponse> response) mutable {
        if (!response)
            answer(std::unexpected(std::move(response).error().with_context("asking the owner of the data directory")));
        else if (response->status != 200)
            answer(std::unexpected(error_of(*response)));
        else
            answer(std::move(response));
    });
}

}  // namespace leftfold
