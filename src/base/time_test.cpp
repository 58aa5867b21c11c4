#include "leftfold/base/time.hpp"

#include <gtest/gtest.h>

namespace leftfold {
namespace {

TEST(Time, rfc3339_round_trips) {
    for (const char* text : {"1993-01-31T00:00:00Z", "2026-02-28T23:59:59.123Z", "1969-12-31T23:59:59.999999Z",
                             "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"})
        EXPECT_EQ(to_rfc3339(parse_rfc3339(text).value()), text);
}

TEST(Time, offsets_and_fractions_are_normalised) {
    EXPECT_EQ(to_rfc3339(parse_rfc3339("2026-03-01T01:30:00+02:00").value()), "2026-02-28T23:30:00Z");
    EXPECT_EQ(to_rfc3339(parse_rfc3339("2026-03-01t01:30:00.5-00:30").value()), "2026-03-01T02:00:00.500Z");
    EXPECT_EQ(to_rfc3339(parse_rfc3339("2026-03-01T00:00:00.123456789Z").value()), "2026-03-01T00:00:00.123456Z");
}

TEST(Time, malformed_is_refused) {
    for (const char* text : {"", "1993-01-31", "1993-02-29T00:00:00Z", "1993-01-31T24:00:00Z", "1993-01-31T00:00:60Z",
                             "1993-01-31T00:00:00", "1993-01-31T00:00:00.Z", "1993-01-31T00:00:00.1234567890Z",
                             "1993-01-31T00:00:00Z ", "1993-01-31 00:00:00Z", "0000-01-01T00:00:00Z"})
        EXPECT_EQ(parse_rfc3339(text).error().code(), ErrorCode::invalid_argument) << text;
}

TEST(Time, date_is_first_instant_of_day) {
    EXPECT_EQ(parse_date("1993-01-31").value(), parse_rfc3339("1993-01-31T00:00:00Z").value());
    EXPECT_FALSE(parse_date("1993-13-01").has_value());
    EXPECT_FALSE(parse_date("1993-01-311").has_value());
}

}  // namespace
}  // namespace leftfold
