// A transfer: money leaves one account and arrives at another, or comes back. It is never lost, never there twice.
//
// One command at a time is on its way, so that at any moment the money is in one known place, or with one command whose
// answer decides where it is:
//
//   withdrawing ── refused ──► refused                        nothing has moved
//        │ accepted
//   depositing ─── accepted ─► completed
//        │ refused
//   returning ──── accepted ─► compensated
//        │ refused     ▲
//   return-refused ────┘ tried again, or sent elsewhere by somebody who knows (return-to)
//
// The deadline gives up only what was not sent yet. A command that is on its way may have worked, and to assume that it
// has not would double the money: so its answer is waited for, however long it takes (it is sent again with the same id
// until there is one). If the deadline has passed when the withdrawal is answered, the money goes back instead of on.
// Once the deposit is on its way, the deadline means nothing, and is cancelled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "events.hpp"

namespace bank::transfers {

using leftfold::Answer;
using leftfold::Bounded;
using leftfold::ProcessDecision;

struct Start {
    std::string from;
    std::string to;
    Money amount;
    std::optional<std::string> currency = {};  // if given, both accounts must have it
    std::optional<Bounded<std::int64_t, 0, 86'400>> deadline_seconds = {};
};
// Money that its account does not take back, closed in the meantime, goes to this one.
struct ReturnTo {
    std::string account;
};

// What is said to accounts.
struct Withdraw {
    static constexpr std::string_view aggregate = "account";
    Money amount;
    std::optional<std::string> currency = {};
};
struct Deposit {
    static constexpr std::string_view aggregate = "account";
    Money amount;
    std::optional<std::string> currency = {};
};

enum class State : std::uint8_t { running, completed, compensated, refused };
enum class Step : std::uint8_t { none, withdrawing, depositing, returning, return_refused, done };

struct Transfer {
    using Command = std::variant<Start, ReturnTo>;
    using Event = TransferEvents::Event;
    using Sends = std::variant<Withdraw, Deposit>;
    using Steps = leftfold::Steps<Transfer>;

    State state = State::running;
    Step step = Step::none;
    std::string from;
    std::string to;
    Money amount;
    std::optional<std::string> currency = {};
    std::optional<std::string> reason;                 // why the money did not arrive
    std::optional<std::string> return_refused_reason;  // why it did not get back at the last try
    std::int64_t returns_refused = 0;
    std::optional<std::string> returned_to;  // if not to `from`
    bool deadline_passed = false;

    ProcessDecision<Transfer> decide(const Start& command) const;
    ProcessDecision<Transfer> decide(const ReturnTo& command) const;
    Steps on_answer(const Withdraw& sent, const Answer& answer) const;
    Steps on_answer(const Deposit& sent, const Answer& answer) const;
    Steps on_timer(std::string_view name) const;

    void evolve(const Started& event);
    void evolve(const Refused& event);
    void evolve(const DeadlinePassed&) { deadline_passed = true; }
    void evolve(const MoneyTaken&) { step = Step::depositing; }
    void evolve(const Completed&);
    void evolve(const ReturnBegun& event);
    void evolve(const ReturnRefused& event);
    void evolve(const Redirected& event);
    void evolve(const Compensated&);

  private:
    Steps on_return(const Answer& answer) const;
    Steps send_back(Steps so_far, std::string why) const;
};

}  // namespace bank::transfers
