// What is noted, what is too much, and when it is forgotten.
#include "watch.hpp"

#include <gtest/gtest.h>

#include "leftfold/process/testing.hpp"
#include "leftfold/projection/testing.hpp"

#include "alerts.hpp"

namespace bank::risk {
namespace {

using namespace std::chrono_literals;
using leftfold::given;
using leftfold::happened;

// When scenarios happen.
const Timestamp kNow = leftfold::parse_date("2024-01-01").value();
constexpr std::int64_t kVersion = 1;
constexpr std::chrono::microseconds kTick(1);

AlertRaised rapid(std::string reason, Money amount, std::int64_t withdrawals, Timestamp from, Timestamp to = kNow) {
    return {.rule = Rule::rapid_withdrawals,
            .reason = std::move(reason),
            .amount = amount,
            .limit = Money("80000.00"),
            .withdrawals = withdrawals,
            .from = from,
            .to = to,
            .account_version = kVersion};
}

AlertRaised passed(std::string reason, Money amount, Money deposit, Timestamp from) {
    return {.rule = Rule::pass_through,
            .reason = std::move(reason),
            .amount = amount,
            .limit = deposit,
            .withdrawals = 1,
            .from = from,
            .to = kNow,
            .account_version = kVersion};
}

TEST(Watch, hears_no_small_change) {
    given<Watch>().when(happened("a-1", Withdrawn{Money("9999.99")})).then_nothing();
    given<Watch>().when(happened("a-1", Deposited{Money("29999.99")})).then_nothing();
    given<Watch>().when(happened("a-1", Withdrawn{Money("10000.00")})).then(WithdrawalNoted{kNow, Money("10000.00")});
    given<Watch>().when(happened("a-1", Deposited{Money("30000.00")})).then(DepositNoted{kNow, Money("30000.00")});
}

TEST(RapidWithdrawals, are_more_than_the_limit_within_the_window) {
    const Timestamp first = kNow - std::chrono::days(7) + kTick;
    given<Watch>(WithdrawalNoted{first, Money("50000.00")})
        .when(happened("a-1", Withdrawn{Money("30000.00")}))
        .then(WithdrawalNoted{kNow, Money("30000.00")});
    given<Watch>(WithdrawalNoted{first, Money("50000.00")})
        .when(happened("a-1", Withdrawn{Money("30000.01")}))
        .then(WithdrawalNoted{kNow, Money("30000.01")},
              rapid("2 withdrawals within 7 days took 80000.01, more than 80000.00", Money("80000.01"), 2, first));
}

TEST(RapidWithdrawals, may_be_one) {
    given<Watch>()
        .when(happened("a-1", Withdrawn{Money("80000.01")}))
        .then(WithdrawalNoted{kNow, Money("80000.01")},
              rapid("one withdrawal took 80000.01, more than 80000.00", Money("80000.01"), 1, kNow));
}

TEST(RapidWithdrawals, are_not_those_that_left_the_window) {
    const Watch watch = given<Watch>(WithdrawalNoted{kNow - std::chrono::days(7), Money("50000.00")})
                            .when(happened("a-1", Withdrawn{Money("40000.00")}))
                            .then(WithdrawalNoted{kNow, Money("40000.00")})
                            .process();
    EXPECT_EQ(watch.withdrawals.size(), 1U);
}

// A trusted source tells of the past: the window ends with the newest, whatever the order in which it is told.
TEST(RapidWithdrawals, are_found_when_they_are_told_late) {
    const Timestamp later = kNow + std::chrono::days(2);
    given<Watch>(WithdrawalNoted{later, Money("50000.00")})
        .when(happened("a-1", Withdrawn{Money("40000.00")}))
        .then(
            WithdrawalNoted{kNow, Money("40000.00")},
            rapid("2 withdrawals within 7 days took 90000.00, more than 80000.00", Money("90000.00"), 2, kNow, later));
}

TEST(RapidWithdrawals, are_counted_once) {
    const Watch watch = given<Watch>(WithdrawalNoted{kNow, Money("80000.01")}, rapid("", Money("80000.01"), 1, kNow))
                            .when(happened("a-1", Withdrawn{Money("80000.00")}))
                            .then(WithdrawalNoted{kNow, Money("80000.00")})
                            .process();
    EXPECT_EQ(watch.alerts, 1);
}

TEST(RapidWithdrawals, sum_up_to_more_than_money_can_say) {
    const Money most("92233720368547758.07");
    given<Watch>(WithdrawalNoted{kNow, Money("80000.00")})
        .when(happened("a-1", Withdrawn{most}))
        .then(WithdrawalNoted{kNow, most},
              rapid("2 withdrawals within 7 days took 92233720368547758.07, more than 80000.00", most, 2, kNow));
}

TEST(PassThrough, is_nearly_the_same_again) {
    const Money deposit("40000.00");
    for (const Money amount : {Money("38000.00"), Money("40000.00"), Money("42000.00")})
        given<Watch>(DepositNoted{kNow, deposit})
            .when(happened("a-1", Withdrawn{amount}))
            .then(WithdrawalNoted{kNow, amount},
                  passed(amount.to_string() + " left within 3 days of a deposit of 40000.00: nearly the same", amount,
                         deposit, kNow));
    for (const Money amount : {Money("37999.99"), Money("42000.01")})
        given<Watch>(DepositNoted{kNow, deposit})
            .when(happened("a-1", Withdrawn{amount}))
            .then(WithdrawalNoted{kNow, amount});
}

TEST(PassThrough, is_soon_after_the_deposit_and_only_after) {
    const Money amount("40000.00");
    const Timestamp just_in = kNow - std::chrono::days(3) + kTick;
    given<Watch>(DepositNoted{just_in, amount})
        .when(happened("a-1", Withdrawn{amount}))
        .then(WithdrawalNoted{kNow, amount},
              passed("40000.00 left within 3 days of a deposit of 40000.00: nearly the same", amount, amount, just_in));
    for (const Timestamp out : {kNow - std::chrono::days(3), kNow + kTick})
        given<Watch>(DepositNoted{out, amount})
            .when(happened("a-1", Withdrawn{amount}))
            .then(WithdrawalNoted{kNow, amount});
}

TEST(PassThrough, is_counted_once) {
    const Money amount("30000.00");
    given<Watch>(DepositNoted{kNow, amount}, passed("", amount, amount, kNow))
        .when(happened("a-1", Withdrawn{amount}))
        .then(WithdrawalNoted{kNow, amount});
}

TEST(Review, takes_note_of_the_alerts_so_far) {
    given<Watch>().when(Review{"fine"}).then_rejected("nothing-to-review");
    const Watch watch = given<Watch>(rapid("", Money("80000.01"), 1, kNow))
                            .when(Review{"the owner has bought a house"})
                            .then(Reviewed{"the owner has bought a house"})
                            .process();
    EXPECT_EQ(watch.alerts, 1);
    EXPECT_EQ(watch.alerts_to_review, 0);
}

TEST(Alerts, have_a_row_each) {
    const AlertRaised alert = rapid("much", Money("80000.01"), 1, kNow - std::chrono::days(1));
    given<Alerts>(leftfold::event_at("a-1", WithdrawalNoted{kNow, Money("80000.01")}))
        .when(leftfold::event_at("a-1", alert))
        .then_rows<Alert>({{.account = "a-1",
                            .time = kNow,
                            .account_version = kVersion,
                            .rule = Rule::rapid_withdrawals,
                            .reason = "much",
                            .amount = Money("80000.01"),
                            .limit = Money("80000.00"),
                            .withdrawals = 1,
                            .from = kNow - std::chrono::days(1)}});
    leftfold::check_interleavings<Alerts>({leftfold::event_at("a-1", alert), leftfold::event_at("a-2", alert),
                                           leftfold::event_at("a-1", passed("", Money("1.00"), Money("1.00"), kNow)),
                                           leftfold::event_at("a-2", Reviewed{""})});
}

}  // namespace
}  // namespace bank::risk
