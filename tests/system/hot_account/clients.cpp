#include "clients.hpp"

#include <charconv>
#include <limits>
#include <random>
#include <utility>

#include "leftfold/event/decimal.hpp"
#include "leftfold/event/json_value.hpp"
#include "leftfold/http/client.hpp"

namespace leftfold::system_test {

using http::ClientRequest;
using http::ClientResponse;
using Input = AccountModel::Input;
using Output = AccountModel::Output;

namespace {

constexpr std::size_t kFirstClients = 200;
constexpr std::size_t kContestClients = 10;
constexpr std::size_t kContestWinsEach = 8;
constexpr Duration kAnswerTimeout = std::chrono::seconds(60);
constexpr Duration kPauseAfterLoss = std::chrono::milliseconds(20);
constexpr std::int64_t kOpeningBalance = 50'00;
constexpr std::int64_t kMoreThanThereIs = 1'000'000'000'00;

std::int64_t money_of(const json::Value& object, std::string_view name) {
    const json::Value* member = object.find(name);
    const auto money =
        member != nullptr && member->string() != nullptr ? Money::parse(*member->string()) : std::nullopt;
    return money ? money->minor() : 0;
}

std::string text_of_member(const json::Value& object, std::string_view name) {
    const json::Value* member = object.find(name);
    return member != nullptr && member->string() != nullptr ? *member->string() : std::string();
}

std::int64_t integer_of(const json::Value& object, std::string_view name) {
    const json::Value* member = object.find(name);
    return member != nullptr ? member->integer().value_or(0) : 0;
}

std::int64_t number_in(std::string_view text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

// None: an answer that the model has no word for.
std::optional<Output> output_of(const Input& in, const ClientResponse& response) {
    const auto body = json::Value::parse(response.body);
    if (!body)
        return std::nullopt;
    const bool repeated = response.header("Idempotent-Replayed").has_value();
    switch (response.status) {
        case 200:
            return Output{.version = integer_of(*body, "version"),
                          .balance = in.kind == AccountModel::Kind::read ? money_of(*body, "balance") : 0,
                          .repeated = repeated};
        case 409:
            if (text_of_member(*body, "reason") != "insufficient-funds")
                return std::nullopt;
            return Output{.kind = Output::Kind::refused, .version = integer_of(*body, "version"), .repeated = repeated};
        case 412:
            return Output{.kind = Output::Kind::conflict, .version = integer_of(*body, "current_version")};
        case 422:
            return Output{.kind = Output::Kind::id_reused};
        case 429:
            return Output{.kind = Output::Kind::overloaded};
        default:
            return std::nullopt;
    }
}

}  // namespace

class Clients::Impl {
  public:
    Impl(const Env& env, ClientsOptions options)
        : env_(env),
          options_(std::move(options)),
          http_(env,
                {.endpoint = options_.endpoint, .connections_max = options_.clients, .waiting_max = options_.clients}),
          dice_(options_.seed),
          clients_(options_.clients) {}

    void start(std::move_only_function<void()> ended) {
        ended_ = std::move(ended);
        ClientRequest request = command_request("open", "open-it");
        request.body = R"({"owner":"all","currency":"CZK","overdraft_limit":"0.00","opening_deposit":")" +
                       Money::from_minor(kOpeningBalance).to_string() + "\"}";
        http_.request(std::move(request), [this](Result<ClientResponse> response) {
            if (!response || response->status != 201)
                return fail_with("open: " + describe(response));
            recorded_.opening_version = 2;
            recorded_.opening_balance = kOpeningBalance;
            begin_first();
        });
    }

    Recorded recorded_;

  private:
    enum class Phase : std::uint8_t { all, contest, probe };

    struct OneClient {
        std::int64_t version_seen = 2;
        std::size_t operations_left = 0;
    };

    void begin_first() {
        running_ = std::min(kFirstClients, clients_.size());
        for (std::uint32_t client = 0; client < running_; ++client) {
            clients_[client].operations_left = 1;
            send(client, {.kind = AccountModel::Kind::deposit, .amount = 1, .expected = recorded_.opening_version});
        }
        after_all_ = [this] { begin_all(); };
    }

    void begin_all() {
        running_ = clients_.size();
        after_all_ = [this] { begin_contest(); };
        for (std::uint32_t client = 0; client < clients_.size(); ++client) {
            clients_[client].operations_left = options_.operations_each;
            send_next(client);
        }
    }

