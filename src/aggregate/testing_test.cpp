#include "leftfold/aggregate/testing.hpp"

#include <string>

#include <gtest/gtest.h>

#include "testing/counter.hpp"

namespace leftfold {
namespace {

using testing::Add;
using testing::Added;
using testing::Counter;
using testing::Ignore;
using testing::Refuse;
using testing::Remember;
using testing::Remembered;

template <class Story>
std::string failure_of(const Story& story) {
    try {
        story();
    } catch (const ScenarioFailed& failed) {
        return failed.what();
    }
    return "";
}

TEST(Scenario, passes_what_is_as_expected) {
    given<Counter>().when(Add{2, 2}).then(Added{2}, Added{2});
    given<Counter>(Added{1}, Added{2}).when(Ignore{}).then_nothing();
    given<Counter>(Added{1}).when(Refuse{"no"}).then_rejected("no");
    given<Counter>(Added{1})
        .when(Refuse{"no"})
        .then_rejected(reject("no").with("total", 1).with("why", std::string("say \"so\"")));
}

TEST(Scenario, gives_the_aggregate_after_its_events) {
    EXPECT_EQ(given<Counter>(Added{1}).when(Add{2, 3}).then(Added{2}, Added{2}, Added{2}).aggregate().total, 7);
    const Counter counter =
        given<Counter>(Added{1}).when(Remember{}).by("ada").then(Remembered{"test-command", "ada"}).aggregate();
    EXPECT_EQ(counter.seen, "2 ada");
}

TEST(Scenario, tells_the_whole_story_of_other_events) {
    EXPECT_EQ(failure_of([] { given<Counter>(Added{1}).when(Add{2, 1}).then(Added{3}); }), R"(not as expected:
given
  added {"amount":1}
when
  add {"amount":2,"times":1}
then expected
  added {"amount":3}
but was
  added {"amount":2}
)");
}

TEST(Scenario, tells_the_whole_story_of_a_rejection_and_of_none) {
    EXPECT_NE(failure_of([] { given<Counter>().when(Refuse{"no"}).then(Added{3}); }).find("but was\n  rejected: no {"),
              std::string::npos);
    EXPECT_NE(failure_of([] { given<Counter>().when(Ignore{}).then_rejected("no"); }).find("but was\n  nothing\n"),
              std::string::npos);
    EXPECT_NE(failure_of([] { given<Counter>().when(Refuse{"no"}).then_rejected("yes"); }), "");
    EXPECT_NE(failure_of([] { given<Counter>().when(Refuse{"no"}).then_rejected(reject("no")); }), "");
    EXPECT_NE(failure_of([] { given<Counter>().when(Refuse{"no"}).then_nothing(); }), "");
    EXPECT_NE(failure_of([] { given<Counter>().when(Add{1, 1}).then_nothing(); }), "");
    EXPECT_NE(failure_of([] { given<Counter>().when(Add{1, 2}).then(Added{1}); }), "");
}

}  // namespace
}  // namespace leftfold
