#include "leftfold/projection/testing.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/bank.hpp"

namespace leftfold {
namespace {

using testing::Balance;
using testing::Balances;
using testing::Broken;
using testing::Closed;
using testing::Deposited;
using ::testing::HasSubstr;
using testing::Lent;
using testing::LoanEvents;
using testing::Opened;
using testing::Statement;
using testing::Withdrawn;

template <class Story>
std::string failure_of(const Story& story) {
    try {
        story();
    } catch (const ScenarioFailed& failed) {
        return failed.what();
    }
    return "";
}

TEST(ProjectionScenario, passes_what_is_as_expected) {
    given<Balances>().then_rows<Balance>({});
    const Timestamp time = *parse_rfc3339("1993-05-31T12:00:00Z");
    given<Balances>(event_at("a", Opened{"Jana"}), event_at("b", Deposited{Money("2.00")}).at(time))
        .when(event_at("a", Deposited{Money("5.00")}).at(time).by("teller"), event_at("a", Withdrawn{Money("1.00")}))
        .then_rows<Balance>({{"b", Money("2.00"), "", 1}, {"a", Money("4.00"), "Jana", 2}})
        .then_rows<Statement>({{"a", 2, time, "1993-05", Money("5.00")},
                               {"a", 3, *parse_date("2024-01-01"), "2024-01", Money("-1.00")},
                               {"b", 1, time, "1993-05", Money("2.00")}});
    EXPECT_EQ(given<Balances>(event_at("l", Lent{"a", Money("9.00")})).rows<Balance>(),
              (std::vector<Balance>{{"a", Money("9.00"), "", 0}}));
}

TEST(ProjectionScenario, event_of_several_streams_needs_its_stream) {
    EXPECT_THAT(failure_of([] { (void)given<Balances>(event_at("a", Closed{})); }), HasSubstr("event_at<Stream>"));
    (void)given<Balances>(event_at<LoanEvents>("a", Closed{}));
}

TEST(ProjectionScenario, tells_the_whole_story_of_other_rows) {
    EXPECT_EQ(failure_of([] {
                  given<Balances>(event_at("a", Opened{"Jana"}))
                      .when(event_at("l", Lent{"a", Money("5.00")}))
                      .then_rows<Balance>({{"a", Money("4.00"), "Jana", 0}});
              }),
              R"(not as expected:
given
  account 'a' opened {"owner":"Jana"}
when
  loan 'l' lent {"account":"a","amount":"5.00"}
then expected
  balance {"account":"a","balance":"4.00","owner":"Jana","changes":0}
but was
  balance {"account":"a","balance":"5.00","owner":"Jana","changes":0}
)");
    EXPECT_THAT(failure_of([] { given<Balances>(event_at("a", Opened{"Jana"})).then_rows<Balance>({}); }),
                HasSubstr("then expected\n  no balance\nbut was\n  balance {"));
    EXPECT_THAT(failure_of([] { (void)given<Balances>(event_at("a", Broken{"standard"})); }),
                HasSubstr("account 'a' broken {\"how\":\"standard\"}\nprojection 'projection': on() threw"));
}

// Folds that commute, of one key's events or by sums, and some that do not.
struct Total {
    Key<std::string> name;
    Money amount;
    std::int64_t count = 0;
    std::string last;
};
struct Totals {
    using Events = ReadsFrom<testing::AccountEvents, LoanEvents>;
    using Tables = std::tuple<Total>;
    static constexpr std::uint32_t version = 1;

