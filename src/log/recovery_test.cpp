// What a start makes of every state that a crash, a disk or a person can leave behind.
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format.hpp"
#include "sim_log.hpp"

namespace leftfold::log {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kPartition = "topics/accounts/0/";

// Offsets of the batches of a segment, then the end of the last.
std::vector<std::size_t> batch_offsets(const std::string& segment) {
    const auto header = decode_segment_header(segment);
    EXPECT_TRUE(header) << header.error().message();
    std::vector<std::size_t> offsets{header->bytes};
    for (;;) {
        const ParsedBatch parsed = parse_batch(std::string_view(segment).substr(offsets.back()), header->checksum);
        if (parsed.fault != BatchFault::none)
            return offsets;
        offsets.push_back(offsets.back() + parsed.batch.bytes.size());
    }
}

void append_durably(SimLog& world, std::string_view key, std::size_t record_count = 1, std::size_t padding = 10) {
    const auto accepted = world.append(key, record_count, padding);
    ASSERT_TRUE(accepted) << accepted.error().message();
    ASSERT_TRUE(world.settle());
}

// A log whose process was killed behind `count` appends, each durable by itself.
std::unique_ptr<SimLog> killed_log(int count, std::size_t padding = 10) {
    auto world = std::make_unique<SimLog>(1, EmbeddedLogOptions{.segment_bytes = 4096});
    EXPECT_TRUE(world->open());
    for (int i = 0; i < count; ++i)
        append_durably(*world, fmt::format("k{}", i % 2), 1 + static_cast<std::size_t>(i) % 2, padding);
    world->kill();
    return world;
}

std::size_t durable_appends(SimLog& world) {
    EXPECT_EQ(world.check(), std::nullopt);
    return world.oracle().durable_count();
}

void expect_refused(SimLog& world, const std::vector<std::string>& words) {
    const auto opened = world.open();
    ASSERT_FALSE(opened) << "opened, though damaged";
    EXPECT_EQ(opened.error().code(), ErrorCode::corrupt) << opened.error().message();
    for (const std::string& word : words)
        EXPECT_THAT(opened.error().message(), HasSubstr(word));
}

TEST(Recovery, batch_torn_at_any_byte_is_cut) {
    const auto original = killed_log(3);
    const std::string name = original->segments().at(0);
    const std::string segment = original->read(name);
    const auto offsets = batch_offsets(segment);
    ASSERT_EQ(offsets.size(), 4U);
    for (std::size_t cut = offsets[2]; cut < offsets[3]; ++cut) {
        const auto world = killed_log(3);
        std::string torn = segment;
        std::fill(torn.begin() + static_cast<std::ptrdiff_t>(cut), torn.end(), '\0');
        world->write(name, cut % 2 == 0 ? torn : torn.substr(0, cut));
        const auto opened = world->open();
        ASSERT_TRUE(opened) << cut << ": " << opened.error().message();
        EXPECT_EQ(world->log().bounds({})->durable_end, Position(3)) << cut;
        append_durably(*world, "k0");
        ASSERT_TRUE(world->stop() && world->open());
        EXPECT_EQ(world->log().stream_head({}, "k0")->version, Version(2)) << cut;
    }
}

TEST(Recovery, batch_with_any_byte_flipped_in_the_last_group_is_cut) {
    const auto original = killed_log(2);
    const std::string name = original->segments().at(0);
    const std::string segment = original->read(name);
    const auto offsets = batch_offsets(segment);
    for (std::size_t at = offsets[1]; at < offsets[2]; ++at) {
        const auto world = killed_log(2);
        std::string damaged = segment;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
        world->write(name, damaged);
        const auto opened = world->open();
        ASSERT_TRUE(opened) << at << ": " << opened.error().message();
        EXPECT_EQ(world->log().bounds({})->durable_end, Position(1)) << at;
    }
}

TEST(Recovery, byte_flipped_below_a_durable_position_is_refused) {
    const auto original = killed_log(5);
    const std::string name = original->segments().at(0);
    const std::string segment = original->read(name);
    const auto offsets = batch_offsets(segment);
    ASSERT_EQ(offsets.size(), 6U);
    for (std::size_t at = offsets[0]; at < offsets[4]; at += 7) {
        std::string damaged = segment;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x01);
        original->write(name, damaged);
        expect_refused(*original, {name, "log verify", "durable"});
    }
    original->write(name, segment);
    ASSERT_TRUE(original->open());
    EXPECT_EQ(durable_appends(*original), 5U);
}

