// Disks that are full, read-only or failing under a running log.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/base/murmur2.hpp"

#include "sim_log.hpp"

namespace leftfold::log {
namespace {

using ::testing::HasSubstr;

Record record_of(std::string_view payload) {
    Record record;
    record.meta.type = "t";
    record.payload = payload;
    return record;
}

TEST(Fault, full_disk_fails_what_waits_in_order_and_serves_again_when_there_is_space) {
    SimLog world(1);
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(world.append("a"));
    ASSERT_TRUE(world.settle());
    world.sim().files().set_capacity(world.sim().files().used_bytes());
    // More than what is reserved.
    const std::string payload(900'000, 'p');
    const Record record = record_of(payload);
    std::vector<int> order;
    ErrorCode code{};
    int accepted = 0;
    for (int i = 0; i < 8; ++i) {
        if (i == 6)
            world.sim().scheduler().step();  // the first six are on their way now
        ASSERT_TRUE(
            world.log().append({{}, "a", ExpectedVersion::any(), {&record, 1}}, [&, i](Result<Appended> result) {
                ASSERT_FALSE(result);
                code = result.error().code();
                order.push_back(i);
            }));
        ++accepted;
    }
    bool has_barrier_failed = false;
    world.log().barrier({}, [&](Result<> result) { has_barrier_failed = !result; });
    EXPECT_EQ(world.log().stream_head({}, "a")->version, Version(1 + accepted));
    ASSERT_TRUE(world.sim().scheduler().run_until([&] { return has_barrier_failed; }));
    EXPECT_EQ(code, ErrorCode::no_space);
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(world.log().stream_head({}, "a")->version, Version(1)) << "the run-ahead state did not fall back";
    EXPECT_EQ(world.check(), std::nullopt);
    // What fits in the space that is reserved still goes.
    ASSERT_TRUE(world.append("a"));
    ASSERT_TRUE(world.settle());
    world.sim().files().set_capacity(0);
    bool is_done = false;
    ASSERT_TRUE(
        world.log().append({{}, "a", ExpectedVersion::exactly(Version(2)), {&record, 1}}, [&](Result<Appended> result) {
            EXPECT_TRUE(result) << result.error().message();
            is_done = true;
        }));
    ASSERT_TRUE(world.sim().scheduler().run_until([&] { return is_done; }));
    EXPECT_EQ(world.log().stream_head({}, "a")->version, Version(3));
}

TEST(Fault, full_disk_at_a_segment_roll_is_survived) {
    SimLog world(1, {.segment_bytes = 4096});
    ASSERT_TRUE(world.open());
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(world.append("a", 1, 500));
        ASSERT_TRUE(world.settle());
    }
    world.sim().files().set_capacity(world.sim().files().used_bytes());
    std::size_t durable = world.oracle().durable_count();
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(world.append("a", 1, 500));
        ASSERT_TRUE(world.settle());
    }
    EXPECT_LT(world.oracle().durable_count(), durable + 5) << "the disk was not full";
    world.sim().files().set_capacity(0);
    durable = world.oracle().durable_count();
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(world.append("a", 1, 500));
        ASSERT_TRUE(world.settle());
    }
    EXPECT_EQ(world.oracle().durable_count(), durable + 20);
    EXPECT_EQ(world.check(), std::nullopt);
    world.kill();
    ASSERT_TRUE(world.open());
    EXPECT_EQ(world.check(), std::nullopt);
}

TEST(Fault, failed_sync_stops_the_partition_and_not_the_others) {
    SimLog world(1, {.topics = {{"accounts", 2}}});
    ASSERT_TRUE(world.open());
    std::string of[2];
    for (int i = 0; of[0].empty() || of[1].empty(); ++i)
        of[partition_of(fmt::format("k{}", i), 2).value()] = fmt::format("k{}", i);
    for (const std::string& key : of) {
        ASSERT_TRUE(world.append(key));
        ASSERT_TRUE(world.settle());
    }
    world.sim().files().fail_operation(2, ErrorCode::io);  // write, sync
    std::vector<ErrorCode> codes;
    const Record record = record_of("{}");
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(world.log().append({world.slot_of(of[0]), of[0], ExpectedVersion::any(), {&record, 1}},
                                       [&](Result<Appended> result) { codes.push_back(result.error().code()); }));
    }
    ASSERT_TRUE(world.sim().scheduler().run_until([&] { return codes.size() == 3; }));
    EXPECT_THAT(codes, ::testing::Each(ErrorCode::unavailable));
    const auto refused = world.append(of[0]);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(refused.error().message(), HasSubstr("until the process is started again"));
    bool has_barrier_failed = false;
    world.log().barrier(world.slot_of(of[0]), [&](Result<> result) { has_barrier_failed = !result; });
    ASSERT_TRUE(world.sim().scheduler().run_until([&] { return has_barrier_failed; }));
    EXPECT_EQ(world.log().read(world.slot_of(of[0]), Position(0))->records().size(), 1U) << "reading goes on";
    ASSERT_TRUE(world.append(of[1]));
    ASSERT_TRUE(world.settle());
    world.kill();
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(world.append(of[0]));
    ASSERT_TRUE(world.settle());
}

