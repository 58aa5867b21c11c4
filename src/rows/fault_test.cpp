// Disks that are full, read-only or failing under an open store.
#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim_store.hpp"

namespace leftfold::rows {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;

// A store of a few transactions, in which the n-th operation fails. Every error is clear, the store goes on or says
// that it must be opened again, and at the end it is as some transaction left it.
class FaultScenario {
  public:
    FaultScenario(std::uint64_t n, ErrorCode code)
        : world_(n, {.writer_cache_bytes = 4 * 4096, .checkpoint_wal_bytes = 8 * 4096, .wal_bytes_max = 8 * 4096}) {
        world_.files().fail_operation(n, code);
    }

    bool has_failed() { return world_.files().fault_count() > 0; }

    void run() {
        open();
        for (int round = 0; round < 3; ++round) {
            expect_clear(world_.is_open() ? world_.transact(20) : closed());
            expect_clear(world_.is_open() ? world_.transact_and_roll_back(10) : closed());
            expect_clear(world_.is_open() ? world_.sync() : closed());
            expect_clear(world_.is_open() ? world_.store().copy_to(fmt::format("rows/copy-{}", round)) : closed());
            if (!world_.is_open() || round == 1)
                open();
        }
        const bool had_fault = has_failed();
        world_.files().cancel_faults();
        if (had_fault && world_.is_open()) {
            // The fault has passed.
            auto done = world_.transact(5);
            if (!done && done.error().code() == ErrorCode::unavailable) {
                open();
                done = world_.transact(5);
            }
            ASSERT_TRUE(done) << done.error().message();
            ASSERT_TRUE(world_.sync());
        }
        world_.crash();
        open();
        ASSERT_TRUE(world_.is_open());
        ASSERT_TRUE(world_.transact(5));
        ASSERT_TRUE(world_.sync());
        EXPECT_EQ(world_.check(), std::nullopt);
    }

  private:
    static Result<> closed() { return {}; }

    void open() {
        const std::uint64_t before = world_.files().fault_count();
        auto opened = world_.open();
        expect_clear(opened ? Result<>{} : std::unexpected(opened.error()));
        if (!world_.is_open())
            return;
        const auto problem = world_.check_opened();
        if (world_.files().fault_count() == before)
            ASSERT_EQ(problem, std::nullopt);
        else if (problem)
            world_.close();
    }

    void expect_clear(const Result<>& result) {
        if (result)
            return;
        const Error& error = result.error();
        EXPECT_THAT(error.code(), AnyOf(Eq(ErrorCode::io), Eq(ErrorCode::no_space), Eq(ErrorCode::read_only),
                                        Eq(ErrorCode::unavailable)))
            << error.message();
        EXPECT_THAT(error.message(), HasSubstr("'rows")) << "says where";
        EXPECT_THAT(error.message(), HasSubstr("(simulated, operation")) << "keeps what the file system said";
        EXPECT_TRUE(has_failed()) << "an error without a fault: " << error.message();
        if (error.code() == ErrorCode::unavailable) {
            EXPECT_THAT(error.message(), HasSubstr("until it is closed and opened again"));
            open();
        }
    }

    SimStore world_;
};

class EachOperation : public testing::TestWithParam<ErrorCode> {};

TEST_P(EachOperation, fails_once_and_a_committed_state_is_found) {
    bool has_failed = true;
    std::uint64_t n = 0;
    while (has_failed && !::testing::Test::HasFailure()) {
        SCOPED_TRACE(fmt::format("operation {} fails", ++n));
        FaultScenario scenario(n, GetParam());
        scenario.run();
        has_failed = scenario.has_failed();
    }
    EXPECT_GT(n, 200U) << "the scenario does too little";
}

std::string code_name(const testing::TestParamInfo<ErrorCode>& info) {
    std::string name(to_string(info.param));
    std::ranges::replace(name, '-', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Fault, EachOperation,
                         testing::Values(ErrorCode::io, ErrorCode::no_space, ErrorCode::read_only), code_name);

Result<> fill(SimStore& world) {
    for (int i = 0; i < 1000; ++i)
        LEFTFOLD_CHECK(world.transact(20));
    return {};
}

TEST(Fault, full_disk_fails_commits_and_the_store_goes_on_when_there_is_room) {
    SimStore world(1, {.checkpoint_wal_bytes = 8 * 4096, .wal_bytes_max = 16 * 4096});
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(world.transact(10));
    world.files().set_capacity(world.files().used_bytes() + 20 * 4096);
    const auto full = fill(world);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code(), ErrorCode::no_space);
    EXPECT_TRUE(full.error().retryable());
    EXPECT_THAT(full.error().message(), HasSubstr("cannot write to 'rows/store"));
    EXPECT_EQ(world.check(), std::nullopt) << "what is there is served";
    EXPECT_EQ(world.store().copy_to("rows/copy").error().code(), ErrorCode::no_space);
    EXPECT_FALSE(*world.files().exists("rows/copy"));
    EXPECT_FALSE(*world.files().exists("rows/copy.tmp"));
    world.files().set_capacity(0);
    for (int i = 0; i < 50; ++i) {
        const auto done = world.transact(20);
        ASSERT_TRUE(done) << done.error().message();
    }
    ASSERT_TRUE(world.sync());
    EXPECT_EQ(world.check(), std::nullopt);
    world.crash();
    ASSERT_TRUE(world.open());
    EXPECT_EQ(world.check_opened(), std::nullopt);
}

TEST(Fault, read_only_disk_refuses_writes_and_serves_reads) {
    SimStore world(1, {});
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(world.transact(10));
    world.files().set_read_only(true);
    const auto refused = world.transact(10);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::read_only) << refused.error().message();
    EXPECT_EQ(world.check(), std::nullopt);
    world.close();
    const auto opened = world.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::read_only) << opened.error().message();
    world.files().set_read_only(false);
    ASSERT_TRUE(world.open());
}

// Of a failed sync nobody knows what it left on the disk, and the page cache does not tell.
TEST(Fault, after_a_failed_sync_nothing_is_confirmed_that_may_be_lost) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        SimStore world(seed, {});
        ASSERT_TRUE(world.open());
        ASSERT_TRUE(world.transact(10));
        world.files().fail_operation(1, ErrorCode::io);
        const auto failed = world.sync();
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().code(), ErrorCode::io);
        // No later sync may claim what this one has lost.
        for (const Result<>& later : {world.sync(), world.transact(5)}) {
            ASSERT_FALSE(later);
            EXPECT_EQ(later.error().code(), ErrorCode::unavailable);
            EXPECT_THAT(later.error().message(),
                        HasSubstr("until it is closed and opened again, because a sync failed"));
        }
        EXPECT_EQ(world.check(), std::nullopt) << "what is there is served";
        if (seed % 2 == 0)
            world.kill();
        ASSERT_TRUE(world.open());
        ASSERT_EQ(world.check_opened(), std::nullopt);
        ASSERT_TRUE(world.sync());
        world.crash();
        ASSERT_TRUE(world.open());
        ASSERT_EQ(world.check_opened(), std::nullopt) << "seed " << seed;
    }
}

}  // namespace
}  // namespace leftfold::rows
