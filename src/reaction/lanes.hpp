// Lanes: which event of which key is next, what waits behind it, and up to where all is settled. Plain state, without
// I/O; the runner reads the log into it, runs attempts, and writes its changes.
//
// A lane is a key with something to do. Its events wait in the window of its partition, in memory, and hold back the
// partition's position; or the lane is *kept*: a row says from which version to which its events wait, and the log has
// them. Then they hold back nothing. A lane is kept when its event fails, dies or is slow, or when too many wait. When
// all is done the row stays until the position has passed its events: else a crash would bring them again, and among
// them what an operator has discarded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "followed_slots.hpp"
#include "reaction_rows.hpp"

namespace leftfold::reaction {

enum class LaneState : std::uint8_t {
    idle,      // nothing to do, or its row is being looked at
    ready,     // waits for its turn
    running,   // its first event is being attempted
    retrying,  // waits for its time
    dead,      // waits for an operator
    deciding,  // an operator's decision is being written
};

struct Lane {
    using Queue = std::deque<std::shared_ptr<const StoredEvent>>;

    SlotIndex slot = 0;
    LaneState state = LaneState::idle;
    bool is_kept = false;
    bool is_dirty = false;       // in the list of those to be written
    bool is_committing = false;  // in the transaction under way
    bool has_row = false;        // there may be one in the store
    bool is_listed = false;      // among the finished of its window
    MonotonicTime since{};       // running: when it began; retrying: when it is due
    Queue queue;                 // not kept: all its events; kept: some, from `held.next` on
    HeldKey held;                // of what is counted only if it is kept
};

struct LaneBounds {
    std::size_t window_max;
    std::size_t bytes_max;
    std::size_t waiting_keys_max;
    std::size_t key_queue_max;
};

struct LaneCounts {
    std::uint64_t alive = 0;  // kept and not dead
    std::uint64_t retrying = 0;
    std::uint64_t dead = 0;
    std::uint64_t held = 0;
};

class Lanes {
  public:
    Lanes(LaneBounds bounds, const FollowedSlots& slots);
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;

    // What the store has, at the start. Those alive are in memory from now on.
    void begin_at(SlotIndex slot, Position position);
    void dead_in_store(std::uint64_t count, std::uint64_t held) noexcept;
    // Counted. It is ready, or retries at `due`.
    void load_alive(SlotIndex slot, HeldKey held, std::optional<MonotonicTime> due);
    // One of those counted by dead_in_store(), whose row was looked up.
    Lane& load_dead(SlotIndex slot, HeldKey held);

    Lane* find(SlotIndex slot, std::string_view key);
    const LaneCounts& counts() const noexcept { return counts_; }
    std::size_t buffered_bytes() const noexcept { return bytes_; }

    // Reading on. The cursor is where to.
    Position cursor(SlotIndex slot) const noexcept { return windows_[slot].cursor; }
    bool has_room(SlotIndex slot) const noexcept;
    // The next event that the reaction handles. If its key may have a dead row, that is loaded.
    void offer(SlotIndex slot, const Record& record);
    void move_cursor(SlotIndex slot, Position cursor);
    // All before it is done or kept.
    Position settled(SlotIndex slot) const noexcept;
    // Whose attempt keeps a full window from moving; nullptr: it is not full, or attempts are what it waits for.
    Lane* blocking(SlotIndex slot) noexcept;

    // Attempts. A lane whose queue is empty is to be refilled first.
    Lane* take_ready(MonotonicTime now);
    bool has_ready() const noexcept { return !ready_.empty(); }
    void put_back(Lane& lane);
    // Events from held.next on; all before `next` that are not among them are not the reaction's.
    void refill(Lane& lane, std::vector<std::shared_ptr<const StoredEvent>> events, Version next);
    std::uint32_t attempt_number(const Lane& lane) const noexcept { return lane.held.attempts + 1; }
    void succeeded(Lane& lane);
    struct Failure {
        std::string error;
        Timestamp at;
        std::optional<Timestamp> retry_at;  // none: it is dead
        MonotonicTime due;
    };
    // Also if the event of a kept lane could not be had: its queue is empty.
    void failed(Lane& lane, Failure failure);
    // Nobody is to blame: it waits, and its attempts are as before.
    void postpone(Lane& lane, MonotonicTime due);
    void keep(Lane& lane);

    // Those whose time has come are ready.
    void wake(MonotonicTime now);
    std::optional<MonotonicTime> next_due() const noexcept;

    // Operators, of a dead lane.
    void revive(Lane& lane);
    // The next one goes on when the transaction is durable: decided().
    void discard(Lane& lane, DiscardedEvent event);
    void decided(Lane& lane);

    // What is to be written, with the positions that differ from `written`.
    struct Changes {
        RowChanges rows;
        std::vector<Lane*> lanes;
        std::vector<Position> positions;
    };
    bool has_changes(const std::vector<Position>& written) const;
    Changes take_changes(const std::vector<Position>& written);
    void written(Changes& changes);
    void not_written(Changes& changes);
    std::size_t dirty_count() const noexcept { return dirty_.size(); }
    // A lane of which nothing is to be known any more is destroyed.
    void forget_if_done(Lane& lane);

  private:
    struct WindowEntry {
        Position position;
        Lane* lane;  // nullptr: settled
    };
    struct Window {
        std::deque<WindowEntry> entries;  // the first is not settled
        Position cursor;
        std::multimap<Position, Lane*> finished;  // lanes whose rows wait for the position, by until
    };
    using Name = std::pair<SlotIndex, std::string>;
    struct ByName {
        using is_transparent = void;
        template <class A, class B>
        bool operator()(const A& a, const B& b) const noexcept {
            if (a.first != b.first)
                return a.first < b.first;
            return std::string_view(a.second) < std::string_view(b.second);
        }
    };

    Lane& add(SlotIndex slot, std::string_view key);
    void count(const Lane& lane, bool in) noexcept;
    void set_dirty(Lane& lane);
    void retry_at(Lane& lane, MonotonicTime due);
    void trim(Lane& lane, std::size_t left);
    void settle(SlotIndex slot, Position position);
    void drop_settled(Window& window);
    void end_first(Lane& lane);
    void finish(Lane& lane);
    void unkeep(Lane& lane);
    void sweep(SlotIndex slot);
    void go_on(Lane& lane);
    static bool is_finished(const Lane& lane) noexcept { return lane.is_kept && lane.held.next > lane.held.last; }
    void ready(Lane& lane);

    LaneBounds bounds_;
    const FollowedSlots& slots_;
    std::map<Name, std::unique_ptr<Lane>, ByName> lanes_;
    std::vector<Window> windows_;  // by slot
    std::deque<Lane*> ready_;
    std::map<std::pair<MonotonicTime, std::uint64_t>, Lane*> retrying_;  // equal times in the order in which they came
    std::uint64_t retries_ = 0;
    std::vector<Lane*> dirty_;
    std::vector<DiscardedEvent> discarded_;
    LaneCounts counts_;
    std::size_t bytes_ = 0;
    std::size_t finished_ = 0;
};

}  // namespace leftfold::reaction