TEST(Fault, read_only_disk_refuses_appends_and_serves_reads) {
    SimLog world(1);
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(world.append("a"));
    ASSERT_TRUE(world.settle());
    world.sim().files().set_read_only(true);
    const Record record = record_of("{}");
    std::optional<ErrorCode> code;
    ASSERT_TRUE(world.log().append({{}, "a", ExpectedVersion::any(), {&record, 1}},
                                   [&](Result<Appended> result) { code = result.error().code(); }));
    ASSERT_TRUE(world.sim().scheduler().run_until([&] { return code.has_value(); }));
    EXPECT_TRUE(code == ErrorCode::read_only || code == ErrorCode::unavailable);
    EXPECT_EQ(world.check(), std::nullopt);
    world.kill();
    world.sim().files().set_read_only(true);
    EXPECT_FALSE(world.open());
    world.sim().files().set_read_only(false);
    ASSERT_TRUE(world.open());
    EXPECT_EQ(world.log().stream_head({}, "a")->version.value() >= 1, true);
}

// Opens, appends over several segments, stops; one operation fails. Then, without faults, all is checked.
void fail_nth(std::uint64_t n, ErrorCode code, bool& has_failed) {
    SimLog world(n, {.segment_bytes = 4096});
    world.sim().files().fail_operation(n, code);
    if (world.open()) {
        for (int round = 0; round < 4; ++round) {
            for (int i = 0; i < 4; ++i)
                static_cast<void>(world.append(fmt::format("k{}", i), 2, 150));
            ASSERT_TRUE(world.settle());
        }
        if (world.sim().files().fault_count() > 0) {
            // Whatever has failed, what is there stays readable and consistent.
            const auto problem = world.check();
            EXPECT_EQ(problem, std::nullopt);
        }
        ASSERT_TRUE(world.stop());
    }
    has_failed = world.sim().files().fault_count() > 0;
    world.sim().files().cancel_faults();
    world.crash();
    const auto opened = world.open();
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_EQ(world.check(), std::nullopt);
    ASSERT_TRUE(world.append("k0"));
    ASSERT_TRUE(world.settle());
    EXPECT_EQ(world.check(), std::nullopt);
}

TEST(Fault, every_operation_fails_once_and_nothing_acknowledged_is_lost) {
    for (const ErrorCode code : {ErrorCode::io, ErrorCode::no_space, ErrorCode::read_only}) {
        bool has_failed = true;
        std::uint64_t n = 0;
        while (has_failed && !::testing::Test::HasFailure()) {
            SCOPED_TRACE(fmt::format("operation {} fails with {}", ++n, to_string(code)));
            fail_nth(n, code, has_failed);
        }
        EXPECT_GT(n, 50U) << "the scenario does too little";
    }
}

TEST(Fault, overload_is_refused_and_passes) {
    SimLog world(1, {.pending_bytes_max = 10'000});
    ASSERT_TRUE(world.open());
    int accepted = 0;
    Result<Accepted> last;
    do {
        last = world.append("a", 1, 1000);
        accepted += last ? 1 : 0;
    } while (last);
    EXPECT_EQ(last.error().code(), ErrorCode::overloaded);
    EXPECT_TRUE(last.error().retryable());
    EXPECT_GT(accepted, 5);
    EXPECT_LT(accepted, 10);
    ASSERT_TRUE(world.settle());
    EXPECT_TRUE(world.append("a", 1, 1000));
    ASSERT_TRUE(world.settle());
    EXPECT_EQ(world.check(), std::nullopt);
}

}  // namespace
}  // namespace leftfold::log
