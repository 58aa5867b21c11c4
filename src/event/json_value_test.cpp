#include "leftfold/event/json_value.hpp"

#include <gtest/gtest.h>

namespace leftfold::json {
namespace {

Value parsed(std::string_view text) {
    return Value::parse(text).value();
}

TEST(JsonValue, text_comes_back_as_it_was_less_white_space) {
    EXPECT_EQ(
        parsed(R"( { "b" : [ 1.50, -0, 1e400, 12345678901234567890123 ] , "a" : null , "c":{"x":true} } )").to_string(),
        R"({"b":[1.50,-0,1e400,12345678901234567890123],"a":null,"c":{"x":true}})");
    EXPECT_EQ(parsed(R"("\u00e9\n")").to_string(), R"("é\n")");
}

TEST(JsonValue, fields_can_be_changed_in_place) {
    Value value = parsed(R"({"a":1,"b":2,"c":3})");
    EXPECT_TRUE(value.rename("a", "z"));
    EXPECT_FALSE(value.rename("a", "y"));
    EXPECT_FALSE(value.rename("b", "c"));
    EXPECT_TRUE(value.erase("b"));
    EXPECT_FALSE(value.erase("b"));
    value["c"] = "three";
    value["d"]["e"] = true;
    value["f"] = Value::Array{1, "x", Value()};
    value["g"] = Value::object();
    EXPECT_EQ(value.to_string(), R"({"z":1,"c":"three","d":{"e":true},"f":[1,"x",null],"g":{}})");
    EXPECT_EQ(value.find("z")->integer(), 1);
    EXPECT_EQ(value.find("a"), nullptr);
}

TEST(JsonValue, access_as_another_kind_finds_nothing) {
    const Value text = "x";
    EXPECT_EQ(text.find("a"), nullptr);
    EXPECT_EQ(text.fields(), nullptr);
    EXPECT_EQ(text.array(), nullptr);
    EXPECT_EQ(text.boolean(), nullptr);
    EXPECT_EQ(text.integer(), std::nullopt);
    EXPECT_EQ(parsed("1.0").integer(), std::nullopt);
    EXPECT_EQ(parsed("9223372036854775808").integer(), std::nullopt);
    EXPECT_EQ(*text.string(), "x");
}

TEST(JsonValue, malformed_repeated_and_deep_is_refused) {
    const auto error = [](std::string_view text) { return Value::parse(text).error().message(); };
    EXPECT_EQ(error(R"({"a":{"b":1,"c":2,"b":3}})"), "/a/b: given twice");
    EXPECT_EQ(error(R"({"a":[1,2)"), "/a: malformed JSON");
    EXPECT_TRUE(Value::parse(std::string(32, '[') + std::string(32, ']')));
    EXPECT_NE(error(std::string(33, '[') + std::string(33, ']')).find("nested deeper"), std::string::npos);
}

TEST(JsonValue, indented_form_is_one_field_a_line) {
    std::string out;
    parsed(R"({"a":[1,{}],"b":{"c":[]}})").write_indented(out);
    EXPECT_EQ(out, "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n    \"c\": []\n  }\n}");
}

}  // namespace
}  // namespace leftfold::json
