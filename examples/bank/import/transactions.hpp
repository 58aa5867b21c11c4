// The history of a bank as a CSV file: one line a transaction, each account's in order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/leftfold.hpp"

namespace bank {

struct Transaction {
    enum class Kind : std::uint8_t { deposit, withdrawal } kind = Kind::deposit;
    std::string id;
    std::string account;
    std::string date;  // YYYY-MM-DD
    leftfold::Money amount;
    leftfold::Money balance;  // after it, as the bank recorded it
};

// By the names in the first line: transaction_id, account_id, date, kind, amount_minor, balance_minor; others are
// passed over. Fields are not quoted. An error names the line.
leftfold::Result<std::vector<Transaction>> parse_transactions(std::string_view csv);

}  // namespace bank
