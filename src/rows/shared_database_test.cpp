#include "shared_database.hpp"

#include <gtest/gtest.h>

namespace leftfold::rows {
namespace {

using Level = FileLockLevel;

class SharedDatabaseTest : public testing::Test {
  protected:
    ReleaseSignal released_;
    SharedDatabase database_{released_};
    Level one_ = Level::none;
    Level other_ = Level::none;
    SharedDatabase::IndexHold index_one_;
    SharedDatabase::IndexHold index_other_;
};

TEST_F(SharedDatabaseTest, many_share_and_one_of_them_means_to_write) {
    EXPECT_TRUE(database_.lock(one_, Level::shared));
    EXPECT_TRUE(database_.lock(other_, Level::shared));
    EXPECT_TRUE(database_.lock(one_, Level::reserved));
    EXPECT_TRUE(database_.is_reserved());
    EXPECT_FALSE(database_.lock(other_, Level::reserved));
    Level third = Level::none;
    EXPECT_TRUE(database_.lock(third, Level::shared));
    database_.unlock(one_, Level::shared);
    EXPECT_FALSE(database_.is_reserved());
    EXPECT_TRUE(database_.lock(other_, Level::reserved));
}

TEST_F(SharedDatabaseTest, exclusive_waits_for_those_inside_and_lets_nobody_in) {
    EXPECT_TRUE(database_.lock(one_, Level::shared));
    EXPECT_TRUE(database_.lock(other_, Level::shared));
    EXPECT_FALSE(database_.lock(one_, Level::exclusive));
    EXPECT_EQ(one_, Level::pending);
    Level third = Level::none;
    EXPECT_FALSE(database_.lock(third, Level::shared));
    EXPECT_EQ(third, Level::none);
    database_.unlock(other_, Level::none);
    EXPECT_TRUE(database_.lock(one_, Level::exclusive));
    EXPECT_FALSE(database_.lock(other_, Level::shared));
    database_.unlock(one_, Level::none);
    EXPECT_TRUE(database_.lock(other_, Level::exclusive));
}

TEST_F(SharedDatabaseTest, lock_of_the_index_is_shared_or_exclusive) {
    EXPECT_TRUE(database_.lock_index_shared(index_one_, 3));
    EXPECT_TRUE(database_.lock_index_shared(index_other_, 3));
    EXPECT_FALSE(database_.lock_index_exclusive(index_one_, 3, 1)) << "the other shares it";
    EXPECT_FALSE(database_.lock_index_exclusive(index_other_, 1, 5)) << "one of a range is enough";
    database_.unlock_index(index_one_, 3, 1);
    EXPECT_TRUE(database_.lock_index_exclusive(index_one_, 4, 4));
    EXPECT_FALSE(database_.lock_index_shared(index_other_, 4));
    EXPECT_FALSE(database_.lock_index_exclusive(index_other_, 7, 1));
    EXPECT_TRUE(database_.lock_index_exclusive(index_other_, 0, 3));
    database_.unlock_index(index_one_, 4, 4);
    EXPECT_TRUE(database_.lock_index_shared(index_other_, 4));
}

TEST_F(SharedDatabaseTest, index_lives_as_long_as_somebody_uses_it) {
    database_.use_index();
    database_.use_index();
    EXPECT_EQ(database_.index_region(1, 64, false), nullptr);
    auto* region = static_cast<volatile char*>(database_.index_region(1, 64, true));
    ASSERT_NE(region, nullptr);
    EXPECT_EQ(region[63], 0);
    region[0] = 1;
    EXPECT_NE(database_.index_region(0, 64, false), nullptr);
    EXPECT_TRUE(database_.lock_index_exclusive(index_one_, 2, 1));
    database_.leave_index(index_one_);
    EXPECT_TRUE(database_.lock_index_exclusive(index_other_, 2, 1)) << "leaving gives back all locks";
    EXPECT_EQ(database_.index_region(1, 64, false), region);
    database_.leave_index(index_other_);
    EXPECT_EQ(database_.index_region(0, 64, false), nullptr);
}

TEST_F(SharedDatabaseTest, first_failed_sync_is_remembered) {
    EXPECT_FALSE(database_.refusal("store"));
    database_.sync_failed(Error(ErrorCode::io, "first"));
    database_.sync_failed(Error(ErrorCode::io, "second"));
    const auto refusal = database_.refusal("store");
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->code(), ErrorCode::unavailable);
    EXPECT_EQ(refusal->message(),
              "'store' takes no more writes until it is closed and opened again, because a sync failed: first");
}

TEST_F(SharedDatabaseTest, release_wakes_who_waits) {
    // Nobody releases: the wait ends by itself.
    released_.wait(std::chrono::microseconds(1));
    EXPECT_TRUE(database_.lock(one_, Level::shared));
    database_.unlock(one_, Level::none);
}

}  // namespace
}  // namespace leftfold::rows
