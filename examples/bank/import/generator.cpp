#include "generator.hpp"

#include <random>
#include <vector>

#include "leftfold/base/time.hpp"

namespace bank {

namespace {

constexpr std::uint32_t kDays = 455;  // 1 January 1993 to 31 March 1994
constexpr std::int64_t kRounding = 10;
constexpr std::int64_t kLowestBalance = -300'000;

struct Account {
    std::uint32_t id = 0;
    bool open = false;
    std::int64_t balance_minor = 0;
};

std::int64_t rounded(std::int64_t minor) {
    const std::int64_t half = minor < 0 ? -kRounding / 2 : kRounding / 2;
    return (minor + half) / kRounding * kRounding;
}

class History {
  public:
    explicit History(const GeneratorOptions& options) : options_(options), random_(options.seed) {
        for (std::uint32_t i = 0; i < options.accounts; ++i)
            accounts_.push_back({.id = 1000 + i * 3});
    }

    std::string write() {
        const leftfold::Timestamp first_day = leftfold::parse_date("1993-01-01").value();
        out_ = "transaction_id,account_id,date,kind,amount_minor,balance_minor\n";
        for (std::uint32_t i = 0; i < options_.transactions && !accounts_.empty(); ++i) {
            const auto day = static_cast<std::int64_t>(std::uint64_t{i} * kDays / options_.transactions);
            add(i + 1, leftfold::to_rfc3339(first_day + std::chrono::days(day)).substr(0, 10));
        }
        return std::move(out_);
    }

  private:
    // Uniform in [low, high]; the distributions of the standard library differ from one implementation to the next.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
    }

    void add(std::uint32_t id, const std::string& date) {
        Account& account =
            accounts_[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(accounts_.size()) - 1))];
        const bool deposit = !account.open || account.balance_minor < kLowestBalance || between(0, 9) < 5;
        const std::int64_t amount = account.open ? between(100, 500'000) : 10 * between(2'000, 200'000);
        account.open = true;
        account.balance_minor += deposit ? amount : -amount;
        out_ += std::to_string(id) + "," + std::to_string(account.id) + "," + date +
                (deposit ? ",deposit," : ",withdrawal,") + std::to_string(amount) + "," +
                std::to_string(rounded(account.balance_minor)) + "\n";
    }

    GeneratorOptions options_;
    std::mt19937_64 random_;
    std::vector<Account> accounts_;
    std::string out_;
};

}  // namespace

std::string generate_history(const GeneratorOptions& options) {
    return History(options).write();
}

}  // namespace bank
