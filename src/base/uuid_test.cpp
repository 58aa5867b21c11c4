#include "leftfold/base/uuid.hpp"

#include <gtest/gtest.h>

namespace leftfold {
namespace {

TEST(Uuid, text_round_trips) {
    const char* text = "0191e3a0-1b2c-7def-8123-456789abcdef";
    EXPECT_EQ(Uuid::parse(text).value().to_string(), text);
    EXPECT_EQ(Uuid::parse("0191E3A0-1B2C-7DEF-8123-456789ABCDEF").value().to_string(), text);
}

TEST(Uuid, malformed_is_refused) {
    for (const char* text : {"", "0191e3a0", "0191e3a0-1b2c-7def-8123-456789abcdeg",
                             "0191e3a0x1b2c-7def-8123-456789abcdef", "0191e3a0-1b2c-7def-8123-456789abcdef0"})
        EXPECT_FALSE(Uuid::parse(text).has_value()) << text;
}

TEST(Uuid, v7_has_version_variant_and_time) {
    const auto now = parse_rfc3339("2022-02-22T19:22:22.000Z").value();
    // The example of RFC 9562 appendix A.6 has the same instant and prefix.
    const std::string text = Uuid::v7(now, ~0ULL, ~0ULL).to_string();
    EXPECT_EQ(text.substr(0, 15), "017f22e2-79b0-7");
    EXPECT_EQ(text[19], 'b');
    EXPECT_LT(Uuid::v7(now, ~0ULL, ~0ULL), Uuid::v7(now + std::chrono::milliseconds(1), 0, 0));
}

}  // namespace
}  // namespace leftfold
