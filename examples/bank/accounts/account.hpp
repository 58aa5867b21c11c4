// An account: money goes in and out, never below the overdraft limit.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "events.hpp"

namespace bank {

using leftfold::Decision;

struct Open {
    std::string owner;
    std::string currency;  // ISO 4217, such as CZK
    Money overdraft_limit;
    Money opening_deposit;
};
struct Deposit {
    Money amount;
    std::optional<std::string> currency = {};  // if given, that of the account
};
struct Withdraw {
    Money amount;
    std::optional<std::string> currency = {};  // if given, that of the account
};
struct Close {};

struct Account {
    using Command = std::variant<Open, Deposit, Withdraw, Close>;
    using Event = AccountEvents::Event;

    bool open = false;
    bool closed = false;
    std::string owner;
    std::string currency;
    Money balance;
    Money overdraft_limit;

    Decision<Event> decide(const Open& command) const;
    Decision<Event> decide(const Deposit& command) const;
    Decision<Event> decide(const Withdraw& command) const;
    Decision<Event> decide(const Close& command) const;

    void evolve(const Opened& event);
    void evolve(const Deposited& event) { balance += event.amount; }
    void evolve(const Withdrawn& event) { balance -= event.amount; }
    void evolve(const Closed& event);
};

}  // namespace bank
