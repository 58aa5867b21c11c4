#include "hot_set.hpp"

#include <string>

#include <gtest/gtest.h>

namespace leftfold {
namespace {

HotAggregate& insert_ready(HotSet& set, std::string_view key) {
    HotAggregate& aggregate = set.insert(key, {});
    aggregate.phase = HotAggregate::Phase::ready;
    return aggregate;
}

TEST(HotSet, least_recently_used_goes_first) {
    HotSet set(2);
    insert_ready(set, "a");
    insert_ready(set, "b");
    EXPECT_NE(set.find("a"), nullptr);  // a use
    insert_ready(set, "c");
    EXPECT_EQ(set.find("b"), nullptr);
    EXPECT_NE(set.find("a"), nullptr);
    EXPECT_NE(set.find("c"), nullptr);
    EXPECT_EQ(set.size(), 2U);
}

TEST(HotSet, work_in_flight_loading_and_waiting_pin) {
    HotSet set(1);
    insert_ready(set, "in flight").in_flight = 1;
    set.insert("loading", {});
    insert_ready(set, "waiting").waiting.emplace_back([](HotAggregate&, const Result<>&) {});
    insert_ready(set, "new");
    EXPECT_EQ(set.size(), 4U);
    for (const char* key : {"in flight", "loading", "waiting", "new"})
        EXPECT_NE(set.find(key), nullptr) << key;
}

TEST(HotSet, comes_back_to_its_bound_once_nothing_is_pinned) {
    HotSet set(3);
    for (int i = 0; i < 20; ++i)
        insert_ready(set, "pinned-" + std::to_string(i)).in_flight = 1;
    EXPECT_EQ(set.size(), 20U);
    for (int i = 0; i < 20; ++i)
        set.find("pinned-" + std::to_string(i))->in_flight = 0;
    for (int i = 0; i < 10; ++i)
        insert_ready(set, "new-" + std::to_string(i));
    EXPECT_EQ(set.size(), 3U);
}

TEST(HotSet, of_size_zero_keeps_the_one_that_was_inserted_last) {
    HotSet set(0);
    insert_ready(set, "a");
    EXPECT_NE(set.find("a"), nullptr);
    insert_ready(set, "b");
    EXPECT_EQ(set.find("a"), nullptr);
    EXPECT_EQ(set.size(), 1U);
}

TEST(HotSet, erased_is_gone_and_may_come_again) {
    HotSet set(2);
    set.erase(insert_ready(set, "a"));
    EXPECT_EQ(set.find("a"), nullptr);
    EXPECT_EQ(set.size(), 0U);
    insert_ready(set, "a");
    EXPECT_EQ(set.size(), 1U);
}

}  // namespace
}  // namespace leftfold
