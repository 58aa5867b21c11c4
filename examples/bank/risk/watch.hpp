// Watches the money of one account over a window of business time. Times are when things happened, not when the log
// took them, so that the alerts of a history are the same whenever it is imported.
//
//   rapid withdrawals   those of at least 10,000.00 sum up to more than 80,000.00 within 7 days
//   pass-through        within 3 days of a deposit of at least 30,000.00, nearly the same leaves: within 5 % of it
//
// What an alert counted, no later alert counts again. So at most eight withdrawals and one deposit are remembered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "accounts/events.hpp"
#include "events.hpp"

namespace bank::risk {

using leftfold::EventContext;
using leftfold::ProcessDecision;

// Somebody has looked at the alerts of this account.
struct Review {
    std::string note;
};

struct Movement {
    Timestamp at;
    Money amount;
};

struct Watch {
    using Command = std::variant<Review>;
    using Event = RiskEvents::Event;
    using Inputs = leftfold::ReadsFrom<AccountEvents>;
    using Steps = leftfold::Steps<Watch>;

    std::vector<Movement> withdrawals;  // of the last 7 days before the newest
    std::optional<Movement> deposit;    // the last large one
    std::int64_t alerts = 0;
    std::int64_t alerts_to_review = 0;

    // Small change is not heard at all.
    static std::optional<std::string> instance(const Deposited& event, const EventContext& context);
    static std::optional<std::string> instance(const Withdrawn& event, const EventContext& context);

    Steps on_event(const Deposited& event, const EventContext& context) const;
    Steps on_event(const Withdrawn& event, const EventContext& context) const;
    ProcessDecision<Watch> decide(const Review& command) const;

    void evolve(const WithdrawalNoted& event);
    void evolve(const DepositNoted& event) { deposit = Movement{event.at, event.amount}; }
    void evolve(const AlertRaised& event);
    void evolve(const Reviewed&) { alerts_to_review = 0; }
};

}  // namespace bank::risk