    // A few that each change what they have seen last, and look again where another was faster.
    void begin_contest() {
        phase_ = Phase::contest;
        running_ = std::min(kContestClients, clients_.size());
        after_all_ = [this] { begin_probe(); };
        for (std::uint32_t client = 0; client < running_; ++client) {
            clients_[client].operations_left = kContestWinsEach;
            send_next(client);
        }
    }

    // Of each shared id: what it stands for. This also tells of commands whose answers were lost.
    void begin_probe() {
        phase_ = Phase::probe;
        running_ = std::min(options_.shared_ids, clients_.size());
        after_all_ = [this] { read_events("/accounts/" + options_.account + "/events?limit=1000"); };
        for (std::uint32_t client = 0; client < running_; ++client) {
            clients_[client].operations_left = 1;
            send(client, content_of(static_cast<int>(client), false));
        }
    }

    std::uint64_t below(std::uint64_t bound) { return dice_() % bound; }

    Input choose(const OneClient& client) {
        if (phase_ == Phase::contest)
            return {.kind = AccountModel::Kind::deposit, .amount = 1, .expected = client.version_seen};
        const std::uint64_t roll = below(100);
        const auto amount = static_cast<std::int64_t>(1 + below(3000));
        if (roll < 20)
            return {.kind = AccountModel::Kind::read};
        if (roll < 45)
            return with_shared_id();
        if (roll < 65)
            return {.kind = AccountModel::Kind::withdraw, .amount = amount};
        Input deposit{.kind = AccountModel::Kind::deposit, .amount = amount};
        if (roll < 80)
            deposit.expected = client.version_seen;
        else if (roll < 83)
            deposit.expected = AccountModel::kExists;
        else if (roll < 85)
            deposit.expected = AccountModel::kNew;
        return deposit;
    }

    Input with_shared_id() {
        const auto id = static_cast<int>(below(options_.shared_ids));
        return content_of(id, below(8) == 0);
    }

    // An id has its content; now and then it comes with another. Every fourth stands for a command that is refused.
    static Input content_of(int id, bool other) {
        if (id % 4 == 0)
            return {
                .kind = AccountModel::Kind::withdraw, .amount = kMoreThanThereIs + (other ? 1 : 0), .shared_id = id};
        return {.kind = other ? AccountModel::Kind::withdraw : AccountModel::Kind::deposit,
                .amount = 1 + id,
                .shared_id = id};
    }

    ClientRequest command_request(std::string_view command, std::string_view id) const {
        ClientRequest request{.method = http::Method::post, .timeout = kAnswerTimeout};
        request.target = "/accounts/" + options_.account + "/" + std::string(command);
        request.content_type = "application/json";
        request.add_header("Idempotency-Key", id);
        return request;
    }

    ClientRequest request_of(const Input& in, const std::string& id) const {
        if (in.kind == AccountModel::Kind::read)
            return {.target = "/accounts/" + options_.account, .timeout = kAnswerTimeout};
        ClientRequest request = command_request(in.kind == AccountModel::Kind::deposit ? "deposit" : "withdraw", id);
        request.body = "{\"amount\":\"" + Money::from_minor(in.amount).to_string() + "\"}";
        if (in.expected == AccountModel::kExists)
            request.add_header("If-Match", "*");
        else if (in.expected == AccountModel::kNew)
            request.add_header("If-None-Match", "*");
        else if (in.expected != AccountModel::kAnyVersion)
            request.add_header("If-Match", "\"" + std::to_string(in.expected) + "\"");
        return request;
    }

    std::int64_t now() const { return env_.clock.monotonic().time_since_epoch().count(); }

    void send_next(std::uint32_t client) { send(client, choose(clients_[client])); }

    void send(std::uint32_t client, const Input& in) {
        const std::size_t index = recorded_.operations.size();
        std::string id;
        if (in.kind != AccountModel::Kind::read)
            id = in.shared_id == AccountModel::kOwnId ? "own-" + std::to_string(index)
                                                      : "shared-" + std::to_string(in.shared_id);
        ClientRequest request = request_of(in, id);
        recorded_.command_ids.push_back(std::move(id));
        recorded_.operations.push_back({client, in, std::nullopt, now(), 0});
        http_.request(std::move(request),
                      [this, index](Result<ClientResponse> response) { on_answer(index, std::move(response)); });
    }

