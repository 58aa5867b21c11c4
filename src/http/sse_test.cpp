#include "leftfold/http/sse.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace leftfold::http {
namespace {

struct Seen {
    std::string type;
    std::string data;
    std::string id;
    friend bool operator==(const Seen&, const Seen&) = default;
};

struct Outcome {
    std::vector<Seen> events;
    std::string last_id;
    std::optional<Duration> retry;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(std::string_view bytes, std::size_t cut) {
    SseReader reader;
    Outcome outcome;
    const auto receive = [&](const SseReader::Event& event) {
        outcome.events.push_back({std::string(event.type), std::string(event.data), std::string(event.last_id)});
    };
    EXPECT_TRUE(reader.feed(bytes.substr(0, cut), receive));
    EXPECT_TRUE(reader.feed(bytes.substr(cut), receive));
    outcome.last_id = reader.last_id();
    outcome.retry = reader.retry();
    return outcome;
}

// The same, cut at every byte.
Outcome read(std::string_view bytes) {
    const Outcome whole = read(bytes, bytes.size());
    for (std::size_t cut = 0; cut < bytes.size(); ++cut)
        EXPECT_EQ(read(bytes, cut), whole) << cut;
    return whole;
}

// The examples of the specification, §9.2.6, and what it says in words.
TEST(SseReader, events_read_as_specified) {
    EXPECT_EQ(read("data: YHOO\ndata: +2\ndata: 10\n\n").events, (std::vector<Seen>{{"message", "YHOO\n+2\n10", ""}}));
    EXPECT_EQ(
        read(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n").events,
        (std::vector<Seen>{
            {"message", "first event", "1"}, {"message", "second event", ""}, {"message", " third event", ""}}));
    EXPECT_EQ(read("data\n\ndata\ndata\n\ndata:").events,
              (std::vector<Seen>{{"message", "", ""}, {"message", "\n", ""}}));
    EXPECT_EQ(read("data:test\n\ndata: test\n\n").events,
              (std::vector<Seen>{{"message", "test", ""}, {"message", "test", ""}}));
    EXPECT_EQ(read("event: add\ndata: 1\n\ndata: 2\n\n").events,
              (std::vector<Seen>{{"add", "1", ""}, {"message", "2", ""}}));
}

TEST(SseReader, id_without_data_moves_on_and_is_no_event) {
    const Outcome outcome = read("id: 1\ndata: x\n\nid: 2\n\nid: 3\n");
    EXPECT_EQ(outcome.events, (std::vector<Seen>{{"message", "x", "1"}}));
    EXPECT_EQ(outcome.last_id, "2");
    EXPECT_EQ(read("id: 2\n\ndata: x\n\n").events, (std::vector<Seen>{{"message", "x", "2"}}));
}

TEST(SseReader, every_line_end_taken) {
    const std::vector<Seen> expected = {{"message", "a\nb", "7"}};
    for (const char* text : {"id: 7\ndata: a\ndata: b\n\n", "id: 7\rdata: a\rdata: b\r\r",
                             "id: 7\r\ndata: a\r\ndata: b\r\n\r\n", "\xEF\xBB\xBFid: 7\ndata: a\r\ndata: b\r\n\n"})
        EXPECT_EQ(read(text).events, expected) << text;
}

TEST(SseReader, unknown_fields_and_bad_values_pass) {
    const std::string text("id: 1\n\nid: a\0b\nretry: soon\nretry: -3\nother: x\n\n", 47);
    const Outcome outcome = read(text);
    EXPECT_EQ(outcome.last_id, "1");
    EXPECT_EQ(outcome.retry, std::nullopt);
    EXPECT_EQ(read("retry: 1500\n\n").retry, Duration(std::chrono::milliseconds(1500)));
}

TEST(SseReader, event_over_the_limit_refused) {
    const auto ignore = [](const SseReader::Event&) {};
    EXPECT_TRUE(SseReader(20).feed("data: 1234\n\n", ignore));
    const auto line = SseReader(20).feed(std::string(21, 'x'), ignore);
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().code(), ErrorCode::too_large);
    EXPECT_FALSE(SseReader(20).feed("data: 1234567890\ndata: 1234567890\n\n", ignore));
}

TEST(Sse, field_of_several_lines_is_read_as_it_was) {
    for (const std::string value : {"", "a", "a\nb", "\n", "a\n\nb\n", " a", "a: b"}) {
        std::string text;
        append_sse_field(text, "data", value);
        text.push_back('\n');
        EXPECT_EQ(read(text).events, (std::vector<Seen>{{"message", value, ""}})) << text;
    }
    std::string text;
    append_sse_field(text, "data", "a\r\nb\rc");
    EXPECT_EQ(text, "data: a\ndata: b\ndata: c\n");
}

}  // namespace
}  // namespace leftfold::http
