#include "owner.hpp"

#include <fmt/format.h>

#include "leftfold/event/json_value.hpp"
#include "leftfold/http/server.hpp"

#include "inspection.hpp"

namespace leftfold {

namespace {

// While an owner opens its log, or ends, it holds the directory and does not answer.
constexpr Duration kOwnerWaitMax = std::chrono::seconds(5);
constexpr Duration kOwnerRetryDelay = std::chrono::milliseconds(10);

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
    Impl(RealEnv& real, std::string_view application, const std::vector<Service>& services, std::string directory,
         AtOwnersEnd at_owners_end, HostRole role)
        : real_(real),
          application_(application),
          services_(services),
          directory_(std::move(directory)),
          at_owners_end_(at_owners_end),
          role_(role),
          socket_{join_path(directory_, kControlSocketName)},
          client_(real.env(), {.endpoint = socket_, .host = "leftfold"}) {}

    // Becomes the owner, unless another process is: `unavailable` is how the log says that.
    Result<> own_if_free() {
        if (server_)
            return {};
        auto host = Host::open(real_.env(), application_, services_,
                               {.directory = directory_, .aggregates = {}, .role = role_}, registry_, logger_);
        if (!host)
            return host.error().code() == ErrorCode::unavailable ? Result<>()
                                                                 : std::unexpected(std::move(host).error());
        host_ = std::move(*host);
        inspection_ = std::make_unique<Inspection>(real_.env(), *host_);
        LEFTFOLD_TRY(server, http::Server::start(real_.env(), {.endpoint = socket_}, *inspection_));
        server_ = std::move(server);
        return {};
    }

    struct Question {
        std::string target;
        Duration timeout;
        Answer answer;
        MonotonicTime begun;
        http::Method method = http::Method::get;
    };

    void send(Question question) {
        http::ClientRequest request{.method = question.method, .target = question.target, .timeout = question.timeout};
        client_.request(std::move(request),
                        [this, question = std::move(question)](Result<http::ClientResponse> response) mutable {
                            on_response(std::move(question), std::move(response));
                        });
    }

    MonotonicTime now() { return real_.env().clock.monotonic(); }

  private:
    void on_response(Question question, Result<http::ClientResponse> response) {
        if (response) {
            has_answered_ = true;
            if (response->status != 200)
                response = std::unexpected(error_of(*response));
            question.answer(std::move(response));
            return;
        }
        const bool is_lost = question.method == http::Method::get && response.error().code() == ErrorCode::closed;
        if ((is_lost || is_unheard(response.error())) && may_ask_another() && now() - question.begun < kOwnerWaitMax) {
            real_.env().scheduler.call_after(
                kOwnerRetryDelay, [this, question = std::move(question)]() mutable { ask_again(std::move(question)); });
            return;
        }
        question.answer(
            std::unexpected(std::move(response).error().with_context("asking the owner of the data directory")));
    }

    // Nobody listens. Questions change nothing, so that one is asked again too where the answer was cut off.
    static bool is_unheard(const Error& error) {
        return error.code() == ErrorCode::unavailable || error.code() == ErrorCode::not_found;
    }
    bool may_ask_another() const { return !has_answered_ || at_owners_end_ == AtOwnersEnd::ask_the_next; }

    void ask_again(Question question) {
        if (auto owned = own_if_free(); !owned)
            question.answer(std::unexpected(std::move(owned).error()));
        else
            send(std::move(question));
    }

    RealEnv& real_;
    std::string_view application_;
    const std::vector<Service>& services_;
    const std::string directory_;
    const AtOwnersEnd at_owners_end_;
    const HostRole role_;
    const UnixEndpoint socket_;
    bool has_answered_ = false;
    MetricRegistry registry_;
    NullLogger logger_;
    std::unique_ptr<Host> host_;  // only if this process is the owner
    std::unique_ptr<Inspection> inspection_;
    std::unique_ptr<http::Server> server_;
    http::Client client_;
};

OwnerSession::OwnerSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OwnerSession::~OwnerSession() = default;

Result<std::unique_ptr<OwnerSession>> OwnerSession::open(RealEnv& real, std::string_view application,
                                                         const std::vector<Service>& services, std::string directory,
                                                         AtOwnersEnd at_owners_end, HostRole role) {
    LEFTFOLD_TRY(exists, log::holds_embedded_log(real.env().files, directory));
    if (!exists)
        return fail(ErrorCode::not_found,
                    fmt::format("nothing is stored in '{}'; name the directory with --data", directory));
    auto impl = std::make_unique<Impl>(real, application, services, std::move(directory), at_owners_end, role);
    LEFTFOLD_CHECK(impl->own_if_free());
    return std::unique_ptr<OwnerSession>(new OwnerSession(std::move(impl)));
}

void OwnerSession::ask(std::string target, Duration timeout, Answer answer) {
    impl_->send({std::move(target), timeout, std::move(answer), impl_->now()});
}

void OwnerSession::order(std::string target, Duration timeout, Answer answer) {
    impl_->send({std::move(target), timeout, std::move(answer), impl_->now(), http::Method::post});
}

}  // namespace leftfold