    void on(const Deposited& event, const EventMeta& meta, Rows<Total>& rows) const {
        rows["all"].amount += event.amount;
        rows[meta.key].last = event.amount.to_string();
        ++rows[meta.key].count;
    }
    void on(const Lent& event, Rows<Total>& rows) const { rows["all"].amount += event.amount; }
};
struct LastWins : Totals {
    using Totals::on;
    void on(const Withdrawn&, const EventMeta& meta, Rows<Total>& rows) const { rows["all"].last = meta.key; }
};
struct Capped : Totals {
    using Totals::on;
    void on(const Withdrawn& event, Rows<Total>& rows) const {
        if (rows["all"].amount < event.amount)
            throw std::runtime_error("more than there is");
        rows["all"].amount -= event.amount;
    }
};
int events_of_this_process = 0;
struct Impure : Totals {
    using Totals::on;
    void on(const Withdrawn&, const EventMeta& meta, Rows<Total>& rows) const {
        if (rows.find(meta.key) == nullptr || rows.is_full())  // whatever it should not ask
            rows[meta.key].count = ++events_of_this_process;
    }
};

template <class P>
std::vector<EventFor<P>> deposits(int keys, int each) {
    std::vector<EventFor<P>> events;
    for (int i = 0; i < each; ++i) {
        for (int key = 0; key < keys; ++key) {
            events.push_back(event_at("acc-" + std::to_string(key), Deposited{Money::from_minor(i * 10 + key)}));
            events.push_back(event_at("loan-" + std::to_string(key), Lent{"x", Money::from_minor(i)}));
        }
    }
    return events;
}

TEST(Interleavings, fold_that_commutes_passes) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed)
        check_interleavings<Totals>(deposits<Totals>(5, 6), {.seed = seed});
    check_interleavings<Balances>(deposits<Balances>(4, 4));
    check_interleavings<Totals>({});
    check_interleavings<Totals>({event_at("a", Deposited{Money("1.00")})});
}

TEST(Planted, fold_that_does_not_commute_is_found_with_the_two_events) {
    auto events = deposits<LastWins>(3, 3);
    events.insert(events.begin() + 2, event_at("acc-0", Withdrawn{Money("1.00")}));
    events.insert(events.begin() + 9, event_at("acc-2", Withdrawn{Money("2.00")}));
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const std::string failure = failure_of([&] { check_interleavings<LastWins>(events, {.seed = seed}); });
        EXPECT_THAT(failure, HasSubstr("row (\"all\") of table 'total'\n  is      {\"name\":\"all\""));
        EXPECT_THAT(failure, HasSubstr("\"last\":\"acc-2\"}\n  or      "));
        EXPECT_THAT(failure, HasSubstr("depending on which of these two comes first\n"
                                       "  account 'acc-0' withdrawn {\"amount\":\"1.00\"}\n"
                                       "  account 'acc-2' withdrawn {\"amount\":\"2.00\"}\n"));
        EXPECT_THAT(failure, HasSubstr("(seed " + std::to_string(seed) + ", order "));
    }
}

TEST(Planted, handler_that_throws_in_another_order_is_found) {
    const std::string failure = failure_of([] {
        check_interleavings<Capped>(
            {event_at("acc-1", Deposited{Money("5.00")}), event_at("acc-2", Withdrawn{Money("5.00")})});
    });
    EXPECT_THAT(failure, HasSubstr("  then    it folds\n  but     projection 'projection': on() threw for "
                                   "test.account.withdrawn at version 1 of 'acc-2'"));
    EXPECT_THAT(failure, HasSubstr("  account 'acc-1' deposited {\"amount\":\"5.00\"}\n"
                                   "  account 'acc-2' withdrawn {\"amount\":\"5.00\"}\n"));
}

TEST(Planted, handler_with_a_memory_of_its_own_is_found) {
    events_of_this_process = 0;
    EXPECT_NE(failure_of([] {
                  check_interleavings<Impure>(
                      {event_at("acc-1", Withdrawn{Money("5.00")}), event_at("acc-2", Withdrawn{Money("5.00")})});
              }),
              "");
}

TEST(Interleavings, events_that_do_not_fold_as_given_are_told) {
    EXPECT_THAT(failure_of([] { check_interleavings<Capped>({event_at("a", Withdrawn{Money("5.00")})}); }),
                HasSubstr("do not fold in the order as given: projection 'projection': on() threw"));
}

// Found by a few orders, told in a moment: the two events are looked for by halving.
TEST(Planted, two_events_among_many_are_found) {
    auto events = deposits<LastWins>(40, 4);
    events.insert(events.begin() + 20, event_at("acc-0", Withdrawn{Money("1.00")}));
    events.insert(events.begin() + 200, event_at("acc-2", Withdrawn{Money("2.00")}));
    EXPECT_THAT(failure_of([&] { check_interleavings<LastWins>(events); }),
                HasSubstr("  account 'acc-0' withdrawn {\"amount\":\"1.00\"}\n"
                          "  account 'acc-2' withdrawn {\"amount\":\"2.00\"}\n"));
}

}  // namespace
}  // namespace leftfold
