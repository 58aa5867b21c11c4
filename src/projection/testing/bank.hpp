// The projection of this module's tests: streams of an imagined bank, rows of every kind.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "leftfold/projection/typed_projection.hpp"

namespace leftfold::testing {

struct Opened {
    std::string owner;
};
struct Deposited {
    Money amount;
};
struct Withdrawn {
    Money amount;
};
struct Noted {
    std::string text;
};
struct Closed {};
struct Broken {
    std::string how;
};
struct AccountEvents {
    static constexpr std::string_view aggregate = "account";
    using Event = std::variant<Opened, Deposited, Withdrawn, Noted, Closed, Broken>;
};

struct Lent {
    std::string account;
    Money amount;
};
struct LoanEvents {
    static constexpr std::string_view aggregate = "loan";
    using Event = std::variant<Lent, Closed>;
};

struct Balance {
    Key<std::string> account;
    Money balance;
    Indexed<std::string> owner;
    std::int64_t changes = 0;

    friend bool operator==(const Balance&, const Balance&) = default;
};

struct Statement {
    Key<std::string> account;
    Key<std::int64_t> number;
    Indexed<Timestamp> time;
    std::string month;
    Money amount;

    using Indexes = std::tuple<Index<"by_month", &Statement::account, &Statement::month>>;
    friend bool operator==(const Statement&, const Statement&) = default;
};

// Noted is not handled.
struct Balances {
    using Events = ReadsFrom<AccountEvents, LoanEvents>;
    using Tables = std::tuple<Balance, Statement>;
    static constexpr std::uint32_t version = 3;

    void on(const Opened& event, const EventMeta& meta, Rows<Balance>& balances, Rows<Statement>&) const {
        balances[meta.key].owner = event.owner;
    }
    void on(const Deposited& event, const EventMeta& meta, Rows<Balance>& balances, Rows<Statement>& statements) const {
        move(event.amount, meta, balances, statements);
    }
    void on(const Withdrawn& event, const EventMeta& meta, Rows<Balance>& balances, Rows<Statement>& statements) const {
        move(-event.amount, meta, balances, statements);
    }
    void on(const Closed&, const EventMeta& meta, Rows<Balance>& balances, Rows<Statement>& statements) const {
        if (meta.type.find("account") == std::string_view::npos)
            return;
        balances.erase(meta.key);
        for (const Statement* row : statements.starting_with(meta.key))
            statements.erase(row->account, row->number);
    }
    void on(const Broken& event, const EventMeta& meta, Rows<Balance>& balances, Rows<Statement>&) const {
        balances[meta.key].changes = -1;
        if (event.how == "standard")
            throw std::runtime_error("broken on purpose");
        if (event.how == "other")
            throw 42;
        if (event.how == "key")
            balances[meta.key].account = "someone else";
    }
    void on(const Lent& event, Rows<Balance>& balances, Rows<Statement>&) const {
        balances[event.account].balance += event.amount;
    }

  private:
    static void move(Money amount, const EventMeta& meta, Rows<Balance>& balances, Rows<Statement>& statements) {
        Balance& row = balances[meta.key];
        row.balance += amount;
        ++row.changes;
        statements.put({meta.key, meta.version.value(), meta.time, to_rfc3339(meta.time).substr(0, 7), amount});
    }
};

}  // namespace leftfold::testing
