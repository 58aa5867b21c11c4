#include "leftfold/log/verify.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim_log.hpp"

namespace leftfold::log {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<SimLog> stopped_log(int appends, bool is_stopped = true) {
    auto world = std::make_unique<SimLog>(1, EmbeddedLogOptions{.segment_bytes = 4096});
    EXPECT_TRUE(world->open());
    for (int i = 0; i < appends; ++i) {
        EXPECT_TRUE(world->append(fmt::format("k{}", i % 3), 2, 200));
        EXPECT_TRUE(world->settle());
    }
    world->sim().scheduler().run_until_idle();
    if (is_stopped) {
        EXPECT_TRUE(world->stop());
    }
    return world;
}

LogReport verified(SimLog& world) {
    auto report = verify_log(world.sim().files(), world.options().directory);
    EXPECT_TRUE(report) << report.error().message();
    return std::move(report).value_or(LogReport{});
}

TEST(Verify, counts_what_is_there) {
    const auto world = stopped_log(20);
    std::uint64_t calls = 0;
    VerifyProgress last;
    const auto report =
        verify_log(world->sim().files(), world->options().directory, [&](const VerifyProgress& progress) {
            ++calls;
            last = progress;
        });
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(report->is_sound());
    ASSERT_EQ(report->partitions.size(), 1U);
    const PartitionReport& partition = report->partitions[0];
    EXPECT_EQ(partition.topic, "accounts");
    EXPECT_EQ(partition.batch_count, 20U);
    EXPECT_EQ(partition.record_count, 40U);
    EXPECT_EQ(partition.stream_count, 3U);
    EXPECT_EQ(partition.start, Position(0));
    EXPECT_EQ(partition.end, Position(40));
    EXPECT_EQ(partition.segment_count, world->segments().size());
    EXPECT_GT(partition.segment_count, 2U);
    EXPECT_TRUE(partition.stale_indexes.empty());
    EXPECT_FALSE(partition.unfinished);
    EXPECT_EQ(calls, partition.segment_count);
    EXPECT_EQ(last.bytes_done, last.bytes_total);
}

TEST(Verify, works_beside_the_process_that_holds_the_log) {
    const auto world = stopped_log(20, false);
    const LogReport report = verified(*world);
    EXPECT_TRUE(report.is_sound());
    EXPECT_EQ(report.partitions[0].end, Position(40));
    EXPECT_TRUE(world->append("k0"));
    EXPECT_TRUE(world->settle());
    EXPECT_EQ(verified(*world).partitions[0].end, Position(41));
}

TEST(Verify, damage_is_reported_with_file_and_offset) {
    const auto world = stopped_log(20);
    const std::string name = world->segments().at(1);
    std::string segment = world->read(name);
    segment[600] ^= 1;
    world->write(name, segment);
    const LogReport report = verified(*world);
    EXPECT_FALSE(report.is_sound());
    ASSERT_FALSE(report.partitions[0].damages.empty());
    EXPECT_THAT(report.partitions[0].damages[0].file, HasSubstr(name));
    EXPECT_EQ(report.partitions[0].damages[0].offset, 512U);
    EXPECT_THAT(report.partitions[0].damages[0].what, HasSubstr("checksum"));
}

TEST(Verify, torn_tail_is_unfinished_and_a_stale_index_is_no_damage) {
    const auto world = stopped_log(20);
    const std::string name = world->segments().back();
    const std::string segment = world->read(name);
    world->write(name, segment + "\xFFLFB half a batch");
    const std::string index = world->segments(".index").at(0);
    std::string bytes = world->read(index);
    bytes.back() ^= 1;
    world->write(index, bytes);
    const LogReport report = verified(*world);
    EXPECT_TRUE(report.is_sound());
    ASSERT_TRUE(report.partitions[0].unfinished);
    EXPECT_THAT(report.partitions[0].unfinished->file, HasSubstr(name));
    ASSERT_EQ(report.partitions[0].stale_indexes.size(), 1U);
    EXPECT_THAT(report.partitions[0].stale_indexes[0].file, HasSubstr(index));
}

TEST(Verify, missing_segments_and_missing_logs_are_named) {
    const auto world = stopped_log(20);
    world->remove(world->segments().at(1));
    EXPECT_FALSE(verified(*world).is_sound());
    EXPECT_EQ(verify_log(world->sim().files(), "/nowhere").error().code(), ErrorCode::not_found);
}

TEST(Verify, last_segment_cut_below_a_durable_position_is_damage) {
    const auto world = stopped_log(20);
    world->remove(world->segments().back());
    const LogReport report = verified(*world);
    EXPECT_FALSE(report.is_sound());
}

}  // namespace
}  // namespace leftfold::log