    void on_answer(std::size_t index, Result<ClientResponse> response) {
        AccountOperation& operation = recorded_.operations[index];
        OneClient& client = clients_[operation.client];
        if (!response && response.error().code() == ErrorCode::unavailable) {
            recorded_.never_sent.insert(index);
            env_.scheduler.call_after(
                kPauseAfterLoss, [this, number = operation.client, input = operation.input] { send(number, input); });
            return;
        }
        if (response ? response->status == 503 : response.error().retryable()) {
            ++recorded_.lost_answers;
            env_.scheduler.call_after(kPauseAfterLoss, [this, number = operation.client, input = operation.input] {
                if (phase_ == Phase::probe)
                    send(number, input);
                else
                    go_on(number);
            });
            return;
        }
        operation.returned = now();
        operation.output = response ? output_of(operation.input, *response) : std::nullopt;
        if (!operation.output)
            return fail_with(AccountModel().describe(operation.input, std::nullopt) + " " + describe(response));
        if (operation.output->version > 0 && !operation.output->repeated)
            client.version_seen = operation.output->version;
        if (phase_ == Phase::contest && operation.output->kind == Output::Kind::conflict)
            send_next(operation.client);
        else if (phase_ == Phase::probe && operation.output->kind == Output::Kind::id_reused)
            send(operation.client, content_of(operation.input.shared_id, true));
        else if (phase_ == Phase::probe && operation.output->kind == Output::Kind::overloaded)
            send(operation.client, operation.input);
        else
            go_on(operation.client);
    }

    void go_on(std::uint32_t client) {
        if (--clients_[client].operations_left > 0)
            send_next(client);
        else if (--running_ == 0)
            after_all_();
    }

    // A read that the record does not hold, again and again while the bank is away.
    void read(std::string target, std::move_only_function<void(const ClientResponse&)> then) {
        ClientRequest request{.target = target, .timeout = kAnswerTimeout};
        http_.request(std::move(request), [this, target = std::move(target),
                                           then = std::move(then)](Result<ClientResponse> response) mutable {
            if (response && response->status == 200)
                return then(*response);
            if (response || !response.error().retryable())
                return fail_with(target + ": " + describe(response));
            env_.scheduler.call_after(kPauseAfterLoss,
                                      [this, target = std::move(target), then = std::move(then)]() mutable {
                                          read(std::move(target), std::move(then));
                                      });
        });
    }

    void read_events(std::string target) {
        read(std::move(target), [this](const ClientResponse& response) {
            const auto body = json::Value::parse(response.body);
            if (!body || body->array() == nullptr)
                return fail_with("events: " + response.body);
            for (const json::Value& event : *body->array()) {
                const json::Value* data = event.find("data");
                recorded_.events.push_back({.version = number_in(text_of_member(event, "sequence")),
                                            .type = text_of_member(event, "type"),
                                            .amount = data != nullptr ? money_of(*data, "amount") : 0,
                                            .command_id = text_of_member(event, "commandid")});
            }
            const std::string_view link = response.header("Link").value_or("");
            if (!link.starts_with('<'))
                return read_state();
            read_events(std::string(link.substr(1, link.find('>') - 1)));
        });
    }

    void read_state() {
        read("/accounts/" + options_.account, [this](const ClientResponse& response) {
            const auto state = output_of({}, response);
            recorded_.final_version = state ? state->version : 0;
            recorded_.final_balance = state ? state->balance : 0;
            ended_();
        });
    }

    static std::string describe(const Result<ClientResponse>& response) {
        return response ? std::to_string(response->status) + " " + response->body : response.error().message();
    }

    void fail_with(std::string what) {
        if (!recorded_.failure.empty())
            return;
        recorded_.failure = std::move(what);
        ended_();
    }

    Env env_;
    const ClientsOptions options_;
    http::Client http_;
    std::mt19937_64 dice_;
    std::vector<OneClient> clients_;
    std::size_t running_ = 0;
    Phase phase_ = Phase::all;
    std::move_only_function<void()> after_all_;
    std::move_only_function<void()> ended_;
};

Clients::Clients(const Env& env, ClientsOptions options) : impl_(std::make_unique<Impl>(env, std::move(options))) {}
Clients::~Clients() = default;

void Clients::start(std::move_only_function<void()> ended) {
    impl_->start(std::move(ended));
}
const Recorded& Clients::recorded() const noexcept {
    return impl_->recorded_;
}

}  // namespace leftfold::system_test
