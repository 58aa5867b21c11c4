#include "leftfold/aggregate/decision.hpp"

#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "leftfold/event/decimal.hpp"

namespace leftfold {
namespace {

struct Left {
    int number = 0;
};
struct Right {
    std::string text;
};
using Event = std::variant<Left, Right>;

TEST(Decision, one_event_comes_as_it_is) {
    Decision<Event> decision = Left{3};
    EXPECT_EQ(decision.rejection(), nullptr);
    const auto events = std::move(decision).take_events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(std::get<Left>(events[0]).number, 3);
}

TEST(Decision, several_events_keep_their_order) {
    Decision<Event> decision = {Left{1}, Right{"two"}, Left{3}};
    const auto events = std::move(decision).take_events();
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(std::get<Right>(events[1]).text, "two");
    EXPECT_EQ(std::get<Left>(events[2]).number, 3);
}

TEST(Decision, nothing_is_neither_events_nor_a_rejection) {
    auto decision = Decision<Event>::nothing();
    EXPECT_EQ(decision.rejection(), nullptr);
    EXPECT_TRUE(std::move(decision).take_events().empty());
}

TEST(Decision, rejection_has_no_events) {
    Decision<Event> decision = reject("too-late");
    ASSERT_NE(decision.rejection(), nullptr);
    EXPECT_EQ(decision.rejection()->reason(), "too-late");
    EXPECT_EQ(decision.rejection()->details(), "");
    EXPECT_TRUE(std::move(decision).take_events().empty());
}

TEST(Rejection, details_are_json_members) {
    const Rejection rejection =
        reject("no").with("balance", Decimal<2>("-1.50")).with("na\"me", std::string("q\"\n")).with("n", 7);
    EXPECT_EQ(rejection.details(), R"("balance":"-1.50","na\"me":"q\"\n","n":7)");
    EXPECT_EQ(Rejection::recorded("no", rejection.details()), rejection);
}

}  // namespace
}  // namespace leftfold
