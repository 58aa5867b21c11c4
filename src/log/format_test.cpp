#include "format.hpp"

#include <cstring>

#include <gtest/gtest.h>

namespace leftfold::log {
namespace {

SegmentHeader header_of(std::string topic) {
    SegmentHeader header;
    header.incarnation = Uuid({1, 2, 3});
    header.topic = std::move(topic);
    header.partition = PartitionId(3);
    header.base = Position(42);
    header.previous_base = Position(7);
    header.created_at = timestamp_from_micros(1'000'000);
    header.epoch = Epoch(5);
    return header;
}

std::string batch_of(std::string_view key, std::span<const Record> records, std::uint32_t seed) {
    BatchFields fields;
    fields.key = key;
    fields.base = Position(10);
    fields.first_version = Version(4);
    fields.recorded_at = timestamp_from_micros(5'000);
    fields.epoch = Epoch(2);
    std::string bytes(encoded_batch_bytes(fields, records), '\0');
    encode_batch(bytes.data(), bytes.size(), fields, records);
    seal_batch(bytes.data(), Position(8), seed);
    return bytes;
}

Record record_of(std::string_view payload) {
    Record record;
    record.meta.id = Uuid({9, 8, 7});
    record.meta.type = "t";
    record.meta.time = timestamp_from_micros(-3);
    record.meta.command_id = "c";
    record.meta.command_id_source = CommandIdSource::client;
    record.payload = payload;
    return record;
}

TEST(SegmentHeader, comes_back) {
    const auto decoded = decode_segment_header(encode_segment_header(header_of("accounts")));
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(decoded->incarnation, Uuid({1, 2, 3}));
    EXPECT_EQ(decoded->topic, "accounts");
    EXPECT_EQ(decoded->partition, PartitionId(3));
    EXPECT_EQ(decoded->base, Position(42));
    EXPECT_EQ(decoded->previous_base, Position(7));
    EXPECT_EQ(decoded->epoch, Epoch(5));
}

TEST(SegmentHeader, every_flipped_byte_is_noticed) {
    const std::string good = encode_segment_header(header_of("accounts"));
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x40);
        EXPECT_FALSE(decode_segment_header(bad)) << at;
        EXPECT_FALSE(decode_segment_header(std::string_view(good).substr(0, at))) << at;
    }
}

TEST(Batch, comes_back) {
    const std::vector<Record> records{record_of("{\"a\":1}"), record_of("")};
    const std::string bytes = batch_of("key", records, 77);
    const std::string longer = bytes + "more";
    const ParsedBatch parsed = parse_batch(longer, 77);
    ASSERT_EQ(parsed.fault, BatchFault::none);
    EXPECT_EQ(parsed.batch.bytes.size(), bytes.size());
    EXPECT_EQ(parsed.batch.key, "key");
    EXPECT_EQ(parsed.batch.base, Position(10));
    EXPECT_EQ(parsed.batch.end(), Position(12));
    EXPECT_EQ(parsed.batch.last_version(), Version(5));
    EXPECT_EQ(parsed.batch.durable_up_to, Position(8));
    std::vector<Record> decoded;
    ASSERT_TRUE(decode_records(parsed.batch, decoded));
    ASSERT_EQ(decoded.size(), 2U);
    EXPECT_EQ(decoded[0].payload, "{\"a\":1}");
    EXPECT_EQ(decoded[0].meta.time, timestamp_from_micros(-3));
    EXPECT_EQ(decoded[0].meta.recorded_at, timestamp_from_micros(5'000));
    EXPECT_EQ(decoded[1].position, Position(11));
    EXPECT_EQ(decoded[1].meta.version, Version(5));
    EXPECT_EQ(decoded[1].meta.key, "key");
}

TEST(Batch, every_flipped_byte_and_every_cut_is_noticed) {
    const std::vector<Record> records{record_of("{\"a\":1}")};
    const std::string good = batch_of("key", records, 77);
    EXPECT_EQ(parse_batch(good, 78).fault, BatchFault::checksum) << "valid in another segment";
    EXPECT_EQ(parse_batch("", 77).fault, BatchFault::empty);
    EXPECT_EQ(parse_batch(std::string(100, '\0'), 77).fault, BatchFault::empty);
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x01);
        EXPECT_NE(parse_batch(bad, 77).fault, BatchFault::none) << at;
        EXPECT_NE(parse_batch(std::string_view(good).substr(0, at), 77).fault, BatchFault::none) << at;
    }
    const ParsedBatch cut = parse_batch(std::string_view(good).substr(0, good.size() - 1), 77);
    EXPECT_EQ(cut.fault, BatchFault::cut_short);
    EXPECT_EQ(cut.needed_bytes, good.size());
}

TEST(Batch, longer_header_and_record_of_a_newer_writer_are_read) {
    const std::vector<Record> records{record_of("{}")};
    std::string bytes = batch_of("key", records, 0);
    bytes.insert(kBatchHeaderBytes, "new!");
    const auto length = static_cast<std::uint32_t>(bytes.size());
    std::memcpy(bytes.data() + 8, &length, sizeof length);
    bytes[12] = kBatchHeaderBytes + 4;
    seal_batch(bytes.data(), Position(0), 0);
    const ParsedBatch parsed = parse_batch(bytes, 0);
    ASSERT_EQ(parsed.fault, BatchFault::none);
    EXPECT_EQ(parsed.batch.key, "key");
    std::vector<Record> decoded;
    ASSERT_TRUE(decode_records(parsed.batch, decoded));
    EXPECT_EQ(decoded[0].payload, "{}");
}

TEST(Batch, unknown_required_features_are_unsupported_not_damage) {
    const std::vector<Record> records{record_of("{}")};
    for (const std::size_t at : {14U, 15U, 16U}) {
        std::string bytes = batch_of("key", records, 0);
        bytes[at] = 9;
        seal_batch(bytes.data(), Position(0), 0);
        EXPECT_EQ(parse_batch(bytes, 0).fault, BatchFault::unsupported) << at;
    }
}

}  // namespace
}  // namespace leftfold::log
