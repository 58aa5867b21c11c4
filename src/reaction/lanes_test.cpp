#include "lanes.hpp"

#include <gtest/gtest.h>

#include "leftfold/log/embedded_log.hpp"
#include "leftfold/sim/env.hpp"

#include "testing/script.hpp"

namespace leftfold::reaction {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kNow{};

class LanesTest : public ::testing::Test {
  protected:
    LanesTest() {
        auto log = log::open_embedded_log(sim_.env(), {.directory = "/data", .topics = {{"test.book", 1}}});
        const auto model = make_typed_reaction<leftfold::testing::Probe>("test", "probe");
        slots_ = *FollowedSlots::find(**log, *model);
        lanes_ = std::make_unique<Lanes>(
            LaneBounds{.window_max = 4, .bytes_max = 10'000, .waiting_keys_max = 3, .key_queue_max = 2}, slots_);
        written_ = {Position(0)};
    }

    void offer(std::string_view key, std::int64_t version) {
        Record record;
        record.meta.key = key;
        record.meta.version = Version(version);
        record.position = next_;
        next_ = next_.next();
        lanes_->offer(0, record);
        lanes_->move_cursor(0, next_);
    }
    Lane& take() { return *lanes_->take_ready(kNow); }
    void fail(Lane& lane, bool is_dead) {
        lanes_->failed(lane, {.error = "no",
                              .at = {},
                              .retry_at = is_dead ? std::nullopt : std::optional<Timestamp>(Timestamp()),
                              .due = kNow + 1s});
    }
    Lanes::Changes commit() {
        Lanes::Changes changes = lanes_->take_changes(written_);
        written_ = changes.positions;
        lanes_->written(changes);
        return changes;
    }

    sim::SimEnv sim_{1};
    FollowedSlots slots_;
    std::unique_ptr<Lanes> lanes_;
    std::vector<Position> written_;
    Position next_;
};

TEST_F(LanesTest, position_is_that_of_the_oldest_unfinished_event) {
    offer("a", 1);
    offer("b", 1);
    offer("a", 2);
    Lane& a = take();
    Lane& b = take();
    EXPECT_EQ(lanes_->settled(0), Position(0));
    lanes_->succeeded(b);
    EXPECT_EQ(lanes_->settled(0), Position(0));
    lanes_->succeeded(a);
    EXPECT_EQ(lanes_->settled(0), Position(2));
    lanes_->succeeded(take());
    EXPECT_EQ(lanes_->settled(0), Position(3));
    EXPECT_EQ(commit().rows.positions.size(), 1U);
    EXPECT_EQ(lanes_->find(0, "a"), nullptr) << "nothing is left of it";
    EXPECT_EQ(lanes_->buffered_bytes(), 0U);
}

TEST_F(LanesTest, failed_event_goes_into_a_row_with_all_behind_it) {
    offer("a", 1);
    offer("a", 2);
    Lane& a = take();
    fail(a, false);
    EXPECT_EQ(lanes_->settled(0), Position(2));
    offer("a", 3);
    const auto changes = commit();
    ASSERT_EQ(changes.rows.puts.size(), 1U);
    EXPECT_EQ(changes.rows.puts.front().next, Version(1));
    EXPECT_EQ(changes.rows.puts.front().last, Version(3));
    EXPECT_EQ(changes.rows.puts.front().waiting, 3U);
    EXPECT_EQ(changes.positions.front(), Position(3)) << "row and position are one transaction";
    EXPECT_EQ(lanes_->counts().retrying, 1U);
    EXPECT_EQ(lanes_->counts().held, 2U);
    EXPECT_EQ(lanes_->take_ready(kNow), nullptr);
    lanes_->wake(kNow + 1s);
    EXPECT_EQ(lanes_->take_ready(kNow), &a);
    EXPECT_EQ(lanes_->attempt_number(a), 2U);
}

TEST_F(LanesTest, row_that_is_done_stays_until_the_position_has_passed) {
    offer("slow", 1);
    offer("a", 1);
    Lane& slow = take();
    Lane& a = take();
    fail(a, false);
    static_cast<void>(commit());
    lanes_->wake(kNow + 1s);
    Record record;
    record.meta.key = "a";
    record.meta.version = Version(1);
    lanes_->refill(take(), {std::make_shared<const StoredEvent>(record)}, Version(2));
    lanes_->succeeded(a);
    auto changes = commit();
    ASSERT_EQ(changes.rows.puts.size(), 1U) << "done, and not forgotten";
    EXPECT_EQ(changes.rows.puts.front().next, Version(2));
    EXPECT_EQ(changes.rows.puts.front().waiting, 0U);
    EXPECT_EQ(lanes_->counts().alive, 0U);
    lanes_->succeeded(slow);
    changes = commit();
    EXPECT_EQ(changes.rows.erasures.size(), 1U);
    EXPECT_EQ(changes.positions.front(), Position(2));
    EXPECT_EQ(lanes_->find(0, "a"), nullptr);
}

TEST_F(LanesTest, dead_lane_is_in_the_store_only) {
    offer("a", 1);
    fail(take(), true);
    EXPECT_NE(lanes_->find(0, "a"), nullptr);
    const auto changes = commit();
    EXPECT_TRUE(changes.rows.puts.front().is_dead);
    EXPECT_EQ(lanes_->find(0, "a"), nullptr);
    EXPECT_EQ(lanes_->counts().dead, 1U);
    Lane& loaded = lanes_->load_dead(0, changes.rows.puts.front());
    lanes_->revive(loaded);
    EXPECT_EQ(lanes_->counts().dead, 0U);
    EXPECT_EQ(&take(), &loaded);
}

TEST_F(LanesTest, next_event_waits_for_a_discard_to_be_written) {
    offer("a", 1);
    offer("a", 2);
    Lane& a = take();
    fail(a, true);
    lanes_->discard(a, {});
    EXPECT_FALSE(lanes_->has_ready());
    offer("a", 3);
    auto changes = lanes_->take_changes(written_);
    EXPECT_EQ(changes.rows.discarded.size(), 1U);
    lanes_->not_written(changes);
    changes = lanes_->take_changes(written_);
    EXPECT_EQ(changes.rows.discarded.size(), 1U) << "the next transaction has it again";
    lanes_->written(changes);
    EXPECT_FALSE(lanes_->has_ready());
    lanes_->decided(a);
    EXPECT_TRUE(lanes_->has_ready());
    EXPECT_EQ(a.held.next, Version(2));
}

TEST_F(LanesTest, bounds_stop_the_reading) {
    EXPECT_TRUE(lanes_->has_room(0));
    for (int i = 0; i < 4; ++i)
        offer("key-" + std::to_string(i), 1);
    EXPECT_FALSE(lanes_->has_room(0)) << "window";
    for (int i = 0; i < 3; ++i)
        fail(take(), false);
    EXPECT_FALSE(lanes_->has_room(0)) << "waiting keys";
    lanes_->wake(kNow + 1s);
    Lane& last = take();
    lanes_->succeeded(last);
    EXPECT_FALSE(lanes_->has_room(0));
}

TEST_F(LanesTest, only_a_running_attempt_blocks_a_window) {
    for (int i = 0; i < 4; ++i)
        offer("key-" + std::to_string(i), 1);
    EXPECT_EQ(lanes_->blocking(0), nullptr) << "it is attempts that are waited for";
    Lane& first = take();
    EXPECT_EQ(lanes_->blocking(0), &first);
    lanes_->keep(first);
    EXPECT_EQ(lanes_->blocking(0), nullptr);
    EXPECT_TRUE(lanes_->has_room(0));
    lanes_->succeeded(first);
    EXPECT_EQ(lanes_->counts().alive, 0U);
}

TEST_F(LanesTest, key_with_many_events_is_kept) {
    for (std::int64_t version = 1; version <= 10; ++version)
        offer("a", version);
    Lane& a = take();
    EXPECT_TRUE(a.is_kept);
    EXPECT_EQ(a.queue.size(), 2U);
    EXPECT_EQ(a.held.last, Version(10));
    EXPECT_EQ(lanes_->settled(0), Position(10));
}

}  // namespace
}  // namespace leftfold::reaction