TEST(Recovery, after_a_clean_stop_the_last_batch_is_known_durable) {
    const auto world = killed_log(2);
    ASSERT_TRUE(world->open() && world->stop());
    const std::string name = world->segments().at(0);
    const std::string segment = world->read(name);
    const auto offsets = batch_offsets(segment);
    std::string damaged = segment;
    damaged[offsets[1] + 70] ^= 1;
    world->write(name, damaged);
    expect_refused(*world, {name, "the manifest says so"});
    world->write(name, segment.substr(0, offsets[1]));
    expect_refused(*world, {name, "the manifest says so"});
    world->remove(name);
    expect_refused(*world, {"segments are missing"});
}

TEST(Recovery, whole_batches_behind_a_torn_one_never_come_back) {
    SimLog world(1);
    ASSERT_TRUE(world.open());
    append_durably(world, "a", 1, 300);
    // One group of three batches of equal size.
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(world.append("a", 1, 300));
    ASSERT_TRUE(world.settle());
    world.kill();
    const std::string name = world.segments().at(0);
    std::string segment = world.read(name);
    const auto offsets = batch_offsets(segment);
    ASSERT_EQ(offsets.size(), 5U);
    segment[offsets[1] + 100] ^= 1;
    world.write(name, segment);
    ASSERT_TRUE(world.open());
    EXPECT_EQ(world.log().stream_head({}, "a")->version, Version(1));
    const std::string payload = AppendOracle::payload(9, 0, 300);
    Record record;
    record.meta.type = "test.happened";
    record.meta.command_id = "command-9";
    record.meta.command_id_source = CommandIdSource::client;
    record.payload = payload;
    bool is_done = false;
    ASSERT_TRUE(world.log().append({{}, "a", ExpectedVersion::any(), {&record, 1}}, [&](auto) { is_done = true; }));
    ASSERT_TRUE(world.sim().scheduler().run_until([&] { return is_done; }));
    world.kill();
    ASSERT_TRUE(world.open());
    EXPECT_EQ(world.log().stream_head({}, "a")->version, Version(2));
    EXPECT_EQ(world.log().bounds({})->durable_end, Position(2));
}

TEST(Recovery, broken_or_missing_segments_are_refused) {
    const auto world = killed_log(40, 300);
    const auto names = world->segments();
    ASSERT_GE(names.size(), 3U);
    // Without index files, so that the segments are looked at.
    for (const std::string& index : world->segments(".index"))
        world->remove(index);
    const std::string middle = world->read(names[1]);
    std::string damaged = middle;
    damaged.back() ^= 1;
    world->write(names[1], damaged);
    expect_refused(*world, {names[1], "in a segment that was closed"});
    world->write(names[1], std::string_view(middle).substr(0, middle.size() - 10));
    expect_refused(*world, {names[1]});
    world->remove(names[1]);
    expect_refused(*world, {names[2], "the segment before it is missing"});
    world->write(names[1], middle);
    ASSERT_TRUE(world->open());
    EXPECT_EQ(durable_appends(*world), 40U);
}

TEST(Recovery, foreign_segments_are_refused) {
    const auto world = killed_log(3);
    const std::string name = world->segments().at(0);
    const std::string own = world->read(name);
    for (const std::uint64_t seed : {2U, 3U}) {
        SimLog other(seed, {.topics = {{seed == 2 ? "accounts" : "others", 1}}});
        ASSERT_TRUE(other.open());
        append_durably(other, "k0");
        ASSERT_TRUE(other.stop());
        world->write(name, other.read(other.segments().at(0)));
        expect_refused(*world, {name, "does not belong here"});
    }
    world->remove(name);
    world->write(fmt::format("{}{:020}.log", kPartition, 77), own);
    expect_refused(*world, {"77.log", "does not belong here"});
}

TEST(Recovery, index_that_is_missing_or_damaged_is_made_again) {
    const auto world = killed_log(60, 300);
    const auto indexes = world->segments(".index");
    ASSERT_GE(indexes.size(), 4U);
    std::vector<std::string> originals;
    for (const std::string& name : indexes)
        originals.push_back(world->read(name));
    world->remove(indexes[0]);
    world->write(indexes[1], std::string_view(originals[1]).substr(0, originals[1].size() / 2));
    world->write(indexes[2], originals[3]);
    ASSERT_TRUE(world->open());
    EXPECT_EQ(durable_appends(*world), 60U);
    ASSERT_TRUE(world->stop());
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_EQ(world->read(indexes[i]), originals[i]) << i;
}

