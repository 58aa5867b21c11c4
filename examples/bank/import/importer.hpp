// Importer: sends a bank's history through HTTP into a running bank: many accounts at once, each account in order, one
// command per transaction with its id, so that it may be stopped, killed and repeated at any point.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "leftfold/env/env.hpp"
#include "leftfold/http/client.hpp"

#include "transactions.hpp"

namespace bank {

struct ImportOptions {
    leftfold::Money overdraft_limit = leftfold::Money("20000.00");  // of every account
    std::string currency = "CZK";
    std::size_t accounts_at_once = 64;
    bool verify = false;                                    // read the balance after each transaction and compare
    leftfold::Duration timeout = std::chrono::seconds(60);  // without any answer
};

struct ImportSummary {
    std::uint64_t transactions = 0;
    std::uint64_t accepted = 0;    // for the first time
    std::uint64_t rejected = 0;    // refused by the account
    std::uint64_t duplicates = 0;  // were there before this run
    std::uint64_t mismatches = 0;  // balances that differ from the file's by more than its rounding allows
    std::uint64_t retries = 0;
    std::uint64_t unanswered = 0;         // given up
    std::vector<std::string> complaints;  // the first few rejections and mismatches, and why it was given up

    bool complete() const noexcept { return accepted + duplicates == transactions && mismatches == 0; }
};

class Importer {
  public:
    // The env and the client are borrowed. `ended` runs once, as a step.
    Importer(const leftfold::Env& env, leftfold::http::Client& client, std::vector<Transaction> transactions,
             ImportOptions options, std::move_only_function<void()> ended);
    ~Importer();

    void start();
    // Lets what is under way be answered, and sends no more.
    void stop();

    const ImportSummary& summary() const noexcept;
    std::uint64_t answered() const noexcept;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace bank
