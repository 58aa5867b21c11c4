#include "server_codec.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include <gtest/gtest.h>

#include "testing/fake_world.hpp"

namespace leftfold::http {
namespace {

constexpr std::string_view kDate = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

std::string answer(std::string_view status, std::string_view body, std::string_view more = "") {
    std::string text = "HTTP/1.1 " + std::string(status) + "\r\n";
    text.append(kDate).append("Content-Type: text/plain; charset=utf-8\r\nContent-Length: ");
    return text.append(std::to_string(body.size())).append("\r\n").append(more).append("\r\n").append(body);
}

class ServerCodecTest : public testing::Test {
  protected:
    FakeClock clock_;
    CodecShared shared_{.limits = {.header_bytes_max = 1000, .header_count_max = 10, .body_bytes_max = 1000},
                        .scratch = {},
                        .writer = ResponseWriter(clock_)};
    ServerCodec codec_{shared_};

    // The ticket of the one request in `bytes`.
    std::uint64_t read(std::string_view bytes) {
        EXPECT_EQ(codec_.read(bytes), ServerCodec::Event::request);
        EXPECT_TRUE(bytes.empty());
        return codec_.ticket();
    }
    ServerCodec::Event feed(std::string_view bytes) { return codec_.read(bytes); }
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(ServerCodecTest, answer_is_exact_to_the_byte) {
    codec_.reply(read(kGet), text_response(200, "hello").add_header("ETag", "\"1\""));
    EXPECT_EQ(codec_.take_output(), answer("200 OK", "hello", "ETag: \"1\"\r\n"));
    codec_.reply(read(kGet), Response{.status = 204});
    EXPECT_EQ(codec_.take_output(), "HTTP/1.1 204 No Content\r\n" + std::string(kDate) + "\r\n");
    EXPECT_FALSE(codec_.finished());
}

TEST_F(ServerCodecTest, date_follows_the_clock) {
    clock_.elapsed = std::chrono::milliseconds(1500);
    codec_.reply(read(kGet), text_response(200, ""));
    EXPECT_NE(codec_.take_output().find("08:49:38 GMT"), std::string::npos);
}

TEST_F(ServerCodecTest, head_is_answered_without_body) {
    codec_.reply(read("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"), text_response(200, "hello"));
    codec_.reply(read(kGet), text_response(200, "x"));
    const std::string head = answer("200 OK", "hello");
    EXPECT_EQ(codec_.take_output(), head.substr(0, head.size() - 5) + answer("200 OK", "x"));
}

TEST_F(ServerCodecTest, answers_leave_in_the_order_of_requests_whatever_order_they_are_given_in) {
    std::array<std::size_t, 5> order{};
    std::iota(order.begin(), order.end(), std::size_t{0});
    do {
        std::array<std::uint64_t, 5> tickets{};
        std::string expected;
        for (std::size_t i = 0; i < order.size(); ++i) {
            tickets[i] = read(kGet);
            expected += answer("200 OK", std::to_string(i));
        }
        EXPECT_EQ(codec_.unanswered(), order.size());
        std::string output;
        for (const std::size_t i : order) {
            codec_.reply(tickets[i], text_response(200, std::to_string(i)));
            output += codec_.take_output();
        }
        ASSERT_EQ(output, expected);
        EXPECT_EQ(codec_.unanswered(), 0U);
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(ServerCodecTest, last_answer_says_close_and_nothing_more_is_read) {
    const auto first = read(kGet);
    const auto last = read("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(feed(kGet), ServerCodec::Event::over);
    codec_.reply(last, text_response(200, "last"));
    EXPECT_EQ(codec_.output_bytes(), 0U);
    EXPECT_FALSE(codec_.finished());
    codec_.reply(first, text_response(200, "first"));
    EXPECT_EQ(codec_.take_output(), answer("200 OK", "first") + answer("200 OK", "last", "Connection: close\r\n"));
    EXPECT_TRUE(codec_.finished());
}

TEST_F(ServerCodecTest, http10_is_closed) {
    codec_.reply(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), text_response(200, "x"));
    EXPECT_EQ(codec_.take_output(), answer("200 OK", "x", "Connection: close\r\n"));
    EXPECT_TRUE(codec_.finished());
}

TEST_F(ServerCodecTest, refusal_waits_for_earlier_answers) {
    const auto first = read(kGet);
    EXPECT_EQ(feed("GET / HTTP/1.1\r\n\r\n"), ServerCodec::Event::refused);
    EXPECT_EQ(feed(kGet), ServerCodec::Event::over);
    EXPECT_EQ(codec_.output_bytes(), 0U);
    codec_.reply(first, text_response(200, "x"));
    const std::string output = codec_.take_output();
    EXPECT_TRUE(output.starts_with(answer("200 OK", "x") + "HTTP/1.1 400 Bad Request\r\n")) << output;
    EXPECT_NE(output.find("Content-Type: application/problem+json\r\n"), std::string::npos);
    EXPECT_NE(output.find("Connection: close\r\n"), std::string::npos);
    EXPECT_NE(output.find(R"({"type":"urn:leftfold:problem:malformed-request",)"), std::string::npos);
    EXPECT_TRUE(codec_.finished());
}

TEST_F(ServerCodecTest, refusal_over_a_limit_names_the_limit) {
    EXPECT_EQ(feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n"), ServerCodec::Event::refused);
    const std::string output = codec_.take_output();
    EXPECT_TRUE(output.starts_with("HTTP/1.1 413 Content Too Large\r\n"));
    EXPECT_TRUE(output.ends_with(R"("limit_bytes":1000})")) << output;
}

TEST_F(ServerCodecTest, body_that_waits_for_continue_gets_it) {
    EXPECT_EQ(feed("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"),
              ServerCodec::Event::need_more);
    EXPECT_EQ(codec_.take_output(), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_TRUE(codec_.mid_body());
    codec_.reply(read("x"), text_response(200, "done"));
    EXPECT_EQ(codec_.take_output(), answer("200 OK", "done"));
}

TEST_F(ServerCodecTest, continue_is_left_out_where_the_body_is_there) {
    read("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx");
    EXPECT_EQ(codec_.output_bytes(), 0U);
}

TEST_F(ServerCodecTest, continue_does_not_overtake_an_answer) {
    const auto first = read(kGet);
    EXPECT_EQ(feed("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"),
              ServerCodec::Event::need_more);
    EXPECT_EQ(codec_.output_bytes(), 0U);
    codec_.reply(first, text_response(200, "x"));
    EXPECT_EQ(codec_.take_output(), answer("200 OK", "x") + "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST_F(ServerCodecTest, too_large_body_is_refused_instead_of_continued) {
    EXPECT_EQ(feed("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n"),
              ServerCodec::Event::refused);
    EXPECT_TRUE(codec_.take_output().starts_with("HTTP/1.1 413 "));
}

TEST_F(ServerCodecTest, finish_when_idle_reads_nothing_more) {
    codec_.finish();
    EXPECT_TRUE(codec_.finished());
    EXPECT_EQ(feed(kGet), ServerCodec::Event::over);
}

TEST_F(ServerCodecTest, finish_lets_the_answers_out_and_marks_the_last) {
    const auto first = read(kGet);
    const auto second = read(kGet);
    codec_.reply(second, text_response(200, "2"));
    codec_.finish();
    EXPECT_EQ(feed(kGet), ServerCodec::Event::over);
    EXPECT_FALSE(codec_.finished());
    codec_.reply(first, text_response(200, "1"));
    EXPECT_EQ(codec_.take_output(), answer("200 OK", "1") + answer("200 OK", "2", "Connection: close\r\n"));
    EXPECT_TRUE(codec_.finished());
}

TEST_F(ServerCodecTest, finish_lets_the_request_underway_end) {
    EXPECT_EQ(feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx"), ServerCodec::Event::need_more);
    codec_.finish();
    EXPECT_FALSE(codec_.finished());
    codec_.reply(read("y"), text_response(200, "done"));
    EXPECT_EQ(codec_.take_output(), answer("200 OK", "done", "Connection: close\r\n"));
    EXPECT_TRUE(codec_.finished());
}

TEST(HttpDate, leap_days_and_all_months_are_right) {
    EXPECT_EQ(to_http_date(*parse_rfc3339("1994-11-06T08:49:37Z")), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(to_http_date(*parse_rfc3339("2024-02-29T23:59:59.999Z")), "Thu, 29 Feb 2024 23:59:59 GMT");
    EXPECT_EQ(to_http_date(*parse_rfc3339("2026-01-01T00:00:00Z")), "Thu, 01 Jan 2026 00:00:00 GMT");
}

}  // namespace
}  // namespace leftfold::http
