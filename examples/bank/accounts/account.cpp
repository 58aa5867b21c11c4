#include "account.hpp"

namespace bank {

using leftfold::reject;

namespace {

constexpr Money kMostMoney("92233720368547758.07");

bool is_currency(const std::string& code) {
    if (code.size() != 3)
        return false;
    for (const char letter : code)
        if (letter < 'A' || letter > 'Z')
            return false;
    return true;
}

}  // namespace

Decision<Account::Event> Account::decide(const Open& command) const {
    if (closed)
        return reject("account-closed");
    if (open)
        return reject("account-already-open");
    if (!is_currency(command.currency))
        return reject("currency-unknown").with("currency", command.currency);
    if (command.overdraft_limit < Money())
        return reject("overdraft-limit-negative").with("overdraft_limit", command.overdraft_limit);
    if (command.opening_deposit < Money())
        return reject("amount-negative").with("opening_deposit", command.opening_deposit);
    Opened opened{command.owner, command.currency, command.overdraft_limit};
    if (command.opening_deposit == Money())
        return opened;
    return {opened, Deposited{command.opening_deposit}};
}

Decision<Account::Event> Account::decide(const Deposit& command) const {
    if (!open)
        return reject("account-not-open");
    if (command.currency && *command.currency != currency)
        return reject("currency-mismatch").with("currency", currency);
    if (command.amount <= Money())
        return reject("amount-not-positive").with("amount", command.amount);
    if (balance > Money() && command.amount > kMostMoney - balance)
        return reject("balance-too-large").with("balance", balance);
    return Deposited{command.amount};
}

Decision<Account::Event> Account::decide(const Withdraw& command) const {
    if (!open)
        return reject("account-not-open");
    if (command.currency && *command.currency != currency)
        return reject("currency-mismatch").with("currency", currency);
    if (command.amount <= Money())
        return reject("amount-not-positive").with("amount", command.amount);
    if (balance + overdraft_limit < command.amount)
        return reject("insufficient-funds").with("balance", balance).with("overdraft_limit", overdraft_limit);
    return Withdrawn{command.amount};
}

Decision<Account::Event> Account::decide(const Close&) const {
    if (!open)
        return reject("account-not-open");
    if (balance != Money())
        return reject("balance-not-zero").with("balance", balance);
    return Closed{};
}

void Account::evolve(const Opened& event) {
    open = true;
    owner = event.owner;
    currency = event.currency;
    overdraft_limit = event.overdraft_limit;
}

void Account::evolve(const Closed&) {
    open = false;
    closed = true;
}

}  // namespace bank
