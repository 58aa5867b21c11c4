#include "leftfold/event/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/event/event_type.hpp"

namespace leftfold {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kAccept = "bank catalogue --write catalogue.json";

Catalogue catalogue_of(std::vector<EventType> types) {
    return Catalogue::of(std::move(types)).value();
}

std::vector<CatalogueProblem> compare_shapes(std::string golden, std::string current) {
    return Catalogue::compare(catalogue_of({{"bank.account.opened", 1, std::move(golden)}}),
                              catalogue_of({{"bank.account.opened", 1, std::move(current)}}), kAccept);
}

constexpr std::string_view kGolden = R"J({
  "leftfold-catalogue": 1,
  "types": [
    {
      "name": "bank.account.deposited",
      "version": 1,
      "shape": {
        "amount": "decimal(2)"
      }
    },
    {
      "name": "bank.account.opened",
      "version": 3,
      "shape": {
        "owner": {
          "$personal": "string"
        },
        "note?": "string"
      }
    }
  ]
}
)J";

TEST(Catalogue, text_is_stable_and_reads_back) {
    const Catalogue catalogue =
        catalogue_of({{"bank.account.opened", 3, R"({"owner":{"$personal":"string"},"note?":"string"})"},
                      {"bank.account.deposited", 1, R"J({"amount":"decimal(2)"})J"}});
    EXPECT_EQ(catalogue.to_text(), kGolden);
    const Catalogue again = Catalogue::parse(kGolden).value();
    EXPECT_EQ(again.types(), catalogue.types());
    EXPECT_EQ(again.find("bank.account.opened")->version, 3U);
    EXPECT_EQ(again.find("bank.account.closed"), nullptr);
    EXPECT_THAT(Catalogue::compare(again, catalogue, kAccept), IsEmpty());
}

TEST(Catalogue, other_text_is_refused) {
    EXPECT_FALSE(Catalogue::parse("{}"));
    EXPECT_FALSE(Catalogue::parse("[1"));
    EXPECT_FALSE(Catalogue::parse(R"({"leftfold-catalogue":2,"types":[]})"));
    EXPECT_FALSE(Catalogue::parse(R"({"leftfold-catalogue":1,"types":[{"name":"a","version":0,"shape":{}}]})"));
    EXPECT_TRUE(Catalogue::parse(R"({"leftfold-catalogue":1,"types":[]})"));
}

TEST(Catalogue, two_types_of_one_name_are_refused) {
    const auto catalogue = Catalogue::of({{"a.b.c", 1, "{}"}, {"a.b.c", 2, "{}"}});
    ASSERT_FALSE(catalogue);
    EXPECT_THAT(catalogue.error().message(), HasSubstr("'a.b.c'"));
}

TEST(Catalogue, renamed_type_is_missing_and_new) {
    const auto problems = Catalogue::compare(catalogue_of({{"bank.account.withdrawn", 1, "{}"}}),
                                             catalogue_of({{"bank.account.taken", 1, "{}"}}), kAccept);
    ASSERT_THAT(problems, SizeIs(2));
    EXPECT_EQ(problems[0].type, "bank.account.taken");
    EXPECT_THAT(problems[0].message, HasSubstr("run `bank catalogue --write catalogue.json`"));
    EXPECT_EQ(problems[1].type, "bank.account.withdrawn");
    EXPECT_THAT(problems[1].message, HasSubstr("static constexpr std::string_view event_name = \"withdrawn\""));
}

TEST(Catalogue, breaking_change_asks_for_a_version) {
    for (const auto& [golden, current] : std::vector<std::pair<std::string, std::string>>{
             {R"({"a":"string"})", R"({"a":"int32"})"},
             {R"({"a":"string"})", R"({"b":"string"})"},
             {R"({"a":"string"})", R"({})"},
             {R"({"a":"string"})", R"({"a":"string","b":"string"})"},
             {R"({"a?":"string"})", R"({"a":"string"})"},
             {R"({"a":{"b":"string"}})", R"({"a":{"b":"bool"}})"},
             {R"({"a":{"b":"string"}})", R"({"a":"string"})"},
             {R"({"a":{"$array":"string"}})", R"({"a":{"$map":"string"}})"},
             {R"({"a":{"$enum":["x","y"]}})", R"({"a":{"$enum":["x","z"]}})"},
             {R"({"a":{"$range":[0,9]}})", R"({"a":{"$range":[0,8]}})"},
             {R"({"a":{"$one-of":{"x":{},"y":{}}}})", R"({"a":{"$one-of":{"x":{}}}})"},
             {R"({"a":"string"})", R"({"a":{"$personal":"string"}})"}}) {
        const auto problems = compare_shapes(golden, current);
        ASSERT_THAT(problems, SizeIs(1)) << golden << current;
        EXPECT_THAT(problems[0].message,
                    HasSubstr("raise event_version to 2 and write upcast(), or restore the field"));
    }
}

TEST(Catalogue, compatible_change_only_wants_to_be_accepted) {
    for (const auto& [golden, current] : std::vector<std::pair<std::string, std::string>>{
             {R"({"a":"string"})", R"({"a":"string","b?":"string"})"},
             {R"({"a":"string"})", R"({"a?":"string"})"},
             {R"({"a":{"$enum":["x"]}})", R"({"a":{"$enum":["x","y"]}})"},
             {R"({"a":{"$range":[0,9]}})", R"({"a":{"$range":[-1,9]}})"},
             {R"({"a":{"$array":{"$one-of":{"x":{}}}}})",
              R"({"a":{"$array":{"$one-of":{"x":{"b?":"bool"},"y":{}}}}})"}}) {
        const auto problems = compare_shapes(golden, current);
        ASSERT_THAT(problems, SizeIs(1)) << golden << current;
        EXPECT_THAT(problems[0].message, HasSubstr("stored events still read; accept it: run `bank catalogue"));
    }
    EXPECT_THAT(compare_shapes(R"({"a":"string","b":"bool"})", R"({"b":"bool","a":"string"})"), IsEmpty());
}

TEST(Catalogue, version_may_rise_but_not_fall) {
    const Catalogue one = catalogue_of({{"a.b.c", 1, R"({"x":"bool"})"}});
    const Catalogue two = catalogue_of({{"a.b.c", 2, R"({"x":"string"})"}});
    EXPECT_THAT(Catalogue::compare(one, two, kAccept).at(0).message, HasSubstr("it is now version 2"));
    EXPECT_THAT(Catalogue::compare(two, one, kAccept).at(0).message, HasSubstr("restore event_version"));
}

struct Plain {
    Money amount;
};
struct Renamed {
    static constexpr std::string_view event_name = "old-name";
    static constexpr std::uint32_t event_version = 2;
    static void upcast(json::Value&, std::uint32_t) {}
};

TEST(EventType, struct_says_what_is_stored) {
    EXPECT_EQ(event_type<Plain>("bank.account"), (EventType{"bank.account.plain", 1, R"J({"amount":"decimal(2)"})J"}));
    EXPECT_EQ(event_type<Renamed>("bank.account"), (EventType{"bank.account.old-name", 2, "{}"}));
    EXPECT_EQ(event_upcast<Plain>(), nullptr);
    EXPECT_NE(event_upcast<Renamed>(), nullptr);
}

}  // namespace
}  // namespace leftfold
