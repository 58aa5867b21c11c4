// The services of this module's tests: accounts, and transfers between them. They share nothing but names. Every
// command for an account carries the transfer that it is for, and the events keep it, so that effects can be told apart
// whatever happens to ids.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "leftfold/aggregate/decision.hpp"
#include "leftfold/event/event_stream.hpp"
#include "leftfold/process/concepts.hpp"

namespace leftfold::testing::accounts {

struct Open {
    std::int64_t balance = 0;
};
struct Withdraw {
    std::string transfer;
    std::int64_t amount = 0;
};
struct Deposit {
    std::string transfer;
    std::int64_t amount = 0;
};
struct Refund {
    std::string transfer;
    std::int64_t amount = 0;
};
struct Close {};

struct Opened {
    std::int64_t balance = 0;
};
struct Withdrawn {
    std::string transfer;
    std::int64_t amount = 0;
};
struct Deposited {
    std::string transfer;
    std::int64_t amount = 0;
};
struct Refunded {
    std::string transfer;
    std::int64_t amount = 0;
};
struct Closed {};

struct Account {
    using Command = std::variant<Open, Withdraw, Deposit, Refund, Close>;
    using Event = std::variant<Opened, Withdrawn, Deposited, Refunded, Closed>;

    bool open = false;
    bool closed = false;
    std::int64_t balance = 0;

    Decision<Event> decide(const Open& command) const {
        if (open || closed)
            return reject("was-opened");
        return Opened{command.balance};
    }
    Decision<Event> decide(const Withdraw& command) const {
        if (!open)
            return reject("account-not-open");
        if (balance < command.amount)
            return reject("insufficient-funds").with("balance", balance);
        return Withdrawn{command.transfer, command.amount};
    }
    Decision<Event> decide(const Deposit& command) const {
        if (!open)
            return reject("account-not-open");
        return Deposited{command.transfer, command.amount};
    }
    // What was taken can always come back.
    Decision<Event> decide(const Refund& command) const { return Refunded{command.transfer, command.amount}; }
    Decision<Event> decide(const Close&) const {
        if (!open)
            return reject("account-not-open");
        return Closed{};
    }

    void evolve(const Opened& event) {
        open = true;
        balance = event.balance;
    }
    void evolve(const Withdrawn& event) { balance -= event.amount; }
    void evolve(const Deposited& event) { balance += event.amount; }
    void evolve(const Refunded& event) { balance += event.amount; }
    void evolve(const Closed&) {
        open = false;
        closed = true;
    }
};

// What others may know of it.
struct AccountEvents {
    static constexpr std::string_view aggregate = "account";
    using Event = Account::Event;
};

}  // namespace leftfold::testing::accounts

namespace leftfold::testing::transfers {

struct Withdraw {
    static constexpr std::string_view aggregate = "account";
    std::string transfer;
    std::int64_t amount = 0;
};
struct Deposit {
    static constexpr std::string_view aggregate = "account";
    std::string transfer;
    std::int64_t amount = 0;
};
struct Refund {
    static constexpr std::string_view aggregate = "account";
    std::string transfer;
    std::int64_t amount = 0;
};

struct Start {
    std::string from;
    std::string to;
    std::int64_t amount = 0;
    std::int64_t patience_ms = 30'000;
};

struct Started {
    std::string from;
    std::string to;
    std::int64_t amount = 0;
};
struct Withdrew {};
struct Expired {};
struct Completed {};
struct Compensated {};
struct Refused {
    std::string reason;
};

enum class State : std::uint8_t { none, running, withdrawn, completed, compensated, refused };

struct Transfer {
    using Command = std::variant<Start>;
    using Event = std::variant<Started, Withdrew, Expired, Completed, Compensated, Refused>;
    using Sends = std::variant<Withdraw, Deposit, Refund>;
    using Steps = leftfold::Steps<Transfer>;

    State state = State::none;
    bool expired = false;
    std::string from;
    std::string to;
    std::int64_t amount = 0;

    ProcessDecision<Transfer> decide(const Start& command, const CommandContext& context) const {
        if (state != State::none)
            return reject("was-started");
        return Steps(Started{command.from, command.to, command.amount})
            .send(command.from, Withdraw{std::string(context.key), command.amount})
            .timer("deadline", std::chrono::milliseconds(command.patience_ms));
    }
    Steps on_answer(const Withdraw& sent, const Answer& answer) const {
        if (!answer.accepted())
            return Steps(Refused{std::string(answer.reason())}).cancel_timer("deadline");
        if (expired)
            return Steps(Withdrew{}).send(from, Refund{sent.transfer, amount});
        return Steps(Withdrew{}).send(to, Deposit{sent.transfer, amount});
    }
    Steps on_answer(const Deposit& sent, const Answer& answer) const {
        if (answer.accepted())
            return Steps(Completed{}).cancel_timer("deadline");
        return Steps().send(from, Refund{sent.transfer, amount});
    }
    Steps on_answer(const Refund& sent, const Answer& answer) const {
        if (!answer.accepted())
            return Steps().timer("refund-again " + sent.transfer, std::chrono::seconds(1));
        return Steps(Compensated{}).cancel_timer("deadline");
    }
    Steps on_timer(std::string_view name) const {
        if (name == "deadline")
            return state == State::running ? Steps(Expired{}) : Steps::nothing();
        return Steps().send(from, Refund{std::string(name.substr(name.find(' ') + 1)), amount});
    }

    void evolve(const Started& event) {
        state = State::running;
        from = event.from;
        to = event.to;
        amount = event.amount;
    }
    void evolve(const Withdrew&) { state = State::withdrawn; }
    void evolve(const Expired&) { expired = true; }
    void evolve(const Completed&) { state = State::completed; }
    void evolve(const Compensated&) { state = State::compensated; }
    void evolve(const Refused&) { state = State::refused; }
};

}  // namespace leftfold::testing::transfers
