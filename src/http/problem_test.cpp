#include "leftfold/http/problem.hpp"

#include <gtest/gtest.h>

namespace leftfold::http {
namespace {

std::string json_string(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

TEST(JsonString, control_characters_and_quotes_are_escaped) {
    EXPECT_EQ(json_string("plain"), R"("plain")");
    EXPECT_EQ(json_string(""), R"("")");
    EXPECT_EQ(json_string("a\"b\\c\nd\re\tf\x01g\x7F"), R"("a\"b\\c\nd\re\tf\u0001g\u007f")");
    EXPECT_EQ(json_string(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(JsonString, valid_utf8_passes) {
    for (const std::string text : {"é", "€", "😀", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"})
        EXPECT_EQ(json_string(text), '"' + text + '"');
}

TEST(JsonString, invalid_utf8_is_replaced) {
    const std::string bad = "\xEF\xBF\xBD";
    EXPECT_EQ(json_string("a\xFFz"), "\"a" + bad + "z\"");
    EXPECT_EQ(json_string("\xC3"), '"' + bad + '"');                                // cut short
    EXPECT_EQ(json_string("\xC0\xAF"), '"' + bad + bad + '"');                      // overlong
    EXPECT_EQ(json_string("\xE0\x80\xAF"), '"' + bad + bad + bad + '"');            // overlong
    EXPECT_EQ(json_string("\xED\xA0\x80"), '"' + bad + bad + bad + '"');            // surrogate
    EXPECT_EQ(json_string("\xF4\x90\x80\x80"), '"' + bad + bad + bad + bad + '"');  // over U+10FFFF
    EXPECT_EQ(json_string("\xE2\x82\x22"), '"' + bad + bad + "\\\"\"");             // a quote is not swallowed
}

TEST(Problem, document_has_type_title_status_and_members) {
    const Response response = Problem(409, "insufficient-funds", "Not that much")
                                  .detail("asked for \"12\"")
                                  .member("balance", "10.00")
                                  .member("version", 7)
                                  .member("missing", std::int64_t{-3})
                                  .member("limit", std::size_t{10})
                                  .member("retry", false)
                                  .json_member("path", R"(["a"])")
                                  .response();
    EXPECT_EQ(response.status, 409);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(
        response.body,
        R"({"type":"urn:leftfold:problem:insufficient-funds","title":"Not that much","status":409,)"
        R"("detail":"asked for \"12\"","balance":"10.00","version":7,"missing":-3,"limit":10,"retry":false,"path":["a"]})");
}

}  // namespace
}  // namespace leftfold::http