TEST(Recovery, index_with_any_byte_flipped_gives_no_wrong_answer) {
    const auto world = killed_log(30, 100);
    const std::string name = world->segments(".index").at(0);
    const std::string original = world->read(name);
    for (std::size_t at = 0; at < original.size(); at += 3) {
        std::string damaged = original;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x04);
        world->write(name, damaged);
        ASSERT_TRUE(world->open()) << at;
        EXPECT_EQ(durable_appends(*world), 30U) << at;
        ASSERT_TRUE(world->stop());
    }
}

TEST(Recovery, left_over_files_are_removed) {
    const auto world = killed_log(3);
    world->write(fmt::format("{}{:020}.log.new", kPartition, 4), "half a header");
    world->write(fmt::format("{}{:020}.index.tmp", kPartition, 0), "half an index");
    ASSERT_TRUE(world->open());
    EXPECT_EQ(durable_appends(*world), 3U);
    EXPECT_TRUE(world->segments(".new").empty());
    EXPECT_TRUE(world->segments(".tmp").empty());
}

TEST(Recovery, damaged_manifest_is_refused_and_a_newer_one_named) {
    const auto world = killed_log(3);
    const std::string manifest = world->read("manifest");
    for (std::size_t at = 0; at < manifest.size(); at += 5) {
        std::string damaged = manifest;
        damaged[at] ^= 2;
        world->write("manifest", damaged);
        EXPECT_FALSE(world->open()) << at;
    }
    world->remove("manifest");
    expect_refused(*world, {"no manifest"});
    world->write("manifest", manifest);
    ASSERT_TRUE(world->open());
    EXPECT_EQ(durable_appends(*world), 3U);
}

TEST(Recovery, topics_are_added_and_never_resized) {
    const auto world = killed_log(3);
    EmbeddedLogOptions options = world->options();
    options.topics = {{"accounts", 2}};
    const auto resized = open_embedded_log(world->sim().env(), options);
    ASSERT_FALSE(resized);
    EXPECT_EQ(resized.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(resized.error().message(), HasSubstr("declare 1"));
    options.topics = {{"new", 3}, {"accounts", 1}};
    const auto added = open_embedded_log(world->sim().env(), options);
    ASSERT_TRUE(added) << added.error().message();
    EXPECT_EQ((*added)->bounds({TopicId(1), PartitionId(0)})->durable_end, Position(4));
}

TEST(Recovery, recorded_time_does_not_fall_with_the_clock) {
    const auto world = killed_log(30, 300);
    ASSERT_TRUE(world->open());
    const Timestamp before = world->log().read({}, Position(0))->records().back().meta.recorded_at;
    world->sim().clock().jump_wall(-std::chrono::hours(48));
    const auto accepted = world->append("k0");
    ASSERT_TRUE(accepted);
    EXPECT_GE(accepted->recorded_at, before);
    ASSERT_TRUE(world->settle());
    ASSERT_TRUE(world->stop() && world->open());
    const auto again = world->append("k0");
    ASSERT_TRUE(again);
    EXPECT_GE(again->recorded_at, accepted->recorded_at);
    ASSERT_TRUE(world->settle());
    EXPECT_EQ(world->check(), std::nullopt);
}

TEST(Recovery, second_open_is_refused_and_says_what_to_do) {
    const auto world = killed_log(1);
    ASSERT_TRUE(world->open());
    const auto second = open_embedded_log(world->sim().env(), world->options());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(second.error().message(), AllOf(HasSubstr("/var/lib/leftfold"), HasSubstr("stop that one")));
}

TEST(Recovery, options_that_cannot_be_are_all_reported_together) {
    SimLog world(1, {.segment_bytes = 1, .pending_bytes_max = 0, .append_bytes_max = 0});
    const auto opened = world.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::invalid_argument);
    for (const char* word : {"segment_bytes", "pending_bytes_max", "append_bytes_max"})
        EXPECT_THAT(opened.error().message(), HasSubstr(word));
    for (const char* name : {"", "..", "a/b", "Ä", "UPPER"}) {
        SimLog named(1, {.topics = {{name, 1}}});
        EXPECT_EQ(named.open().error().code(), ErrorCode::invalid_argument) << name;
    }
}

}  // namespace
}  // namespace leftfold::log
