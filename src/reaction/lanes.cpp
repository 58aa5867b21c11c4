#include "lanes.hpp"

#include <algorithm>

#include "leftfold/base/assert.hpp"

namespace leftfold::reaction {

Lanes::Lanes(LaneBounds bounds, const FollowedSlots& slots) : bounds_(bounds), slots_(slots), windows_(slots.size()) {}

// ---------------------------------------------------------------------------------------------------------------------
// Lanes and what is counted of them

Lane* Lanes::find(SlotIndex slot, std::string_view key) {
    const auto found = lanes_.find(std::pair(slot, key));
    return found == lanes_.end() ? nullptr : found->second.get();
}

Lane& Lanes::add(SlotIndex slot, std::string_view key) {
    auto lane = std::make_unique<Lane>();
    lane->slot = slot;
    lane->held.topic = slots_[slot].topic;
    lane->held.key = key;
    const auto [place, is_new] = lanes_.emplace(Name(slot, key), std::move(lane));
    LEFTFOLD_ASSERT(is_new);
    return *place->second;
}

void Lanes::forget_if_done(Lane& lane) {
    if (lane.is_dirty || lane.is_committing)
        return;
    const bool is_idle = lane.state == LaneState::idle && !lane.is_kept && !lane.is_listed && lane.queue.empty();
    if (!is_idle && lane.state != LaneState::dead)
        return;
    LEFTFOLD_ASSERT(lane.queue.empty());
    lanes_.erase(lanes_.find(std::pair(lane.slot, std::string_view(lane.held.key))));
}

void Lanes::count(const Lane& lane, bool in) noexcept {
    if (!lane.is_kept || is_finished(lane))
        return;
    const std::uint64_t one = in ? 1 : ~std::uint64_t{0};  // modulo 2^64, -1
    if (lane.held.is_dead)
        counts_.dead += one;
    else
        counts_.alive += one;
    if (!lane.held.is_dead && lane.held.attempts > 0)
        counts_.retrying += one;
    if (lane.held.waiting > 1)
        counts_.held += one * (lane.held.waiting - 1);
}

void Lanes::set_dirty(Lane& lane) {
    if (!std::exchange(lane.is_dirty, true))
        dirty_.push_back(&lane);
}

void Lanes::begin_at(SlotIndex slot, Position position) {
    windows_[slot].cursor = position;
}

void Lanes::dead_in_store(std::uint64_t count, std::uint64_t held) noexcept {
    counts_.dead += count;
    counts_.held += held;
}

void Lanes::load_alive(SlotIndex slot, HeldKey held, std::optional<MonotonicTime> due) {
    Lane& lane = add(slot, held.key);
    lane.held = std::move(held);
    lane.is_kept = true;
    lane.has_row = true;
    count(lane, true);
    if (is_finished(lane))
        finish(lane);
    else if (due)
        retry_at(lane, *due);
    else
        ready(lane);
}

Lane& Lanes::load_dead(SlotIndex slot, HeldKey held) {
    LEFTFOLD_ASSERT(held.is_dead);
    Lane& lane = add(slot, held.key);
    lane.held = std::move(held);
    lane.is_kept = true;
    lane.has_row = true;
    lane.state = LaneState::dead;
    return lane;
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading on

bool Lanes::has_room(SlotIndex slot) const noexcept {
    const Window& window = windows_[slot];
    // Where nothing holds back the position, only reading on lets finished lanes go.
    const bool may_finish = finished_ < bounds_.waiting_keys_max || window.entries.empty();
    return window.entries.size() < bounds_.window_max && bytes_ < bounds_.bytes_max && may_finish &&
           counts_.alive < bounds_.waiting_keys_max && dirty_.size() < bounds_.waiting_keys_max;
}

void Lanes::offer(SlotIndex slot, const Record& record) {
    const Version version = record.meta.version;
    Lane* lane = find(slot, record.meta.key);
    if (lane != nullptr && lane->is_kept) {
        if (version <= lane->held.last)
            return;  // kept, or done, before the position was written
        count(*lane, false);
        lane->held.last = version;
        ++lane->held.waiting;
        lane->held.until = record.position.next();
        count(*lane, true);
        set_dirty(*lane);
        if (lane->state == LaneState::idle)
            ready(*lane);  // all before it was done
        return;
    }
    if (lane == nullptr)
        lane = &add(slot, record.meta.key);
    auto event = std::make_shared<const StoredEvent>(record);
    bytes_ += event->bytes();
    lane->queue.push_back(std::move(event));
    windows_[slot].entries.push_back({record.position, lane});
    if (lane->state == LaneState::idle)
        ready(*lane);
    if (lane->queue.size() > bounds_.key_queue_max)
        keep(*lane);
}

void Lanes::move_cursor(SlotIndex slot, Position cursor) {
    LEFTFOLD_ASSERT(windows_[slot].cursor <= cursor);
    windows_[slot].cursor = cursor;
}

Position Lanes::settled(SlotIndex slot) const noexcept {
    const Window& window = windows_[slot];
    return window.entries.empty() ? window.cursor : window.entries.front().position;
}

Lane* Lanes::blocking(SlotIndex slot) noexcept {
    const Window& window = windows_[slot];
    const bool is_full = window.entries.size() >= bounds_.window_max || finished_ >= bounds_.waiting_keys_max;
    if (!is_full || window.entries.empty() || window.entries.front().lane->state != LaneState::running)
        return nullptr;
    return window.entries.front().lane;
}

void Lanes::settle(SlotIndex slot, Position position) {
    Window& window = windows_[slot];
    const auto entry = std::ranges::lower_bound(window.entries, position, {}, &WindowEntry::position);
    LEFTFOLD_ASSERT(entry != window.entries.end() && entry->position == position && entry->lane != nullptr);
    entry->lane = nullptr;
    drop_settled(window);
}

void Lanes::drop_settled(Window& window) {
    while (!window.entries.empty() && window.entries.front().lane == nullptr)
        window.entries.pop_front();
}

// ---------------------------------------------------------------------------------------------------------------------
// Attempts

void Lanes::ready(Lane& lane) {
    lane.state = LaneState::ready;
    ready_.push_back(&lane);
}

Lane* Lanes::take_ready(MonotonicTime now) {
    if (ready_.empty())
        return nullptr;
    Lane* lane = ready_.front();
    ready_.pop_front();
    lane->state = LaneState::running;
    lane->since = now;
    return lane;
}

void Lanes::put_back(Lane& lane) {
    LEFTFOLD_ASSERT(lane.state == LaneState::running);
    ready(lane);
}

void Lanes::refill(Lane& lane, std::vector<std::shared_ptr<const StoredEvent>> events, Version next) {
    LEFTFOLD_ASSERT(lane.is_kept && lane.queue.empty() && lane.state == LaneState::running);
    if (!events.empty()) {
        lane.held.next = events.front()->record().meta.version;
        for (auto& event : events) {
            bytes_ += event->bytes();
            lane.queue.push_back(std::move(event));
        }
        return;
    }
    count(lane, false);
    lane.held.next = next;
    if (is_finished(lane))
        lane.held.waiting = 0;  // another build kept them, whose reaction handled what this one does not
    count(lane, true);
    set_dirty(lane);
    if (is_finished(lane))
        finish(lane);
    go_on(lane);
}

void Lanes::trim(Lane& lane, std::size_t left) {
    for (; lane.queue.size() > left; lane.queue.pop_back())
        bytes_ -= lane.queue.back()->bytes();
}

void Lanes::keep(Lane& lane) {
    LEFTFOLD_ASSERT(!lane.is_kept && !lane.queue.empty());
    lane.is_kept = true;
    lane.held.next = lane.queue.front()->record().meta.version;
    lane.held.last = lane.queue.back()->record().meta.version;
    lane.held.waiting = lane.queue.size();
    lane.held.until = lane.queue.back()->record().position.next();
    count(lane, true);
    set_dirty(lane);
    // The row and a position behind these are one transaction, or the row is in an earlier one.
    Window& window = windows_[lane.slot];
    for (WindowEntry& entry : window.entries)
        if (entry.lane == &lane)
            entry.lane = nullptr;
    drop_settled(window);
    trim(lane, bounds_.key_queue_max);
}

// The first event has ended, done or discarded.
void Lanes::end_first(Lane& lane) {
    if (!lane.is_kept)
        return;
    count(lane, false);
    lane.held.next = lane.held.next.next();
    lane.held.waiting = is_finished(lane) ? 0 : std::max<std::uint64_t>(lane.held.waiting, 2) - 1;
    lane.held.is_dead = false;
    lane.held.attempts = 0;
    lane.held.failed_at.reset();
    lane.held.retry_at.reset();
    lane.held.error.clear();
    lane.held.event_type.clear();
    lane.held.event_id.clear();
    count(lane, true);
    set_dirty(lane);
    if (is_finished(lane))
        finish(lane);
}

// All that is kept is done: the row goes with the position.
void Lanes::finish(Lane& lane) {
    if (lane.held.until <= settled(lane.slot)) {
        unkeep(lane);
    } else if (!std::exchange(lane.is_listed, true)) {
        windows_[lane.slot].finished.emplace(lane.held.until, &lane);
        ++finished_;
    }
}

void Lanes::unkeep(Lane& lane) {
    lane.is_kept = false;
    lane.held = {.topic = std::move(lane.held.topic), .key = std::move(lane.held.key)};
    set_dirty(lane);
}

void Lanes::sweep(SlotIndex slot) {
    auto& finished = windows_[slot].finished;
    while (!finished.empty() && finished.begin()->first <= settled(slot)) {
        Lane& lane = *finished.begin()->second;
        finished.erase(finished.begin());
        lane.is_listed = false;
        --finished_;
        if (is_finished(lane))
            finish(lane);
        else
            forget_if_done(lane);
    }
}

void Lanes::go_on(Lane& lane) {
    lane.state = LaneState::idle;
    if (lane.is_kept ? !is_finished(lane) : !lane.queue.empty())
        ready(lane);
    else
        forget_if_done(lane);
}

void Lanes::succeeded(Lane& lane) {
    LEFTFOLD_ASSERT(lane.state == LaneState::running && !lane.queue.empty());
    const Record& record = lane.queue.front()->record();
    if (lane.is_kept)
        lane.held.next = record.meta.version;  // events between are not the reaction's
    else
        settle(lane.slot, record.position);
    end_first(lane);
    bytes_ -= lane.queue.front()->bytes();
    lane.queue.pop_front();
    go_on(lane);
}

void Lanes::failed(Lane& lane, Failure failure) {
    LEFTFOLD_ASSERT(lane.state == LaneState::running && (lane.is_kept || !lane.queue.empty()));
    if (!lane.is_kept)
        keep(lane);
    count(lane, false);
    if (!lane.queue.empty()) {
        const EventMeta& meta = lane.queue.front()->record().meta;
        lane.held.next = meta.version;
        lane.held.event_type = meta.type;
        lane.held.event_id = meta.id.to_string();
    }
    ++lane.held.attempts;
    lane.held.error = std::move(failure.error);
    lane.held.failed_at = failure.at;
    lane.held.retry_at = failure.retry_at;
    lane.held.is_dead = !failure.retry_at;
    count(lane, true);
    trim(lane, 0);
    set_dirty(lane);
    if (lane.held.is_dead)
        lane.state = LaneState::dead;
    else
        retry_at(lane, failure.due);
}

void Lanes::postpone(Lane& lane, MonotonicTime due) {
    LEFTFOLD_ASSERT(lane.state == LaneState::running);
    retry_at(lane, due);
}

void Lanes::retry_at(Lane& lane, MonotonicTime due) {
    lane.state = LaneState::retrying;
    lane.since = due;
    retrying_.emplace(std::pair(due, ++retries_), &lane);
}

void Lanes::wake(MonotonicTime now) {
    while (!retrying_.empty() && retrying_.begin()->first.first <= now) {
        ready(*retrying_.begin()->second);
        retrying_.erase(retrying_.begin());
    }
}

std::optional<MonotonicTime> Lanes::next_due() const noexcept {
    if (retrying_.empty())
        return std::nullopt;
    return retrying_.begin()->first.first;
}

// ---------------------------------------------------------------------------------------------------------------------
// Operators

void Lanes::revive(Lane& lane) {
    LEFTFOLD_ASSERT(lane.state == LaneState::dead);
    count(lane, false);
    lane.held.is_dead = false;
    lane.held.attempts = 0;
    lane.held.retry_at.reset();
    count(lane, true);
    set_dirty(lane);
    ready(lane);
}

void Lanes::discard(Lane& lane, DiscardedEvent event) {
    LEFTFOLD_ASSERT(lane.state == LaneState::dead);
    end_first(lane);
    lane.state = LaneState::deciding;
    discarded_.push_back(std::move(event));
}

void Lanes::decided(Lane& lane) {
    if (lane.state == LaneState::deciding)
        go_on(lane);
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing

bool Lanes::has_changes(const std::vector<Position>& written) const {
    if (!dirty_.empty() || !discarded_.empty())
        return true;
    for (SlotIndex slot = 0; slot < windows_.size(); ++slot)
        if (settled(slot) != written[slot])
            return true;
    return false;
}

Lanes::Changes Lanes::take_changes(const std::vector<Position>& written) {
    Changes changes;
    changes.positions = written;
    for (SlotIndex slot = 0; slot < windows_.size(); ++slot)
        sweep(slot);
    for (Lane* lane : std::exchange(dirty_, {})) {
        lane->is_dirty = false;
        if (lane->is_kept) {
            changes.rows.puts.push_back(lane->held);
        } else if (lane->has_row) {
            changes.rows.erasures.emplace_back(lane->held.topic, lane->held.key);
        } else {
            forget_if_done(*lane);
            continue;
        }
        lane->has_row = true;  // also if the transaction fails: nobody knows
        lane->is_committing = true;
        changes.lanes.push_back(lane);
    }
    changes.rows.discarded = std::exchange(discarded_, {});
    for (SlotIndex slot = 0; slot < windows_.size(); ++slot) {
        if (settled(slot) == written[slot])
            continue;
        changes.positions[slot] = settled(slot);
        changes.rows.positions.push_back({slots_[slot].topic, slots_[slot].slot.partition, settled(slot)});
    }
    return changes;
}

void Lanes::written(Changes& changes) {
    for (Lane* lane : changes.lanes) {
        lane->is_committing = false;
        if (!lane->is_kept && !lane->is_dirty)
            lane->has_row = false;
        forget_if_done(*lane);
    }
}

void Lanes::not_written(Changes& changes) {
    for (Lane* lane : changes.lanes) {
        lane->is_committing = false;
        set_dirty(*lane);
    }
    discarded_.insert(discarded_.begin(), std::make_move_iterator(changes.rows.discarded.begin()),
                      std::make_move_iterator(changes.rows.discarded.end()));
}

}  // namespace leftfold::reaction
