#include "request_fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leftfold::gateway {
namespace {

using ::testing::HasSubstr;

// A request with these headers, alive as long as this.
class WithHeaders {
  public:
    WithHeaders(std::initializer_list<http::HeaderField> fields, bool on_loopback = true) : fields_(fields) {
        request_.fields = fields_;
        request_.on_loopback = on_loopback;
    }
    operator const http::Request&() const noexcept { return request_; }  // NOLINT(google-explicit-constructor)

  private:
    std::vector<http::HeaderField> fields_;
    http::Request request_;
};

// The type of a refusal, without what all types begin with.
template <class T>
std::string refusal_of(const OrResponse<T>& answer) {
    if (answer)
        return "accepted";
    constexpr std::string_view before = "urn:leftfold:problem:";
    const std::string& body = answer.error().body;
    const std::size_t begin = body.find(before) + before.size();
    return std::to_string(answer.error().status) + " " + body.substr(begin, body.find('"', begin) - begin);
}

const Uuid kIncarnation = Uuid::v7(timestamp_from_micros(1'000'000), 1, 2);
const Uuid kOther = Uuid::v7(timestamp_from_micros(1'000'000), 3, 4);

TEST(Key, bytes_of_utf8_only) {
    for (const char* key : {"1", "a/b", "caf\u00e9", "\u4e2d\u6587", "\U0001F600", "..", " ", "\"", "a\\b"})
        EXPECT_TRUE(is_valid_key(key)) << key;
    EXPECT_TRUE(is_valid_key(std::string(200, 'a')));
    EXPECT_FALSE(is_valid_key(""));
    EXPECT_FALSE(is_valid_key(std::string(201, 'a')));
    for (const char* key : {"\x01", "a\nb", "\x7f", "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xb8",
                            "\x80", "\xc3(", "\xe0\x80\x80", "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80"})
        EXPECT_FALSE(is_valid_key(key)) << key;
    EXPECT_FALSE(is_valid_key(std::string_view("a\0b", 3)));
}

TEST(CommandId, one_printable_value) {
    EXPECT_EQ(command_id_of(WithHeaders({})), "");
    EXPECT_EQ(command_id_of(WithHeaders({{"idempotency-key", "tx-1"}})), "tx-1");
    EXPECT_EQ(*command_id_of(WithHeaders({{"Idempotency-Key", std::string_view("\"quoted\"")}})), "\"quoted\"");
    const std::string longest(200, 'x');
    EXPECT_EQ(*command_id_of(WithHeaders({{"Idempotency-Key", longest}})), longest);
    const std::string too_long(201, 'x');
    for (const std::string_view bad :
         {std::string_view(""), std::string_view("a b"), std::string_view("caf\u00e9"), std::string_view("a\tb"),
          std::string_view(too_long), std::string_view("leftfold:timer/7")})
        EXPECT_EQ(refusal_of(command_id_of(WithHeaders({{"Idempotency-Key", bad}}))), "400 bad-command-id") << bad;
    EXPECT_EQ(refusal_of(command_id_of(WithHeaders({{"Idempotency-Key", "a"}, {"Idempotency-Key", "a"}}))),
              "400 bad-command-id");
}

std::string expected(std::initializer_list<http::HeaderField> fields) {
    const auto answer = expected_version_of(WithHeaders(fields));
    return answer ? answer->to_string() : refusal_of(answer);
}

TEST(Condition, each_form) {
    EXPECT_EQ(expected({}), log::ExpectedVersion::any().to_string());
    EXPECT_EQ(expected({{"If-Match", "\"7\""}}), "7");
    EXPECT_EQ(expected({{"If-Match", "*"}}), log::ExpectedVersion::exists().to_string());
    EXPECT_EQ(expected({{"If-None-Match", "*"}}), log::ExpectedVersion::none().to_string());
}

TEST(Condition, others_refused) {
    for (const std::string_view bad : {"7", "\"\"", "\"-1\"", "\"+1\"", "\"7", "W/\"7\"", "\"1\", \"2\"", "\"a\"", "",
                                       "\"99999999999999999999\"", "\" 7\""})
        EXPECT_EQ(expected({{"If-Match", bad}}), "400 bad-condition") << bad;
    EXPECT_EQ(expected({{"If-None-Match", "\"7\""}}), "400 bad-condition");
    EXPECT_EQ(expected({{"If-None-Match", "*"}, {"If-Match", "*"}}), "400 bad-condition");
    EXPECT_EQ(expected({{"If-Match", "\"1\""}, {"If-Match", "\"2\""}}), "400 bad-condition");
}

TEST(Time, taken_on_loopback_only) {
    const auto time = time_of(WithHeaders({{"Leftfold-Time", "1993-01-31T01:00:00+01:00"}}));
    ASSERT_TRUE(time && *time);
    EXPECT_EQ(to_rfc3339(**time), "1993-01-31T00:00:00Z");
    EXPECT_EQ(*time_of(WithHeaders({}, false)), std::nullopt);
    EXPECT_EQ(refusal_of(time_of(WithHeaders({{"Leftfold-Time", "1993-01-31T00:00:00Z"}}, false))),
              "403 time-not-trusted");
}

TEST(Time, malformed_refused) {
    for (const std::string_view bad : {"", "yesterday", "1993-01-31", "1993-02-30T00:00:00Z", "1993-01-31T00:00:00"})
        EXPECT_EQ(refusal_of(time_of(WithHeaders({{"Leftfold-Time", bad}}))), "400 bad-time") << bad;
    EXPECT_EQ(refusal_of(time_of(
                  WithHeaders({{"Leftfold-Time", "1993-01-31T00:00:00Z"}, {"Leftfold-Time", "1993-01-31T00:00:00Z"}}))),
              "400 bad-time");
}

TEST(Traceparent, malformed_ignored) {
    constexpr std::string_view good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    EXPECT_EQ(traceparent_of(WithHeaders({{"traceparent", good}})), good);
    for (const std::string_view bad : {"", "00", "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                       "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                       "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"})
        EXPECT_EQ(traceparent_of(WithHeaders({{"traceparent", bad}})), "") << bad;
}

TEST(CorrelationId, one_printable_value) {
    EXPECT_EQ(*correlation_id_of(WithHeaders({})), "");
    EXPECT_EQ(*correlation_id_of(WithHeaders({{"Leftfold-Correlation-Id", "order-7"}})), "order-7");
    const std::string too_long(201, 'x');
    for (const std::string_view bad : {std::string_view(""), std::string_view("a b"), std::string_view(too_long)})
        EXPECT_EQ(refusal_of(correlation_id_of(WithHeaders({{"Leftfold-Correlation-Id", bad}}))),
                  "400 bad-correlation-id");
}

// Written out, as RFC 3339 or a number.
std::string as_of(std::string_view query) {
    const auto answer = as_of_query(query);
    if (!answer)
        return refusal_of(answer);
    if (const auto* version = std::get_if<AsOfVersion>(&*answer))
        return "version " + std::to_string(version->version.value());
    if (const auto* time = std::get_if<AsOfTime>(&*answer))
        return "time " + to_rfc3339(time->time);
    if (const auto* recorded = std::get_if<AsOfRecorded>(&*answer))
        return "recorded " + to_rfc3339(recorded->time);
    return "now";
}

TEST(AsOfQuery, each_form) {
    EXPECT_EQ(as_of(""), "now");
    EXPECT_EQ(as_of("at_version=3"), "version 3");
    EXPECT_EQ(as_of("at_time=1993-01-31T12:00:00Z"), "time 1993-01-31T12:00:00Z");
    EXPECT_EQ(as_of("at_time=1993-01-31T12:00:00+02:00"), "time 1993-01-31T10:00:00Z");
    EXPECT_EQ(as_of("recorded_at=1993-01-31T12%3A00%3A00Z"), "recorded 1993-01-31T12:00:00Z");
}

TEST(AsOfQuery, date_is_its_end_in_utc) {
    EXPECT_EQ(as_of("at_time=1993-01-31"), "time 1993-01-31T23:59:59.999999Z");
    EXPECT_EQ(as_of("recorded_at=1992-02-29"), "recorded 1992-02-29T23:59:59.999999Z");
}

TEST(AsOfQuery, others_refused) {
    for (const char* bad :
         {"at_version=0", "at_version=-1", "at_version=x", "at_version=", "at_version", "at_time=1993-02-30",
          "at_time=now", "as_of=3", "at_version=1&at_version=2", "at_version=1&at_time=1993-01-31", "at_time=%zz"})
        EXPECT_EQ(as_of(bad), "400 bad-query") << bad;
}

std::string page(std::string_view query) {
    const auto answer = events_page_query(query);
    return answer ? std::to_string(answer->from.value()) + "+" + std::to_string(answer->limit) : refusal_of(answer);
}

TEST(EventsQuery, each_form) {
    EXPECT_EQ(page(""), "1+100");
    EXPECT_EQ(page("from=7"), "7+100");
    EXPECT_EQ(page("limit=1000&from=2"), "2+1000");
    for (const char* bad : {"from=0", "from=-1", "from=x", "limit=0", "limit=1001", "page=2", "from"})
        EXPECT_EQ(page(bad), "400 bad-query") << bad;
}

TEST(Positions, merged_by_maximum) {
    const auto topic = log::topic_hash("a");
    const std::string first = log::make_position_token(kIncarnation, topic, PartitionId(0), Position(5));
    const std::string second = log::make_position_token(kIncarnation, topic, PartitionId(0), Position(9));
    const std::string third = log::make_position_token(kIncarnation, topic, PartitionId(2), Position(1));
    const auto merged = positions_of(
        WithHeaders({{"Leftfold-Position", second}, {"leftfold-position", first}, {"Leftfold-Position", third}}),
        kIncarnation);
    ASSERT_TRUE(merged && *merged);
    const log::PositionToken::Entries entries = {{{topic, PartitionId(0)}, Position(9)},
                                                 {{topic, PartitionId(2)}, Position(1)}};
    EXPECT_EQ((*merged)->entries(), entries);
    EXPECT_EQ(*positions_of(WithHeaders({}), kIncarnation), std::nullopt);
}

TEST(Positions, malformed_and_foreign_refused) {
    EXPECT_EQ(refusal_of(positions_of(WithHeaders({{"Leftfold-Position", "nonsense"}}), kIncarnation)),
              "400 bad-position");
    EXPECT_EQ(refusal_of(positions_of(WithHeaders({{"Leftfold-Position", ""}}), kIncarnation)), "400 bad-position");
    const std::string foreign = log::make_position_token(kOther, log::topic_hash("a"), PartitionId(0), Position(5));
    EXPECT_EQ(refusal_of(positions_of(WithHeaders({{"Leftfold-Position", foreign}}), kIncarnation)),
              "409 foreign-position");
}

}  // namespace
}  // namespace leftfold::gateway
