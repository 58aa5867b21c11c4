// What each event does to the tables, and that it does not matter which account's events come first.
#include "projections.hpp"

#include <gtest/gtest.h>

#include "leftfold/projection/testing.hpp"

namespace bank {
namespace {

using leftfold::check_interleavings;
using leftfold::event_at;
using leftfold::EventFor;
using leftfold::given;
using leftfold::Timestamp;

const Opened kOpened{"Ada", "CZK", Money("100.00")};

Timestamp on(std::string_view date) {
    return leftfold::parse_date(date).value();
}

// A few accounts over two months; days and amounts meet again.
template <class Projection>
std::vector<EventFor<Projection>> histories() {
    std::vector<EventFor<Projection>> events;
    for (const char* account : {"a-1", "a-2", "a-3", "a-4"}) {
        if constexpr (std::same_as<Projection, Balances>)
            events.push_back(event_at(account, kOpened).at(on("1993-05-30")));
        for (const char* day : {"1993-05-30", "1993-05-31", "1993-06-01"}) {
            events.push_back(event_at(account, Deposited{Money("7.25")}).at(on(day)));
            events.push_back(event_at(account, Withdrawn{Money("3.10")}).at(on(day)));
        }
        if constexpr (std::same_as<Projection, Balances>)
            events.push_back(event_at(account, Closed{}).at(on("1993-06-02")));
    }
    return events;
}

TEST(Balances, show_what_is_there) {
    given<Balances>(event_at("a-1", kOpened), event_at("a-1", Deposited{Money("5.00")}), event_at("a-2", kOpened))
        .when(event_at("a-1", Withdrawn{Money("7.50")}))
        .then_rows<Balance>({{.account = "a-1",
                              .owner = "Ada",
                              .currency = "CZK",
                              .balance = Money("-2.50"),
                              .open = true,
                              .version = 3},
                             {.account = "a-2",
                              .owner = "Ada",
                              .currency = "CZK",
                              .balance = Money("0.00"),
                              .open = true,
                              .version = 1}});
}

TEST(Balances, keep_closed_accounts) {
    given<Balances>(event_at("a-1", kOpened))
        .when(event_at("a-1", Closed{}))
        .then_rows<Balance>({{.account = "a-1",
                              .owner = "Ada",
                              .currency = "CZK",
                              .balance = Money("0.00"),
                              .open = false,
                              .version = 2}});
}

TEST(Statements, have_a_line_for_each_movement_with_the_balance_behind_it) {
    given<Statements>(event_at("a-1", kOpened).at(on("1993-05-30")),
                      event_at("a-1", Deposited{Money("5.00")}).at(on("1993-05-31")))
        .when(event_at("a-1", Withdrawn{Money("1.50")}).at(on("1993-06-01")))
        .then_rows<StatementLine>({{.account = "a-1",
                                    .month = "1993-05",
                                    .version = 2,
                                    .time = on("1993-05-31"),
                                    .amount = Money("5.00"),
                                    .balance = Money("5.00")},
                                   {.account = "a-1",
                                    .month = "1993-06",
                                    .version = 3,
                                    .time = on("1993-06-01"),
                                    .amount = Money("-1.50"),
                                    .balance = Money("3.50")}});
}

// What happened earlier may be told later: the line is in its month, and the balance is that of its place in the order.
TEST(Statements, put_a_late_line_into_the_month_in_which_it_happened) {
    given<Statements>(event_at("a-1", Deposited{Money("5.00")}).at(on("1993-06-01")))
        .when(event_at("a-1", Deposited{Money("2.00")}).at(on("1993-05-31")))
        .then_rows<StatementLine>({{.account = "a-1",
                                    .month = "1993-05",
                                    .version = 2,
                                    .time = on("1993-05-31"),
                                    .amount = Money("2.00"),
                                    .balance = Money("7.00")},
                                   {.account = "a-1",
                                    .month = "1993-06",
                                    .version = 1,
                                    .time = on("1993-06-01"),
                                    .amount = Money("5.00"),
                                    .balance = Money("5.00")}});
}

TEST(DailyTurnovers, sum_up_the_days_of_all_accounts) {
    given<DailyTurnovers>(event_at("a-1", Deposited{Money("5.00")}).at(on("1993-05-31")),
                          event_at("a-2", Deposited{Money("2.00")}).at(on("1993-05-31")))
        .when(event_at("a-2", Withdrawn{Money("1.00")}).at(on("1993-05-31")),
              event_at("a-1", Withdrawn{Money("4.00")}).at(on("1993-06-01")))
        .then_rows<DailyTurnover>({{.day = "1993-05-31",
                                    .deposits = 2,
                                    .deposited = Money("7.00"),
                                    .withdrawals = 1,
                                    .withdrawn = Money("1.00")},
                                   {.day = "1993-06-01",
                                    .deposits = 0,
                                    .deposited = Money("0.00"),
                                    .withdrawals = 1,
                                    .withdrawn = Money("4.00")}});
}

TEST(Rows, are_the_same_whichever_account_comes_first) {
    check_interleavings<Balances>(histories<Balances>(), {.seed = 7});
    check_interleavings<Statements>(histories<Statements>(), {.seed = 7});
    check_interleavings<DailyTurnovers>(histories<DailyTurnovers>(), {.seed = 7});
}

// The last deposit of a day: a row of several accounts that depends on which comes last.
struct LastDeposit {
    leftfold::Key<std::string> day;
    Money amount;
};
struct LastDeposits {
    using Events = leftfold::ReadsFrom<AccountEvents>;
    using Tables = std::tuple<LastDeposit>;
    static constexpr std::uint32_t version = 1;

    void on(const Deposited& event, const EventMeta& meta, Rows<LastDeposit>& days) const {
        days[leftfold::to_rfc3339(meta.time)].amount = event.amount;
    }
};

TEST(Planted, row_of_several_accounts_that_does_not_commute_is_found) {
    const std::vector<EventFor<LastDeposits>> events{event_at("a-1", Deposited{Money("1.00")}).at(on("1993-05-31")),
                                                     event_at("a-2", Deposited{Money("2.00")}).at(on("1993-05-31"))};
    EXPECT_THROW(check_interleavings<LastDeposits>(events, {.seed = 7}), leftfold::ScenarioFailed);
}

}  // namespace
}  // namespace bank
