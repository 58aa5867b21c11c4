#include "leftfold/log/position_token.hpp"

#include <gtest/gtest.h>

namespace leftfold::log {
namespace {

Uuid some_incarnation() {
    return Uuid::parse("0191e3a0-1b2c-7def-8123-456789abcdef").value();
}

TEST(PositionToken, text_round_trips) {
    PositionToken token(some_incarnation());
    token.advance(topic_hash("bank.account"), PartitionId(3), Position(1'000'000));
    token.advance(topic_hash("bank.account"), PartitionId(0), Position(0));
    token.advance(topic_hash("bank.transfer"), PartitionId(1), Position(INT64_MAX));
    const auto back = PositionToken::parse(token.to_string()).value();
    EXPECT_EQ(back.incarnation(), some_incarnation());
    EXPECT_EQ(back.entries(), token.entries());
}

// By Python: base64.urlsafe_b64encode(uuid.bytes + b"\x01" + struct.pack("<I", crc32c(b"123456789")) + b"\x02" +
// b"\x07")
TEST(PositionToken, written_form_is_as_documented) {
    EXPECT_EQ(make_position_token(some_incarnation(), topic_hash("123456789"), PartitionId(2), Position(7)),
              "1.AZHjoBssfe-BI0VniavN7wGDkgbjAgc");
}

TEST(PositionToken, one_entry_equals_general_form) {
    PositionToken token(some_incarnation());
    token.advance(topic_hash("t"), PartitionId(2), Position(300));
    EXPECT_EQ(make_position_token(some_incarnation(), topic_hash("t"), PartitionId(2), Position(300)),
              token.to_string());
}

TEST(PositionToken, several_entries_equal_general_form) {
    PositionToken token(some_incarnation());
    std::vector<PositionEntry> entries;
    for (std::uint32_t partition = 0; partition < 3; ++partition) {
        entries.push_back({topic_hash("t"), PartitionId(partition), Position(1LL << (partition * 20))});
        token.advance(entries.back().topic, entries.back().partition, entries.back().position);
    }
    std::string text = "id: ";
    append_position_token(text, some_incarnation(), entries);
    EXPECT_EQ(text, "id: " + token.to_string());
    EXPECT_EQ(PositionToken::parse(text.substr(4))->entries(), token.entries());
}

TEST(PositionToken, merge_takes_the_maximum) {
    const TopicHash topic = topic_hash("t");
    PositionToken a(some_incarnation());
    PositionToken b(some_incarnation());
    a.advance(topic, PartitionId(0), Position(5));
    b.advance(topic, PartitionId(0), Position(3));
    b.advance(topic, PartitionId(1), Position(9));
    ASSERT_TRUE(a.merge(b).has_value());
    EXPECT_EQ(a.entries().at({topic, PartitionId(0)}), Position(5));
    EXPECT_EQ(a.entries().at({topic, PartitionId(1)}), Position(9));
    EXPECT_FALSE(a.merge(PositionToken(Uuid())).has_value());
}

TEST(PositionToken, malformed_is_refused_at_every_cut) {
    PositionToken token(some_incarnation());
    token.advance(topic_hash("t"), PartitionId(2), Position(300));
    const std::string text = token.to_string();
    for (std::size_t cut = 0; cut < text.size(); ++cut)
        EXPECT_EQ(PositionToken::parse(std::string_view(text).substr(0, cut)).error().code(),
                  ErrorCode::invalid_argument)
            << cut;
    EXPECT_EQ(PositionToken::parse(text + "A").error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(PositionToken::parse("1.%%%").error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(PositionToken::parse("2.AAAA").error().code(), ErrorCode::unsupported);
}

}  // namespace
}  // namespace leftfold::log
