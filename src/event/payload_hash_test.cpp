#include "leftfold/event/payload_hash.hpp"

#include <string>

#include <gtest/gtest.h>

namespace leftfold {
namespace {

std::string hex(const PayloadHash& hash) {
    std::string text;
    for (const std::uint8_t byte : hash) {
        text.push_back("0123456789abcdef"[byte >> 4]);
        text.push_back("0123456789abcdef"[byte & 0xF]);
    }
    return text;
}

// By Debian's libxxhash 0.8.1, called from Python.
TEST(PayloadHash, matches_the_reference_library) {
    EXPECT_EQ(hex(payload_hash("withdraw", R"({"amount":"12.50"})")), "625d820b92fa8dd9a06c67c02e0f489c");
    EXPECT_EQ(hex(payload_hash("", "")), "7a3edd697cf3f9535310e30cce3262d6");
    EXPECT_EQ(hex(payload_hash("note", std::string(1000, 'x'))), "8429567308de3495fda5dfb347dabaca");
}

TEST(PayloadHash, name_and_payload_both_count) {
    EXPECT_NE(payload_hash("deposit", "{}"), payload_hash("withdraw", "{}"));
    EXPECT_NE(payload_hash("deposit", "{}"), payload_hash("deposit", "{ }"));
    EXPECT_NE(payload_hash("a", "bc"), payload_hash("ab", "c"));
}

}  // namespace
}  // namespace leftfold
