// What the reporting service answers with.
#pragma once

#include <cstdint>
#include <string>

#include "leftfold/leftfold.hpp"

namespace bank {

using leftfold::Indexed;
using leftfold::Key;
using leftfold::Money;

// How much there is on an account.
struct Balance {
    Key<std::string> account;
    Indexed<std::string> owner;
    std::string currency;
    Indexed<Money> balance;
    bool open = false;
    std::int64_t version = 0;  // of the account
};

// A line of an account's statement: what came or went, and what there was then.
struct StatementLine {
    Key<std::string> account;
    Key<std::string> month;     // "1993-05"
    Key<std::int64_t> version;  // of the account: the order in which it happened
    leftfold::Timestamp time{};
    Money amount;  // below zero: withdrawn
    Money balance;
};

// What a statement begins with: the balance behind the last line of an account.
struct StatementEnd {
    Key<std::string> account;
    Money balance;
};

// What came in and went out in a day, over all accounts.
struct DailyTurnover {
    Key<std::string> day;  // "1993-05-31"
    std::int64_t deposits = 0;
    Money deposited;
    std::int64_t withdrawals = 0;
    Money withdrawn;
};

}  // namespace bank
