#include "leftfold/app/value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leftfold {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The message of the error, or "ok".
std::string give(const Value& value, std::string text) {
    const std::vector<std::string> texts = {std::move(text)};
    const Result<> assigned = value.assign(texts);
    return assigned ? "ok" : assigned.error().message();
}

TEST(Value, integer_keeps_its_range) {
    std::uint16_t port = 8080;
    const Value value = Value::integer(port, 1, 65535);
    EXPECT_THAT(value.texts(), ElementsAre("8080"));
    EXPECT_EQ(give(value, "65535"), "ok");
    EXPECT_EQ(port, 65535);
    for (const char* wrong : {"0", "65536", "-1", "", "8080x", " 80", "1e3", "99999999999999999999"})
        EXPECT_EQ(give(value, wrong), "expected a whole number from 1 to 65535") << wrong;
    EXPECT_EQ(port, 65535) << "a wrong text leaves the variable as it was";

    std::int64_t any = 0;
    EXPECT_EQ(give(Value::integer(any), "x"), "expected a whole number");
    EXPECT_EQ(give(Value::integer(any, 1), "0"), "expected a whole number, 1 or more");
    EXPECT_EQ(give(Value::integer(any), "-9223372036854775808"), "ok");
}

TEST(Value, boolean_takes_the_usual_words) {
    bool flag = false;
    const Value value = Value::boolean(flag);
    for (const char* yes : {"true", "yes", "on", "1"}) {
        flag = false;
        EXPECT_EQ(give(value, yes), "ok");
        EXPECT_TRUE(flag);
    }
    EXPECT_EQ(give(value, "off"), "ok");
    EXPECT_FALSE(flag);
    EXPECT_EQ(give(value, "maybe"), "expected true or false");
}

TEST(Value, sizes_have_binary_units) {
    EXPECT_EQ(parse_size_bytes("64MiB").value(), 64u * 1024 * 1024);
    EXPECT_EQ(parse_size_bytes("0").value(), 0u);
    EXPECT_EQ(parse_size_bytes("512").value(), 512u);
    EXPECT_EQ(parse_size_bytes("1TiB").value(), 1099511627776u);
    for (const char* wrong : {"", "MiB", "1.5MiB", "64MB", "64 MiB", "-1", "99999999TiB", "18446744073709551616"})
        EXPECT_FALSE(parse_size_bytes(wrong)) << wrong;
    EXPECT_EQ(print_size_bytes(64u << 20), "64MiB");
    EXPECT_EQ(print_size_bytes(1025), "1025B");
    EXPECT_EQ(print_size_bytes(0), "0B");

    std::uint64_t size = 1 << 20;
    EXPECT_EQ(give(Value::size_bytes(size, 4096, 1 << 30), "1KiB"), "expected a size from 4KiB to 1GiB");
}

TEST(Value, durations_have_units) {
    EXPECT_EQ(parse_duration("10s").value(), seconds(10));
    EXPECT_EQ(parse_duration("250ms").value(), milliseconds(250));
    EXPECT_EQ(parse_duration("7d").value(), hours(7 * 24));
    for (const char* wrong : {"", "10", "s", "1.5s", "10 s", "-1s", "10sec", "999999999999d", "9223372036854775808ns"})
        EXPECT_FALSE(parse_duration(wrong)) << wrong;
    EXPECT_EQ(print_duration(hours(7 * 24)), "7d");
    EXPECT_EQ(print_duration(milliseconds(1500)), "1500ms");
    EXPECT_EQ(print_duration(Duration::zero()), "0s");
    EXPECT_EQ(print_duration(seconds(-90)), "-90s");
    EXPECT_EQ(parse_duration(print_duration(Duration(1))).value(), Duration(1));

    Duration timeout = seconds(5);
    EXPECT_EQ(give(Value::duration(timeout, milliseconds(1), hours(1)), "2h"), "expected a duration from 1ms to 1h");
}

TEST(Value, endpoint_is_numeric_or_local) {
    const auto written = [](std::string_view text) {
        const auto endpoint = parse_endpoint(text);
        return endpoint ? to_string(*endpoint) : "refused";
    };
    for (const char* good : {"127.0.0.1:8080", "[::1]:0", "localhost:65535", "unix:/run/x.sock"})
        EXPECT_EQ(written(good), good);
    for (const char* wrong : {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80",
                              "[127.0.0.1]:80", "example.org:80", "256.0.0.1:80", "unix:"})
        EXPECT_EQ(written(wrong), "refused") << wrong;
    EXPECT_EQ(written("unix:/" + std::string(107, 'x')), "refused");
}

TEST(Value, choice_is_one_of_its_names) {
    enum class Level { low, high };
    Level level = Level::high;
    const Value value = Value::choice<Level>(level, {{"low", Level::low}, {"high", Level::high}});
    EXPECT_EQ(value.placeholder(), "low|high");
    EXPECT_THAT(value.texts(), ElementsAre("high"));
    EXPECT_EQ(give(value, "low"), "ok");
    EXPECT_EQ(level, Level::low);
    EXPECT_EQ(give(value, "LOW"), "expected one of low|high");
}

TEST(Value, list_and_optional_may_be_empty) {
    std::vector<std::string> services;
    const Value list = Value::list(services);
    EXPECT_THAT(list.texts(), IsEmpty());
    const std::vector<std::string> two = {"a", "b"};
    EXPECT_TRUE(list.assign(two));
    EXPECT_THAT(services, ElementsAre("a", "b"));

    std::optional<std::string> time;
    const Value optional = Value::text(time);
    EXPECT_THAT(optional.texts(), IsEmpty());
    EXPECT_EQ(give(optional, ""), "ok");
    EXPECT_EQ(time, "");
    EXPECT_FALSE(optional.assign(two));
}

TEST(Value, custom_brings_its_own_form) {
    std::optional<int> roman;
    const Value value = Value::custom<int>(
        roman, "ROMAN",
        [](std::string_view text) -> Result<int> {
            if (text == "IV")
                return 4;
            return fail(ErrorCode::invalid_argument, "expected a number such as IV");
        },
        [](const int& number) { return number == 4 ? std::string("IV") : std::string("?"); });
    EXPECT_EQ(give(value, "4"), "expected a number such as IV");
    EXPECT_EQ(give(value, "IV"), "ok");
    EXPECT_THAT(value.texts(), ElementsAre("IV"));
}

}  // namespace
}  // namespace leftfold
