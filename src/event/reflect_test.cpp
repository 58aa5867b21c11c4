#include "leftfold/event/reflect.hpp"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace leftfold::reflect {
namespace {

struct Empty {};
struct Pair {
    int first;
    std::string second;
};
struct Mixed {
    std::optional<int> a;
    std::variant<int, std::string> b;
    std::vector<Pair> c;
    std::map<std::string, Pair> d;
    Pair nested;
    std::optional<Pair> e;
    bool with_default = true;

    bool member_function() const { return with_default; }
};
struct Widest {
    int f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15, f16;
    int f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32;
};
template <class T>
struct Box {
    T content;
};
struct OverdraftLimitRaised {};
struct HTTPCallFailed2 {};
enum class State : unsigned char { open, in_review, ClosedForGood, late = 63 };

static_assert(field_count<Empty>() == 0);
static_assert(field_count<Pair>() == 2);
static_assert(field_count<Mixed>() == 7);
static_assert(field_count<Widest>() == 32);
static_assert(field_index<&Pair::second>() == 1);
static_assert(field_index<&Mixed::with_default>() == 6);
static_assert(field_index<&Widest::f31>() == 30);

TEST(Reflect, field_names_are_those_of_the_source) {
    EXPECT_EQ(field_names<Pair>()[0], "first");
    EXPECT_EQ(field_names<Pair>()[1], "second");
    EXPECT_EQ(field_names<Mixed>()[4], "nested");
    EXPECT_EQ(field_names<Mixed>()[6], "with_default");
    EXPECT_EQ(field_names<Widest>()[0], "f01");
    EXPECT_EQ(field_names<Widest>()[31], "f32");
    EXPECT_EQ((field_names<Box<std::map<int, Pair>>>()[0]), "content");
    EXPECT_TRUE(field_names<Empty>().empty());
}

TEST(Reflect, fields_come_in_order_and_can_be_changed) {
    Pair pair{1, "x"};
    std::string seen;
    for_each_field(pair, [&](std::string_view name, auto& field) {
        seen += name;
        field = {};
    });
    EXPECT_EQ(seen, "firstsecond");
    EXPECT_EQ(pair.first, 0);
    EXPECT_EQ(pair.second, "");
}

TEST(Reflect, every_one_of_32_fields_is_reached_once) {
    Widest widest{};
    int next = 1;
    for_each_field(widest, [&](std::string_view, int& field) { field = next++; });
    EXPECT_EQ(next, 33);
    EXPECT_EQ(widest.f01, 1);
    EXPECT_EQ(widest.f16, 16);
    EXPECT_EQ(widest.f32, 32);
}

TEST(Reflect, type_name_has_no_scope_and_no_arguments) {
    struct Local {
        int x;
    };
    EXPECT_EQ(type_name<OverdraftLimitRaised>(), "OverdraftLimitRaised");
    EXPECT_EQ(type_name<Box<Pair>>(), "Box");
    EXPECT_EQ(type_name<Local>(), "Local");
    EXPECT_EQ(field_names<Local>()[0], "x");
}

TEST(Reflect, kebab_name_separates_words) {
    EXPECT_EQ(kebab_name<OverdraftLimitRaised>(), "overdraft-limit-raised");
    EXPECT_EQ(kebab_name<HTTPCallFailed2>(), "http-call-failed2");
    EXPECT_EQ(detail::to_kebab("in_review").view(), "in-review");
    EXPECT_EQ(detail::to_kebab("Withdrawn").view(), "withdrawn");
    EXPECT_EQ(detail::to_kebab("A").view(), "a");
}

TEST(Reflect, enumerators_are_named_and_others_are_not) {
    EXPECT_EQ(enumerator_name(State::open), "open");
    EXPECT_EQ(enumerator_name(State::in_review), "in-review");
    EXPECT_EQ(enumerator_name(State::ClosedForGood), "closed-for-good");
    EXPECT_EQ(enumerator_name(State::late), "late");
    EXPECT_EQ(enumerator_name(static_cast<State>(3)), "");
    EXPECT_EQ(enumerator_name(static_cast<State>(200)), "");
    EXPECT_EQ(enumerator_names<State>().size(), 64U);
}

}  // namespace
}  // namespace leftfold::reflect
