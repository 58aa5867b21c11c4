#include "leftfold/event/json_reader.hpp"

#include <gtest/gtest.h>

namespace leftfold::json {
namespace {

bool well_formed(Reader& in, std::string_view text) {
    return in.start(text, Strictness::lenient) && in.skip() && in.finish();
}

std::string problem(std::string_view text) {
    Reader in;
    return well_formed(in, text) ? "none" : in.error().message();
}

TEST(JsonReader, malformed_text_is_refused) {
    for (const std::string_view text : {"[",
                                        "]",
                                        "{",
                                        "}",
                                        "[1",
                                        "[1,]",
                                        "[,1]",
                                        "[1 2]",
                                        "[1]]",
                                        "[[1]",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\" 1}",
                                        "{\"a\":1,}",
                                        "{,\"a\":1}",
                                        "{1:2}",
                                        "{a:1}",
                                        "{\"a\":1 \"b\":2}",
                                        "{\"a\":1}}",
                                        "nul",
                                        "nulll",
                                        "TRUE",
                                        "'a'",
                                        "\"a",
                                        "a\"",
                                        "1 2",
                                        "\"a\"\"b\"",
                                        "01",
                                        "+1",
                                        "-",
                                        "1.",
                                        ".5",
                                        "1e",
                                        "1e+",
                                        "0x1",
                                        "Infinity",
                                        "NaN",
                                        "1,2",
                                        "1],[2",
                                        "{}{}",
                                        "//x\n1",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\ud800\"",
                                        "\"\\udc00\"",
                                        "\"\\ud800\\u0041\"",
                                        "\"\\ud800x\"",
                                        "\"\t\"",
                                        "\"\x01\"",
                                        ":",
                                        "{\"a\":1,\"b\"",
                                        "[{]}"})
        EXPECT_NE(problem(text), "none") << text;
}

TEST(JsonReader, well_formed_text_passes) {
    for (const std::string_view text :
         {"null", "true", " false ", "0", "-0", "-1.5E+10", "1e9999", "\"\"", "[]", "{}", "[[],{}]", "{\"\":\"\"}",
          "\"\\ud83d\\ude00\"", "\"\\u0000\"", "\"\x7F\"", "\t[\n1 ,\r2 ]"})
        EXPECT_EQ(problem(text), "none") << text;
}

TEST(JsonReader, invalid_utf8_is_refused) {
    for (const std::string_view text : {"\"\xFF\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"",
                                        "\"\xC3\"", "{\"\xFF\":1}", "\xEF\xBB\xBF{}"})
        EXPECT_NE(problem(text), "none") << text;
}

TEST(JsonReader, first_problem_is_the_one_reported) {
    EXPECT_EQ(problem(""), "there is no JSON text");
    EXPECT_EQ(problem("  "), "there is no JSON text");
    EXPECT_EQ(problem("{} x"), "something follows the JSON text");
    EXPECT_EQ(problem("\"a"), "a string is not closed");
    EXPECT_EQ(problem("{\"a\":{\"b\":[0,01]}}"), "/a/b/1: malformed number");
    EXPECT_EQ(problem("{\"a\":\"\\x\"}"), "/a: invalid escape in a string");
}

TEST(JsonReader, size_is_bounded_by_strictness) {
    Reader in(ReadLimits{.strict_bytes_max = 10, .lenient_bytes_max = 20});
    EXPECT_TRUE(in.start("\"12345678\"", Strictness::strict));
    EXPECT_FALSE(in.start("\"123456789\"", Strictness::strict));
    EXPECT_EQ(in.error().problem, "larger than 10 bytes");
    EXPECT_TRUE(in.start("\"123456789\"", Strictness::lenient));
    EXPECT_FALSE(in.start(std::string(21, ' '), Strictness::lenient));
}

TEST(JsonReader, one_reader_serves_many_texts) {
    Reader in;
    EXPECT_FALSE(well_formed(in, "[1"));
    EXPECT_TRUE(well_formed(in, "[1]"));
    const std::string large = "[\"" + std::string(100'000, 'x') + "\"]";
    EXPECT_TRUE(well_formed(in, large));
    EXPECT_FALSE(well_formed(in, large.substr(0, large.size() - 1)));
    // What an earlier, longer text left in the buffer must not complete a shorter one.
    EXPECT_FALSE(well_formed(in, "[\"xxx"));
    EXPECT_FALSE(well_formed(in, "[["));
    EXPECT_TRUE(well_formed(in, "{}"));
}

TEST(JsonReader, failure_sticks) {
    Reader in;
    ASSERT_TRUE(in.start("[1,2]", Strictness::strict));
    ASSERT_TRUE(in.begin_array());
    ASSERT_TRUE(in.next_element());
    EXPECT_FALSE(in.fail("enough"));
    EXPECT_FALSE(in.next_element());
    EXPECT_FALSE(in.skip());
    EXPECT_FALSE(in.finish());
    EXPECT_EQ(in.error().message(), "/0: enough");
}

}  // namespace
}  // namespace leftfold::json
