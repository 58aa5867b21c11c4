#include "transfer.hpp"

#include <algorithm>
#include <chrono>

namespace bank::transfers {

using leftfold::reject;

namespace {

constexpr std::string_view kDeadline = "deadline";
constexpr std::string_view kReturnAgain = "return-again";
constexpr std::chrono::seconds kDeadlineAfter(30);
constexpr std::chrono::minutes kReturnAgainFirst(1);  // doubles
constexpr std::int64_t kDoublingsMax = 6;

std::string reason_of(const Answer& answer) {
    return answer.failed() ? answer.failure : std::string(answer.reason());
}

}  // namespace

ProcessDecision<Transfer> Transfer::decide(const Start& command) const {
    if (step != Step::none)
        return reject("transfer-already-started");
    if (command.from.empty() || command.to.empty())
        return reject("account-missing");
    if (command.from == command.to)
        return reject("same-account").with("account", command.from);
    if (command.amount <= Money())
        return reject("amount-not-positive").with("amount", command.amount);
    const std::chrono::seconds deadline =
        command.deadline_seconds ? std::chrono::seconds(command.deadline_seconds->value()) : kDeadlineAfter;
    return Steps(Started{command.from, command.to, command.amount, command.currency})
        .send(command.from, Withdraw{command.amount, command.currency})
        .timer(kDeadline, deadline);
}

// Only while no deposit is on its way: two of them could both arrive.
ProcessDecision<Transfer> Transfer::decide(const ReturnTo& command) const {
    if (step != Step::return_refused)
        return reject("nothing-to-return");
    if (command.account.empty())
        return reject("account-missing");
    return Steps(Redirected{command.account})
        .cancel_timer(kReturnAgain)
        .send(command.account, Deposit{amount, currency});
}

Transfer::Steps Transfer::on_answer(const Withdraw&, const Answer& answer) const {
    if (!answer.accepted())
        return Steps(Refused{reason_of(answer)}).cancel_timer(kDeadline);
    if (deadline_passed)
        return send_back(Steps(MoneyTaken{}), std::string("deadline-passed"));
    return Steps(MoneyTaken{}).cancel_timer(kDeadline).send(to, Deposit{amount, currency});
}

// On the way there or back.
Transfer::Steps Transfer::on_answer(const Deposit&, const Answer& answer) const {
    if (step == Step::returning)
        return on_return(answer);
    if (answer.accepted())
        return Completed{};
    return send_back(Steps(), reason_of(answer));
}

Transfer::Steps Transfer::on_return(const Answer& answer) const {
    if (answer.accepted())
        return Compensated{};
    return Steps(ReturnRefused{reason_of(answer)})
        .timer(kReturnAgain, kReturnAgainFirst * (std::int64_t{1} << std::min(returns_refused, kDoublingsMax)));
}

Transfer::Steps Transfer::on_timer(std::string_view name) const {
    if (name == kReturnAgain)
        return send_back(Steps(), reason.value_or(""));
    return step == Step::withdrawing ? Steps(DeadlinePassed{}) : Steps::nothing();
}

Transfer::Steps Transfer::send_back(Steps so_far, std::string why) const {
    so_far.event(ReturnBegun{std::move(why)}).send(returned_to.value_or(from), Deposit{amount, currency});
    return so_far;
}

void Transfer::evolve(const Started& event) {
    step = Step::withdrawing;
    from = event.from;
    to = event.to;
    amount = event.amount;
    currency = event.currency;
}

void Transfer::evolve(const Refused& event) {
    state = State::refused;
    step = Step::done;
    reason = event.reason;
}

void Transfer::evolve(const Completed&) {
    state = State::completed;
    step = Step::done;
}

void Transfer::evolve(const ReturnBegun& event) {
    step = Step::returning;
    reason = event.reason;
}

void Transfer::evolve(const ReturnRefused& event) {
    step = Step::return_refused;
    return_refused_reason = event.reason;
    ++returns_refused;
}

void Transfer::evolve(const Redirected& event) {
    step = Step::returning;
    returned_to = event.account;
}

void Transfer::evolve(const Compensated&) {
    state = State::compensated;
    step = Step::done;
}

}  // namespace bank::transfers
