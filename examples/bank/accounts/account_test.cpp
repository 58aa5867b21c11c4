// Every rule of the account.
#include "account.hpp"

#include <gtest/gtest.h>

#include "leftfold/aggregate/testing.hpp"

namespace bank {
namespace {

using leftfold::given;

const Opened kOpened{"Ada", "CZK", Money("100.00")};
const Open kOpen{"Ada", "CZK", Money("100.00"), Money("0.00")};

TEST(Open, makes_an_account) {
    const Account account = given<Account>().when(kOpen).then(kOpened).aggregate();
    EXPECT_TRUE(account.open);
    EXPECT_EQ(account.owner, "Ada");
    EXPECT_EQ(account.currency, "CZK");
    EXPECT_EQ(account.balance, Money("0.00"));
    EXPECT_EQ(account.overdraft_limit, Money("100.00"));
}

TEST(Open, brings_the_opening_deposit) {
    Open open = kOpen;
    open.opening_deposit = Money("7.00");
    EXPECT_EQ(given<Account>().when(open).then(kOpened, Deposited{Money("7.00")}).aggregate().balance, Money("7.00"));
}

TEST(Open, happens_once) {
    given<Account>(kOpened).when(kOpen).then_rejected("account-already-open");
    given<Account>(kOpened, Closed{}).when(kOpen).then_rejected("account-closed");
}

TEST(Open, takes_a_currency_of_three_capitals) {
    for (const char* currency : {"", "CZ", "CZKK", "czk", "C1K"}) {
        Open open = kOpen;
        open.currency = currency;
        given<Account>().when(open).then_rejected(
            leftfold::reject("currency-unknown").with("currency", std::string(currency)));
    }
}

TEST(Open, takes_no_negative_amounts) {
    Open open = kOpen;
    open.overdraft_limit = Money("-0.01");
    given<Account>().when(open).then_rejected("overdraft-limit-negative");
    open = kOpen;
    open.opening_deposit = Money("-0.01");
    given<Account>().when(open).then_rejected("amount-negative");
}

TEST(Deposit, adds_to_the_balance) {
    EXPECT_EQ(given<Account>(kOpened, Deposited{Money("1.00")})
                  .when(Deposit{Money("2.50")})
                  .then(Deposited{Money("2.50")})
                  .aggregate()
                  .balance,
              Money("3.50"));
}

TEST(Deposit, needs_an_open_account) {
    given<Account>().when(Deposit{Money("1.00")}).then_rejected("account-not-open");
    given<Account>(kOpened, Closed{}).when(Deposit{Money("1.00")}).then_rejected("account-not-open");
}

TEST(Deposit, is_more_than_nothing) {
    given<Account>(kOpened).when(Deposit{Money("0.00")}).then_rejected("amount-not-positive");
    given<Account>(kOpened).when(Deposit{Money("-1.00")}).then_rejected("amount-not-positive");
    given<Account>(kOpened).when(Deposit{Money("0.01")}).then(Deposited{Money("0.01")});
}

TEST(Deposit, is_in_the_currency_of_the_account) {
    given<Account>(kOpened).when(Deposit{Money("1.00"), "CZK"}).then(Deposited{Money("1.00")});
    given<Account>(kOpened)
        .when(Deposit{Money("1.00"), "EUR"})
        .then_rejected(leftfold::reject("currency-mismatch").with("currency", std::string("CZK")));
}

TEST(Deposit, stops_where_money_ends) {
    const Money most("92233720368547758.07");
    given<Account>(kOpened, Deposited{most}).when(Deposit{Money("0.01")}).then_rejected("balance-too-large");
    given<Account>(kOpened).when(Deposit{most}).then(Deposited{most});
}

TEST(Withdraw, takes_from_the_balance_down_to_the_limit) {
    EXPECT_EQ(given<Account>(kOpened, Deposited{Money("5.00")})
                  .when(Withdraw{Money("105.00")})
                  .then(Withdrawn{Money("105.00")})
                  .aggregate()
                  .balance,
              Money("-100.00"));
    given<Account>(kOpened, Deposited{Money("5.00")})
        .when(Withdraw{Money("105.01")})
        .then_rejected(leftfold::reject("insufficient-funds")
                           .with("balance", Money("5.00"))
                           .with("overdraft_limit", Money("100.00")));
}

TEST(Withdraw, needs_an_open_account) {
    given<Account>().when(Withdraw{Money("1.00")}).then_rejected("account-not-open");
    given<Account>(kOpened, Closed{}).when(Withdraw{Money("1.00")}).then_rejected("account-not-open");
}

TEST(Withdraw, is_more_than_nothing) {
    given<Account>(kOpened).when(Withdraw{Money("0.00")}).then_rejected("amount-not-positive");
    given<Account>(kOpened).when(Withdraw{Money("-1.00")}).then_rejected("amount-not-positive");
}

TEST(Withdraw, is_in_the_currency_of_the_account) {
    given<Account>(kOpened).when(Withdraw{Money("1.00"), "CZK"}).then(Withdrawn{Money("1.00")});
    given<Account>(kOpened)
        .when(Withdraw{Money("1.00"), "EUR"})
        .then_rejected(leftfold::reject("currency-mismatch").with("currency", std::string("CZK")));
}

TEST(Close, ends_an_empty_account) {
    const Account account = given<Account>(kOpened, Deposited{Money("1.00")}, Withdrawn{Money("1.00")})
                                .when(Close{})
                                .then(Closed{})
                                .aggregate();
    EXPECT_FALSE(account.open);
    EXPECT_TRUE(account.closed);
}

TEST(Close, needs_an_open_and_empty_account) {
    given<Account>().when(Close{}).then_rejected("account-not-open");
    given<Account>(kOpened, Deposited{Money("1.00")}).when(Close{}).then_rejected("balance-not-zero");
    given<Account>(kOpened, Withdrawn{Money("1.00")}).when(Close{}).then_rejected("balance-not-zero");
}

}  // namespace
}  // namespace bank
