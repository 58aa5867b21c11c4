#include "attempts.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace leftfold::process {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonotonicTime kStart{};

Attempts make(std::size_t in_flight = 2, std::size_t retries = 1) {
    return Attempts({.in_flight_max = in_flight,
                     .retries_max = retries,
                     .backoff = {milliseconds(100), seconds(1)},
                     .slow_backoff = {seconds(10), seconds(60)}});
}
Error unavailable() {
    return Error(ErrorCode::unavailable, "later", Retry::yes);
}

TEST(Attempts, room_is_bounded_by_what_is_in_flight_and_what_waits) {
    Attempts attempts = make(2, 1);
    const Place a{"a", Version(1)};
    const Place b{"b", Version(1)};
    const Place c{"c", Version(1)};
    attempts.begin(a);
    attempts.begin(b);
    EXPECT_FALSE(attempts.has_room());
    attempts.failed(a, unavailable(), kStart);
    ASSERT_TRUE(attempts.has_room());
    attempts.begin(c);
    attempts.failed(b, unavailable(), kStart);
    EXPECT_FALSE(attempts.has_room()) << "one in flight, but three known";
    attempts.ended(c);
    EXPECT_TRUE(attempts.has_room());
    EXPECT_EQ(attempts.in_flight(), 0U);
    EXPECT_EQ(attempts.retrying(), 2U);
}

TEST(Attempts, failure_waits_ever_longer_and_slowly_where_somebody_must_act) {
    Attempts attempts = make();
    const Place a{"a", Version(1)};
    attempts.begin(a);
    MonotonicTime now = kStart;
    for (const auto expected : {100, 200, 400, 800, 1000, 1000}) {
        attempts.failed(a, unavailable(), now);
        EXPECT_EQ(attempts.next_retry(), now + milliseconds(expected));
        EXPECT_EQ(attempts.retry(now + milliseconds(expected - 1)), std::nullopt);
        now += milliseconds(expected);
        EXPECT_EQ(attempts.retry(now), a);
    }
    EXPECT_EQ(attempts.find(a)->failures, 6U);
    EXPECT_EQ(attempts.find(a)->last_error, "later");
    attempts.ended(a);
    EXPECT_EQ(attempts.find(a), nullptr);

    attempts.begin(a);
    attempts.failed(a, Error(ErrorCode::user_code, "decide threw"), now);
    EXPECT_EQ(attempts.next_retry(), now + seconds(10));
}

TEST(Attempts, what_waits_goes_in_the_order_of_its_time_when_there_is_room) {
    Attempts attempts = make(2, 10);
    const Place a{"a", Version(1)};
    const Place b{"b", Version(2)};
    attempts.begin(a);
    attempts.begin(b);
    attempts.failed(b, unavailable(), kStart);
    attempts.failed(a, unavailable(), kStart + milliseconds(1));
    attempts.begin({"c", Version(1)});
    EXPECT_EQ(attempts.retry(kStart + seconds(5)), b);
    EXPECT_EQ(attempts.retry(kStart + seconds(5)), std::nullopt) << "no room";
    EXPECT_EQ(attempts.next_retry(), std::nullopt);
    attempts.ended({"c", Version(1)});
    EXPECT_EQ(attempts.retry(kStart + seconds(5)), a);
}

}  // namespace
}  // namespace leftfold::process
