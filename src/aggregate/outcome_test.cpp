#include "outcome.hpp"

#include <gtest/gtest.h>

namespace leftfold {
namespace {

const Uuid kSeen = *Uuid::parse("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b");

TEST(Outcome, rejection_comes_back_to_the_letter) {
    const Outcome outcome{reject("too-little").with("say", std::string("\"so\"\n\x01")), Version(17), kSeen};
    const auto again = decode_outcome(encode_outcome(outcome));
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(again->rejection, outcome.rejection);
    EXPECT_EQ(again->version, Version(17));
    EXPECT_EQ(again->last_event, kSeen);
}

TEST(Outcome, of_nothing_that_happened_comes_back) {
    const auto again = decode_outcome(encode_outcome({std::nullopt, Version(0), Uuid()}));
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->rejection);
    EXPECT_EQ(again->version, Version(0));
    EXPECT_TRUE(again->last_event.is_nil());
}

TEST(Outcome, written_form_is_kept) {
    EXPECT_EQ(
        encode_outcome({reject("no").with("n", 1), Version(2), kSeen}),
        R"({"version":2,"last_event":"0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b","rejected":"no","details":"\"n\":1"})");
    EXPECT_EQ(encode_outcome({std::nullopt, Version(2), Uuid()}), R"({"version":2})");
}

TEST(Outcome, unknown_fields_pass_and_damage_does_not) {
    EXPECT_TRUE(decode_outcome(R"({"version":2,"of_later":1})"));
    for (const char* damaged : {"", "{", "[]", R"({"version":"x"})", R"({"version":2,"last_event":"no uuid"})"}) {
        const auto decoded = decode_outcome(damaged);
        ASSERT_FALSE(decoded) << damaged;
        EXPECT_EQ(decoded.error().code(), ErrorCode::corrupt) << damaged;
    }
}

}  // namespace
}  // namespace leftfold
