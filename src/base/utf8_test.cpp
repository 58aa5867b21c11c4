#include "leftfold/base/utf8.hpp"

#include <string>

#include <gtest/gtest.h>

namespace leftfold {
namespace {

std::string encode(unsigned code) {
    const auto byte = [](unsigned value) { return static_cast<char>(value); };
    if (code < 0x80)
        return {byte(code)};
    if (code < 0x800)
        return {byte(0xC0 | code >> 6U), byte(0x80 | (code & 0x3FU))};
    if (code < 0x10000)
        return {byte(0xE0 | code >> 12U), byte(0x80 | (code >> 6U & 0x3FU)), byte(0x80 | (code & 0x3FU))};
    return {byte(0xF0 | code >> 18U), byte(0x80 | (code >> 12U & 0x3FU)), byte(0x80 | (code >> 6U & 0x3FU)),
            byte(0x80 | (code & 0x3FU))};
}

TEST(Utf8, every_code_point_but_surrogates) {
    for (unsigned code = 0; code <= 0x110000; ++code) {
        const std::string text = encode(code) + "\x80";
        const bool is_character = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        ASSERT_EQ(utf8_sequence_size(text), is_character ? text.size() - 1 : 0) << std::hex << code;
    }
}

TEST(Utf8, overlong_and_cut_refused) {
    for (const char* text :
         {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE4\xB8",
          "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98", "\xF5\x80\x80\x80", "\xFE", "\xFF"}) {
        EXPECT_EQ(utf8_sequence_size(text), 0U);
        EXPECT_FALSE(is_utf8(std::string("a") + text));
    }
    EXPECT_EQ(utf8_sequence_size(""), 0U);
}

TEST(Utf8, text_as_a_whole) {
    EXPECT_TRUE(is_utf8(""));
    EXPECT_TRUE(is_utf8("caf\u00e9 \u4e2d\u6587 \U0001F600"));
    EXPECT_FALSE(is_utf8("caf\xe9 au lait"));
}

}  // namespace
}  // namespace leftfold
