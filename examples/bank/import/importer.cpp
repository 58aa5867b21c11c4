#include "importer.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

#include "leftfold/event/json_value.hpp"
#include "leftfold/http/url.hpp"

namespace bank {

using leftfold::Duration;
using leftfold::Money;
using leftfold::Result;
using leftfold::http::ClientRequest;
using leftfold::http::ClientResponse;

namespace {

// The file's balances are rounded to 10 minor units: a step may differ by as much, and the sum over a life by 100.
constexpr std::int64_t kStepToleranceMinor = 10;
constexpr std::int64_t kSumToleranceMinor = 100;

constexpr std::size_t kComplaintsMax = 10;
constexpr Duration kRetryDelayFirst = std::chrono::milliseconds(50);
constexpr Duration kRetryDelayMost = std::chrono::seconds(1);

bool may_retry(const Result<ClientResponse>& response) {
    if (!response)
        return response.error().retryable();
    return response->status == 429 || response->status == 503;
}

std::optional<std::string> text_member(const std::string& json_text, std::string_view name) {
    const auto value = leftfold::json::Value::parse(json_text);
    if (!value)
        return std::nullopt;
    const auto* member = value->find(name);
    return member != nullptr && member->string() != nullptr ? std::optional(*member->string()) : std::nullopt;
}

std::string describe(const Result<ClientResponse>& response) {
    if (!response)
        return response.error().message();
    const std::string detail = text_member(response->body, "detail").value_or("");
    return std::to_string(response->status) + " " + text_member(response->body, "title").value_or("") +
           (detail.empty() ? "" : " (" + detail + ")");
}

// "7" of an ETag.
std::string version_of(const ClientResponse& response) {
    const std::string_view etag = response.header("ETag").value_or("");
    return etag.size() > 2 ? std::string(etag.substr(1, etag.size() - 2)) : std::string();
}

}  // namespace

class Importer::Impl {
  public:
    Impl(const leftfold::Env& env, leftfold::http::Client& client, std::vector<Transaction> transactions,
         ImportOptions options, std::move_only_function<void()> ended)
        : env_(env),
          client_(client),
          transactions_(std::move(transactions)),
          options_(options),
          ended_(std::move(ended)) {
        summary_.transactions = transactions_.size();
        for (std::size_t i = 0; i < transactions_.size(); ++i) {
            const auto [place, is_new] = account_by_id_.try_emplace(transactions_[i].account, accounts_.size());
            if (is_new)
                accounts_.push_back({});
            accounts_[place->second].transactions.push_back(i);
        }
    }

    void start() {
        last_answer_ = env_.clock.monotonic();
        if (accounts_.empty())
            env_.scheduler.post([this] { ended_(); });
        while (next_account_ < accounts_.size() && running_ < options_.accounts_at_once)
            begin_account();
    }

    void stop() { stopping_ = true; }

    ImportSummary summary_;
    std::uint64_t answered_ = 0;

  private:
    struct Account {
        std::vector<std::size_t> transactions;  // indexes, in order
        std::size_t next = 0;
        bool first_attempt = true;
        Duration retry_delay = kRetryDelayFirst;
        std::optional<Money> balance_before;  // with `verify`
        Money recorded_before;
    };

    void begin_account() {
        ++running_;
        send(accounts_[next_account_++]);
    }

    const Transaction& current(const Account& account) const {
        return transactions_[account.transactions[account.next]];
    }

    ClientRequest command_of(const Account& account) const {
        const Transaction& transaction = current(account);
        const bool opens = account.next == 0;
        ClientRequest request{.method = leftfold::http::Method::post, .content_type = "application/json"};
        request.target = "/accounts/" + leftfold::http::percent_encode(transaction.account);
        const std::string amount = transaction.amount.to_string();
        if (opens) {
            request.target += "/open";
            request.body = "{\"owner\":\"holder of " + transaction.account + "\",\"currency\":\"" + options_.currency +
                           "\",\"overdraft_limit\":\"" + options_.overdraft_limit.to_string() +
                           "\",\"opening_deposit\":\"" + amount + "\"}";
        } else {
            request.target += transaction.kind == Transaction::Kind::deposit ? "/deposit" : "/withdraw";
            request.body = "{\"amount\":\"" + amount + "\"}";
        }
        request.add_header("Idempotency-Key", transaction.id);
        request.add_header("Leftfold-Time", transaction.date + "T00:00:00Z");
        return request;
    }

    void send(Account& account) {
        client_.request(command_of(account),
                        [this, &account](Result<ClientResponse> response) { on_answer(account, std::move(response)); });
    }

