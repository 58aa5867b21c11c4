#include "leftfold/telemetry/log.hpp"

#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leftfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class HandClock final : public Clock {
  public:
    Timestamp now() const noexcept override { return civil + std::chrono::floor<std::chrono::microseconds>(passed); }
    MonotonicTime monotonic() const noexcept override { return MonotonicTime(passed); }

    Timestamp civil = timestamp_from_micros(728'438'400'250'000);  // 1993-01-31T00:00:00.250Z
    Duration passed{};
};

struct Log : ::testing::Test {
    HandClock clock;
    MemoryLogSink sink;
    Logger logger{clock, sink, {.level = LogLevel::info, .burst_lines = 3, .lines_per_second = 1}};

    const std::string& last() const { return sink.lines().back(); }
};

template <class... Values>
std::string readable(Values... values) {
    const LogField fields[] = {{"field", values}...};
    return format_readable({timestamp_from_micros(1'500), LogLevel::warning, "some-event", fields, 0}, false);
}

TEST_F(Log, line_is_json_with_typed_fields) {
    const std::string text = "127.0.0.1:80";
    logger.info("server-started", {{"endpoint", text},
                                   {"topics", 3},
                                   {"bytes", std::numeric_limits<std::uint64_t>::max()},
                                   {"ratio", 0.5},
                                   {"durable", true},
                                   {"version", Version(7)},
                                   {"waited", std::chrono::milliseconds(1500)},
                                   {"since", timestamp_from_micros(0)}});
    EXPECT_EQ(last(),
              R"({"time":"1993-01-31T00:00:00.250Z","level":"info","event":"server-started","endpoint":"127.0.0.1:80",)"
              R"("topics":3,"bytes":18446744073709551615,"ratio":0.5,"durable":true,"version":7,"waited":1.5,)"
              R"("since":"1970-01-01T00:00:00Z"})");
}

TEST_F(Log, error_is_written_as_code_and_message) {
    const Error error(ErrorCode::no_space, "write 'x': No space left on device");
    logger.error("append-failed", {{"error", error}});
    EXPECT_THAT(last(), HasSubstr(R"("error":{"code":"no-space","message":"write 'x': No space left on device"}})"));
}

TEST_F(Log, secret_is_never_written) {
    logger.info("token-loaded", {{"token", Secret("swordfish")}});
    EXPECT_THAT(last(), HasSubstr(R"("token":"***")"));
    EXPECT_EQ(readable(Secret("swordfish")), "00:00:00.001 WARN  some-event field=***");
}

TEST_F(Log, hostile_text_stays_one_line_of_valid_json) {
    logger.info("request-refused",
                {{"path", "a\"b\\c\n\x1b[2J\x7f"}, {"bad", "\xff\xc3(\xed\xa0\x80 ž €\xf0\x9f\x98\x80"}});
    EXPECT_THAT(last(), HasSubstr(R"("path":"a\"b\\c\n\u001b[2J\u007f")"));
    EXPECT_THAT(last(), HasSubstr("\"bad\":\"\uFFFD\uFFFD(\uFFFD\uFFFD\uFFFD ž €😀\""));
}

TEST_F(Log, long_text_is_cut) {
    logger.info("request-refused", {{"path", std::string(100'000, 'x')}});
    EXPECT_LT(last().size(), kLogTextBytesMax + 200);
    EXPECT_THAT(last(), HasSubstr("x…\"}"));
}

TEST_F(Log, number_without_json_form_is_null) {
    logger.info("ratio-known", {{"ratio", std::numeric_limits<double>::quiet_NaN()}});
    EXPECT_THAT(last(), HasSubstr("\"ratio\":null"));
}

TEST_F(Log, below_level_is_silent) {
    logger.debug("step-taken");
    EXPECT_TRUE(sink.lines().empty());
    logger.set_level(LogLevel::debug);
    logger.debug("step-taken");
    EXPECT_EQ(sink.lines().size(), 1u);
    logger.set_level(LogLevel::off);
    logger.error("step-failed");
    EXPECT_EQ(sink.lines().size(), 1u);
}

TEST_F(Log, flood_is_bounded_per_event_and_counted) {
    for (int i = 0; i < 10; ++i)
        logger.warning("peer-reset", {{"number", i}});
    logger.warning("other-event");
    EXPECT_EQ(sink.lines().size(), 4u);  // three of the flood, and the other one

    clock.passed = std::chrono::seconds(1);
    for (int i = 0; i < 10; ++i)
        logger.warning("peer-reset");
    EXPECT_EQ(sink.lines().size(), 5u);
    EXPECT_THAT(last(), HasSubstr(R"("event":"peer-reset","suppressed":7})"));

    clock.passed = std::chrono::hours(1);
    for (int i = 0; i < 10; ++i)
        logger.warning("peer-reset");
    EXPECT_EQ(sink.lines().size(), 8u);  // a long silence gives no more than the burst
}

TEST_F(Log, flush_tells_what_was_left_out) {
    for (int i = 0; i < 5; ++i)
        logger.warning("peer-reset");
    logger.flush();
    EXPECT_THAT(last(), HasSubstr(R"("level":"warning","event":"peer-reset","suppressed":2})"));
    const std::size_t count = sink.lines().size();
    logger.flush();
    EXPECT_EQ(sink.lines().size(), count);
}

TEST_F(Log, threads_share_a_logger) {
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < 100; ++n)
                    logger.info("shared-event", {{"number", n}});
            });
    }
    logger.flush();
    EXPECT_THAT(last(), HasSubstr("\"suppressed\":397"));
}

TEST(LogReadable, form_is_for_people) {
    EXPECT_EQ(readable("plain"), "00:00:00.001 WARN  some-event field=plain");
    EXPECT_EQ(readable("two words"), "00:00:00.001 WARN  some-event field=\"two words\"");
    EXPECT_EQ(readable(""), "00:00:00.001 WARN  some-event field=\"\"");
    EXPECT_EQ(readable("\x1b[31m\n"), "00:00:00.001 WARN  some-event field=\"\\u001b[31m\\n\"");
    EXPECT_EQ(readable(std::chrono::microseconds(160)), "00:00:00.001 WARN  some-event field=160us");
    EXPECT_EQ(readable(std::chrono::milliseconds(1500)), "00:00:00.001 WARN  some-event field=1.5s");
    EXPECT_EQ(readable(std::chrono::nanoseconds(9)), "00:00:00.001 WARN  some-event field=9ns");
    const Error error(ErrorCode::io, "read 'x'");
    const LogField fields[] = {{"error", error}};
    EXPECT_EQ(format_readable({Timestamp(), LogLevel::error, "read-failed", fields, 4}, true),
              "00:00:00.000 \x1b[31;1mERROR\x1b[0m read-failed error=\"read 'x' (io)\" (4 more like this left out)");
}

TEST(LogNull, takes_everything) {
    NullLogger logger;
    EXPECT_FALSE(logger.enabled(LogLevel::error));
    logger.error("nobody-listens", {{"field", 1}});
}

}  // namespace
}  // namespace leftfold
