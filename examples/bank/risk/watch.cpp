#include "watch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>

namespace bank::risk {

using leftfold::reject;

namespace {

using namespace std::chrono_literals;

constexpr Money kWithdrawalNoted("10000.00");
constexpr Money kWithdrawnMost("80000.00");
constexpr std::chrono::days kWithdrawalWindow(7);

constexpr Money kDepositNoted("30000.00");
constexpr std::chrono::days kPassThroughWindow(3);
constexpr std::int64_t kNearlyPart = 20;  // a twentieth: 5 %

std::string text(Money amount) {
    return amount.to_string();
}

// Of what was noted with this one: what is within the window that ends with the newest.
std::vector<Movement> window_with(const std::vector<Movement>& noted, const Movement& movement) {
    std::vector<Movement> window = noted;
    window.push_back(movement);
    const Timestamp newest = std::ranges::max(window, {}, &Movement::at).at;
    std::erase_if(window, [&](const Movement& each) { return each.at <= newest - kWithdrawalWindow; });
    return window;
}

std::optional<AlertRaised> rapid_withdrawals(const std::vector<Movement>& noted, const Movement& movement) {
    const std::vector<Movement> window = window_with(noted, movement);
    std::int64_t sum = 0;
    for (const Movement& each : window)
        sum += std::min(each.amount.minor(), std::numeric_limits<std::int64_t>::max() - sum);
    if (sum <= kWithdrawnMost.minor())
        return std::nullopt;
    const Money total = Money::from_minor(sum);
    const auto count = static_cast<std::int64_t>(window.size());
    return AlertRaised{
        .rule = Rule::rapid_withdrawals,
        .reason = (count == 1 ? "one withdrawal" : std::to_string(count) + " withdrawals within 7 days") + " took " +
                  text(total) + ", more than " + text(kWithdrawnMost),
        .amount = total,
        .limit = kWithdrawnMost,
        .withdrawals = count,
        .from = std::ranges::min(window, {}, &Movement::at).at,
        .to = std::ranges::max(window, {}, &Movement::at).at,
    };
}

std::optional<AlertRaised> pass_through(const std::optional<Movement>& deposit, const Movement& movement) {
    if (!deposit || movement.at < deposit->at || movement.at >= deposit->at + kPassThroughWindow)
        return std::nullopt;
    const std::int64_t difference = std::abs(movement.amount.minor() - deposit->amount.minor());
    if (difference > deposit->amount.minor() / kNearlyPart)
        return std::nullopt;
    return AlertRaised{
        .rule = Rule::pass_through,
        .reason = text(movement.amount) + " left within 3 days of a deposit of " + text(deposit->amount) +
                  ": nearly the same",
        .amount = movement.amount,
        .limit = deposit->amount,
        .withdrawals = 1,
        .from = deposit->at,
        .to = movement.at,
    };
}

}  // namespace

std::optional<std::string> Watch::instance(const Deposited& event, const EventContext& context) {
    return event.amount < kDepositNoted ? std::nullopt : std::optional(std::string(context.key));
}

std::optional<std::string> Watch::instance(const Withdrawn& event, const EventContext& context) {
    return event.amount < kWithdrawalNoted ? std::nullopt : std::optional(std::string(context.key));
}

Watch::Steps Watch::on_event(const Deposited& event, const EventContext& context) const {
    return DepositNoted{context.time, event.amount};
}

Watch::Steps Watch::on_event(const Withdrawn& event, const EventContext& context) const {
    const Movement movement{context.time, event.amount};
    Steps steps{WithdrawalNoted{movement.at, movement.amount}};
    for (auto alert : {rapid_withdrawals(withdrawals, movement), pass_through(deposit, movement)}) {
        if (!alert)
            continue;
        alert->account_version = context.version.value();
        steps.event(*std::move(alert));
    }
    return steps;
}

ProcessDecision<Watch> Watch::decide(const Review& command) const {
    if (alerts_to_review == 0)
        return reject("nothing-to-review");
    return Reviewed{command.note};
}

void Watch::evolve(const WithdrawalNoted& event) {
    withdrawals = window_with(withdrawals, {event.at, event.amount});
}

void Watch::evolve(const AlertRaised& event) {
    ++alerts;
    ++alerts_to_review;
    if (event.rule == Rule::rapid_withdrawals)
        withdrawals.clear();
    else
        deposit.reset();
}

}  // namespace bank::risk
