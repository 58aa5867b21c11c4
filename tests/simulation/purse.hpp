// The aggregate of these tests: a purse that holds at most so much, and never owes more than its limit. Every command
// carries a tag that its events keep, so that events can be told apart whatever happens to ids.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "leftfold/aggregate/decision.hpp"

namespace leftfold::simulation {

inline constexpr std::int64_t kPurseHolds = 1000;

struct Open {
    std::int64_t tag = 0;
    std::int64_t limit = 0;
    std::int64_t opening = 0;  // not 0: a second event
};
struct Deposit {
    std::int64_t tag = 0;
    std::int64_t amount = 0;
    std::string note;  // to make batches of many sizes
};
struct Withdraw {
    std::int64_t tag = 0;
    std::int64_t amount = 0;
};
struct Close {
    std::int64_t tag = 0;
};
struct Look {  // accepted, and nothing happens
    std::int64_t tag = 0;
};

struct Opened {
    std::int64_t tag = 0;
    std::int64_t limit = 0;
};
struct Deposited {
    std::int64_t tag = 0;
    std::int64_t amount = 0;
    std::string note;
};
struct Withdrawn {
    std::int64_t tag = 0;
    std::int64_t amount = 0;
};
struct Closed {
    std::int64_t tag = 0;
};

struct Purse {
    using Command = std::variant<Open, Deposit, Withdraw, Close, Look>;
    using Event = std::variant<Opened, Deposited, Withdrawn, Closed>;
    static constexpr std::uint32_t snapshot_version = 1;

    bool open = false;
    bool closed = false;
    std::int64_t balance = 0;
    std::int64_t limit = 0;

    Decision<Event> decide(const Open& command) const {
        if (open || closed)
            return reject("was-opened");
        if (command.opening == 0)
            return Opened{command.tag, command.limit};
        return {Opened{command.tag, command.limit}, Deposited{command.tag, command.opening, ""}};
    }
    Decision<Event> decide(const Deposit& command) const {
        if (!open)
            return reject("not-open");
        if (balance + command.amount > kPurseHolds)
            return reject("purse-full").with("balance", balance).with("holds", kPurseHolds);
        return Deposited{command.tag, command.amount, command.note};
    }
    Decision<Event> decide(const Withdraw& command) const {
        if (!open)
            return reject("not-open");
        if (balance + limit < command.amount)
            return reject("too-little").with("balance", balance);
        return Withdrawn{command.tag, command.amount};
    }
    Decision<Event> decide(const Close& command) const {
        if (!open)
            return reject("not-open");
        if (balance != 0)
            return reject("not-empty").with("balance", balance);
        return Closed{command.tag};
    }
    Decision<Event> decide(const Look&) const {
        if (!open)
            return reject("not-open");
        return Decision<Event>::nothing();
    }

    void evolve(const Opened& event) {
        open = true;
        limit = event.limit;
    }
    void evolve(const Deposited& event) { balance += event.amount; }
    void evolve(const Withdrawn& event) { balance -= event.amount; }
    void evolve(const Closed&) {
        open = false;
        closed = true;
    }
};

}  // namespace leftfold::simulation