    void on_answer(Account& account, Result<ClientResponse> response) {
        if (may_retry(response)) {
            retry(account, response, [this, &account] { send(account); });
            return;
        }
        account.retry_delay = kRetryDelayFirst;
        last_answer_ = env_.clock.monotonic();
        const bool repeated = response && response->header("Idempotent-Replayed").has_value();
        if (response && (response->status == 200 || response->status == 201)) {
            if (repeated && account.first_attempt)
                ++summary_.duplicates;
            else
                ++summary_.accepted;
            if (options_.verify) {
                verify(account, version_of(*response));
                return;
            }
        } else {
            ++summary_.rejected;
            complain(account, describe(response));
        }
        advance(account);
    }

    // The balance right behind this transaction, read as of the version that it made.
    void verify(Account& account, const std::string& version) {
        ClientRequest request{.target = "/accounts/" + leftfold::http::percent_encode(current(account).account) +
                                        "?at_version=" + version};
        client_.request(std::move(request), [this, &account, version](Result<ClientResponse> response) {
            if (may_retry(response)) {
                retry(account, response, [this, &account, version] { verify(account, version); });
                return;
            }
            const auto balance = response && response->status == 200
                                     ? Money::parse(text_member(response->body, "balance").value_or(""))
                                     : std::nullopt;
            if (!balance)
                mismatch(account, "its balance cannot be read: " + describe(response));
            else
                compare(account, *balance);
            account.balance_before = balance;
            account.recorded_before = current(account).balance;
            advance(account);
        });
    }

    void compare(Account& account, Money balance) {
        const std::int64_t off = balance.minor() - current(account).balance.minor();
        const std::int64_t off_before =
            account.balance_before ? account.balance_before->minor() - account.recorded_before.minor() : 0;
        if (std::abs(off) > kSumToleranceMinor || std::abs(off - off_before) > kStepToleranceMinor)
            mismatch(account, "balance " + balance.to_string() + ", recorded " + current(account).balance.to_string());
    }

    void mismatch(const Account& account, const std::string& what) {
        ++summary_.mismatches;
        complain(account, what);
    }

    void complain(const Account& account, const std::string& what) {
        if (summary_.complaints.size() < kComplaintsMax)
            summary_.complaints.push_back("transaction " + current(account).id + " of account " +
                                          current(account).account + ": " + what);
    }

    template <class Again>
    void retry(Account& account, const Result<ClientResponse>& response, Again again) {
        if (env_.clock.monotonic() - last_answer_ > options_.timeout || stopping_) {
            if (!stopping_)
                complain(account, "given up after " + describe(response));
            stopping_ = true;
            account.next = account.transactions.size();
            end_account();
            return;
        }
        ++summary_.retries;
        account.first_attempt = false;
        env_.scheduler.call_after(account.retry_delay, std::move(again));
        account.retry_delay = std::min(account.retry_delay * 2, kRetryDelayMost);
    }

    void advance(Account& account) {
        ++answered_;
        ++account.next;
        account.first_attempt = true;
        if (account.next == account.transactions.size() || stopping_)
            end_account();
        else
            send(account);
    }

    void end_account() {
        --running_;
        if (!stopping_ && next_account_ < accounts_.size()) {
            begin_account();
        } else if (running_ == 0) {
            summary_.unanswered = summary_.transactions - answered_;
            ended_();
        }
    }

    leftfold::Env env_;
    leftfold::http::Client& client_;
    const std::vector<Transaction> transactions_;
    const ImportOptions options_;
    std::move_only_function<void()> ended_;

    std::map<std::string, std::size_t> account_by_id_;
    std::vector<Account> accounts_;  // never grows after construction: callbacks hold references
    std::size_t next_account_ = 0;
    std::size_t running_ = 0;
    bool stopping_ = false;
    leftfold::MonotonicTime last_answer_;
};

Importer::Importer(const leftfold::Env& env, leftfold::http::Client& client, std::vector<Transaction> transactions,
                   ImportOptions options, std::move_only_function<void()> ended)
    : impl_(std::make_unique<Impl>(env, client, std::move(transactions), options, std::move(ended))) {}
Importer::~Importer() = default;

void Importer::start() {
    impl_->start();
}
void Importer::stop() {
    impl_->stop();
}
const ImportSummary& Importer::summary() const noexcept {
    return impl_->summary_;
}
std::uint64_t Importer::answered() const noexcept {
    return impl_->answered_;
}

}  // namespace bank
