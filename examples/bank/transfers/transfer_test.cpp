// Every answer at every step: the money is in one place, and somebody knows where.
#include "transfer.hpp"

#include <gtest/gtest.h>

#include "leftfold/process/testing.hpp"

namespace bank::transfers {
namespace {

using namespace std::chrono_literals;
using leftfold::accepted;
using leftfold::answered;
using leftfold::cancels_timer;
using leftfold::failed;
using leftfold::given;
using leftfold::rejected;
using leftfold::sends;
using leftfold::sets_timer;
using leftfold::timer_due;

const Money kAmount("5.00");
const Start kStart{"a-1", "a-2", kAmount};
const Started kStarted{"a-1", "a-2", kAmount};
const Withdraw kWithdraw{kAmount};
const Deposit kDeposit{kAmount};
const auto kDeadline = sets_timer("deadline", 30s);

TEST(Start, withdraws_and_watches_the_time) {
    const Transfer transfer =
        given<Transfer>().when(kStart).then(kStarted, sends("a-1", kWithdraw), kDeadline).process();
    EXPECT_EQ(transfer.state, State::running);
    EXPECT_EQ(transfer.step, Step::withdrawing);
    EXPECT_EQ(transfer.from, "a-1");
    EXPECT_EQ(transfer.to, "a-2");
    EXPECT_EQ(transfer.amount, kAmount);
}

TEST(Start, says_the_currency_to_both_accounts) {
    const Withdraw withdraw{kAmount, "EUR"};
    given<Transfer>()
        .when(Start{"a-1", "a-2", kAmount, "EUR", 5})
        .then(Started{"a-1", "a-2", kAmount, "EUR"}, sends("a-1", withdraw), sets_timer("deadline", 5s));
    given<Transfer>(Started{"a-1", "a-2", kAmount, "EUR"})
        .when(answered(withdraw, accepted()))
        .then(MoneyTaken{}, sends("a-2", Deposit{kAmount, "EUR"}));
}

TEST(Start, is_refused_for_what_is_no_transfer) {
    given<Transfer>()
        .when(Start{"a-1", "a-1", kAmount})
        .then_rejected(leftfold::reject("same-account").with("account", std::string("a-1")));
    for (const Money amount : {Money("0.00"), Money("-0.01")})
        given<Transfer>()
            .when(Start{"a-1", "a-2", amount})
            .then_rejected(leftfold::reject("amount-not-positive").with("amount", amount));
    given<Transfer>().when(Start{"", "a-2", kAmount}).then_rejected("account-missing");
    given<Transfer>().when(Start{"a-1", "", kAmount}).then_rejected("account-missing");
}

TEST(Start, happens_once) {
    given<Transfer>(kStarted).when(kStart).then_rejected("transfer-already-started");
    given<Transfer>(kStarted, Refused{"account-not-open"}).when(kStart).then_rejected("transfer-already-started");
}

TEST(Withdrawal, accepted_goes_on_and_the_deadline_is_over) {
    given<Transfer>(kStarted, kDeadline)
        .when(answered(kWithdraw, accepted()))
        .then(MoneyTaken{}, cancels_timer("deadline"), sends("a-2", kDeposit));
}

TEST(Withdrawal, refused_ends_it_and_nothing_has_moved) {
    const Transfer transfer = given<Transfer>(kStarted, kDeadline)
                                  .when(answered(kWithdraw, rejected("insufficient-funds")))
                                  .then(Refused{"insufficient-funds"}, cancels_timer("deadline"))
                                  .process();
    EXPECT_EQ(transfer.state, State::refused);
    EXPECT_EQ(transfer.reason, "insufficient-funds");
    given<Transfer>(kStarted, kDeadline)
        .when(answered(kWithdraw, failed("no such command")))
        .then(Refused{"no such command"}, cancels_timer("deadline"));
}

TEST(Deposit, accepted_completes) {
    const Transfer transfer =
        given<Transfer>(kStarted, MoneyTaken{}).when(answered(kDeposit, accepted())).then(Completed{}).process();
    EXPECT_EQ(transfer.state, State::completed);
    EXPECT_EQ(transfer.reason, std::nullopt);
}

TEST(Deposit, refused_sends_the_money_back) {
    const Transfer transfer = given<Transfer>(kStarted, MoneyTaken{})
                                  .when(answered(kDeposit, rejected("account-not-open")))
                                  .then(ReturnBegun{"account-not-open"}, sends("a-1", kDeposit))
                                  .process();
    EXPECT_EQ(transfer.state, State::running);
    EXPECT_EQ(transfer.reason, "account-not-open");
    given<Transfer>(kStarted, MoneyTaken{})
        .when(answered(kDeposit, failed("no such command")))
        .then(ReturnBegun{"no such command"}, sends("a-1", kDeposit));
}

TEST(Return, accepted_compensates) {
    const Transfer transfer = given<Transfer>(kStarted, MoneyTaken{}, ReturnBegun{"account-not-open"})
                                  .when(answered(kDeposit, accepted()))
                                  .then(Compensated{})
                                  .process();
    EXPECT_EQ(transfer.state, State::compensated);
    EXPECT_EQ(transfer.reason, "account-not-open");
}

TEST(Return, refused_is_there_to_see_and_tried_again_later_and_later) {
    const Transfer transfer = given<Transfer>(kStarted, MoneyTaken{}, ReturnBegun{"account-not-open"})
                                  .when(answered(kDeposit, rejected("account-not-open")))
                                  .then(ReturnRefused{"account-not-open"}, sets_timer("return-again", 1min))
                                  .process();
    EXPECT_EQ(transfer.state, State::running);
    EXPECT_EQ(transfer.step, Step::return_refused);
    EXPECT_EQ(transfer.returns_refused, 1);
    EXPECT_EQ(transfer.return_refused_reason, "account-not-open");

    const ReturnBegun begun{"balance-too-large"};
    const ReturnRefused refused{"account-not-open"};
    given<Transfer>(kStarted, MoneyTaken{}, begun, refused)
        .when(timer_due("return-again"))
        .then(begun, sends("a-1", kDeposit));
    given<Transfer>(kStarted, MoneyTaken{}, begun, refused, begun)
        .when(answered(kDeposit, rejected("account-not-open")))
        .then(refused, sets_timer("return-again", 2min));
    given<Transfer>(kStarted, MoneyTaken{}, begun, refused, refused, refused, refused, refused, refused, refused, begun)
        .when(answered(kDeposit, rejected("account-not-open")))
        .then(refused, sets_timer("return-again", 64min));
}

TEST(Return, goes_elsewhere_when_somebody_says_so) {
    const ReturnBegun begun{"account-not-open"};
    const ReturnRefused refused{"account-not-open"};
    const Redirected redirected{"a-3"};
    const Transfer transfer = given<Transfer>(kStarted, MoneyTaken{}, begun, refused, sets_timer("return-again", 1min))
                                  .when(ReturnTo{"a-3"})
                                  .then(redirected, cancels_timer("return-again"), sends("a-3", kDeposit))
                                  .process();
    EXPECT_EQ(transfer.returned_to, "a-3");
    // Refused there, too: tried again there.
    given<Transfer>(kStarted, MoneyTaken{}, begun, refused, redirected, refused)
        .when(timer_due("return-again"))
        .then(begun, sends("a-3", kDeposit));
    given<Transfer>(kStarted, MoneyTaken{}, begun, refused).when(ReturnTo{""}).then_rejected("account-missing");
}

// Else the same money would be on its way twice.
TEST(Return, goes_nowhere_else_while_a_deposit_is_on_its_way) {
    const ReturnBegun begun{"account-not-open"};
    given<Transfer>().when(ReturnTo{"a-3"}).then_rejected("nothing-to-return");
    given<Transfer>(kStarted).when(ReturnTo{"a-3"}).then_rejected("nothing-to-return");
    given<Transfer>(kStarted, MoneyTaken{}).when(ReturnTo{"a-3"}).then_rejected("nothing-to-return");
    given<Transfer>(kStarted, MoneyTaken{}, begun).when(ReturnTo{"a-3"}).then_rejected("nothing-to-return");
    given<Transfer>(kStarted, MoneyTaken{}, begun, ReturnRefused{"x"}, Redirected{"a-3"})
        .when(ReturnTo{"a-4"})
        .then_rejected("nothing-to-return");
    given<Transfer>(kStarted, MoneyTaken{}, begun, Compensated{})
        .when(ReturnTo{"a-3"})
        .then_rejected("nothing-to-return");
    given<Transfer>(kStarted, MoneyTaken{}, Completed{}).when(ReturnTo{"a-3"}).then_rejected("nothing-to-return");
}

TEST(Deadline, decides_nothing_while_the_withdrawal_is_on_its_way) {
    const Transfer transfer = given<Transfer>(kStarted).when(timer_due("deadline")).then(DeadlinePassed{}).process();
    EXPECT_EQ(transfer.state, State::running);
    EXPECT_TRUE(transfer.deadline_passed);
}

TEST(Deadline, passed_sends_back_what_was_taken_too_late) {
    given<Transfer>(kStarted, DeadlinePassed{})
        .when(answered(kWithdraw, accepted()))
        .then(MoneyTaken{}, ReturnBegun{"deadline-passed"}, sends("a-1", kDeposit));
    given<Transfer>(kStarted, DeadlinePassed{})
        .when(answered(kWithdraw, rejected("insufficient-funds")))
        .then(Refused{"insufficient-funds"});
}

// The deposit may have arrived: only its answer can tell.
TEST(Deadline, does_not_compensate_a_deposit_that_is_on_its_way) {
    given<Transfer>(kStarted, MoneyTaken{}).when(timer_due("deadline")).then_nothing();
}

}  // namespace
}  // namespace bank::transfers
