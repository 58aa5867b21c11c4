// Reading on, and attempts.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

#include "runner_impl.hpp"

namespace leftfold {

using reaction::AttemptEnd;
using reaction::Attempts;
using reaction::find_held;

namespace {

constexpr std::size_t kReadBytes = 64U << 10U;
constexpr std::size_t kRefillBytes = 16U << 10U;
// In one step: what is more waits for the next.
constexpr std::size_t kBegunMax = 64;

}  // namespace

void ReactionRunner::Impl::wake() {
    if (phase_ != Phase::running || std::exchange(is_pumping_, true))
        return;
    post([this] {
        is_pumping_ = false;
        pump();
    });
}

void ReactionRunner::Impl::pump() {
    if (phase_ != Phase::running)
        return;
    const MonotonicTime now = env_.clock.monotonic();
    lanes_->wake(now);
    begin_attempts(now);
    read_on(now);
    begin_attempts(now);
    if (const auto due = lanes_->next_due())
        pump_.at(*due);
    if (lanes_->has_changes(written_) && !is_busy_ && !store_.is_set())
        commit_.after(options_.commit_after);
}

// ---------------------------------------------------------------------------------------------------------------------
// Attempts

void ReactionRunner::Impl::begin_attempts(MonotonicTime now) {
    for (std::size_t begun = 0; attempts_.count() < options_.concurrency_max; ++begun) {
        if (begun == kBegunMax) {
            wake();
            return;
        }
        Lane* lane = lanes_->take_ready(now);
        if (lane == nullptr)
            return;
        if (lane->queue.empty()) {
            if (!refill(*lane, now))
                continue;
        }
        ++statistics.attempts;
        const auto id = attempts_.begin(lane->queue.front(), lanes_->attempt_number(*lane));
        running_.emplace(id, lane);
    }
}

// False: there is nothing to attempt now.
bool ReactionRunner::Impl::refill(Lane& lane, MonotonicTime now) {
    const auto read = log_.read_stream(slots_[lane.slot].slot, lane.held.key, lane.held.next, kRefillBytes);
    if (!read) {
        log_trouble_ = read.error().message();
        log_trouble_until_ = now + 2 * options_.retry_first;
        lanes_->postpone(lane, now + options_.retry_first);
        return false;
    }
    if (read->records().empty() || read->records().front().meta.version != lane.held.next) {
        attempt_failed(lane, ReactionResult::give_up(fmt::format(
                                 "the log does not have version {} of '{}' any more, which was kept for later",
                                 lane.held.next.value(), lane.held.key)));
        return false;
    }
    std::vector<std::shared_ptr<const StoredEvent>> events;
    Version next = lane.held.next;
    for (const Record& record : read->records()) {
        if (record.meta.version > lane.held.last || events.size() == options_.key_queue_max)
            break;
        next = record.meta.version.next();
        if (model_.handles(record.meta.type))
            events.push_back(std::make_shared<const StoredEvent>(record));
    }
    const bool is_filled = !events.empty();
    lanes_->refill(lane, std::move(events), next);
    return is_filled;
}

void ReactionRunner::Impl::attempt_ended(Attempts::Id id, AttemptEnd end, ReactionResult result) {
    const auto found = running_.find(id);
    Lane& lane = *found->second;
    running_.erase(found);
    if (end != AttemptEnd::cancelled) {
        if (result.outcome() == ReactionOutcome::done) {
            ++statistics.done;
            lanes_->succeeded(lane);
        } else {
            attempt_failed(lane, result);
        }
    }
    if (phase_ == Phase::stopping)
        go_on_stopping();
    else if (phase_ == Phase::reopening && attempts_.count() == 0)
        open();
    else
        wake();
}

void ReactionRunner::Impl::attempt_failed(Lane& lane, const ReactionResult& result) {
    ++statistics.failed;
    last_error_ = result.error();
    const std::uint32_t attempts = lanes_->attempt_number(lane);
    const bool is_dead = result.outcome() == ReactionOutcome::give_up || attempts >= options_.attempts_max;
    reaction::Lanes::Failure failure{.error = result.error(), .at = env_.clock.now(), .retry_at = {}, .due = {}};
    if (is_dead) {
        ++statistics.dead;
    } else {
        const Duration wait = back_off(attempts, result.at_least());
        failure.retry_at = failure.at + std::chrono::duration_cast<std::chrono::microseconds>(wait);
        failure.due = env_.clock.monotonic() + wait;
    }
    if (!lane.is_kept)
        ++statistics.kept;
    const Failure told{.topic = lane.held.topic,
                       .key = lane.held.key,
                       .version = lane.queue.empty() ? lane.held.next : lane.queue.front()->record().meta.version,
                       .error = result.error(),
                       .attempts = attempts,
                       .is_dead = is_dead};
    lanes_->failed(lane, std::move(failure));
    if (on_failure)
        on_failure(told);
}

Duration ReactionRunner::Impl::back_off(std::uint32_t attempts, Duration at_least) {
    Duration longest = options_.retry_first;
    for (std::uint32_t i = 1; i < attempts && longest < options_.retry_max; ++i)
        longest *= 2;
    longest = std::min(longest, options_.retry_max);
    const Duration half = longest / 2;
    const Duration wait = half + Duration(static_cast<Duration::rep>(
                                     env_.random.below(static_cast<std::uint64_t>((longest - half).count()) + 1)));
    return std::max(wait, std::min(at_least, options_.retry_max));
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading on

void ReactionRunner::Impl::read_on(MonotonicTime now) {
    if (log_retry_.is_set())
        return;
    bool is_more = false;
    for (SlotIndex slot = 0; slot < slots_.size(); ++slot) {
        auto read = lanes_->has_room(slot) ? read_some(slot) : false;
        if (!read) {
            log_trouble_ = read.error().message();
            log_retry_.after(options_.store_retry_first);
            return;
        }
        is_more = is_more || *read;
        let_pass(slot, now);
    }
    if (now > log_trouble_until_)
        log_trouble_.clear();
    if (is_more)
        wake();
}

// True if it has moved on.
Result<bool> ReactionRunner::Impl::read_some(SlotIndex slot) {
    Pending& pending = pending_[slot];
    const Position cursor = lanes_->cursor(slot);
    if (pending.next == pending.batch.records().size()) {
        LEFTFOLD_TRY(bounds, log_.bounds(slots_[slot].slot));
        const Position from = std::max(cursor, bounds.start);
        if (from >= bounds.durable_end)
            return false;
        LEFTFOLD_TRY(batch, log_.read(slots_[slot].slot, from, kReadBytes));
        if (batch.next() <= cursor)
            return false;
        pending = {std::move(batch), 0};
    }
    const auto records = pending.batch.records();
    for (; pending.next < records.size() && lanes_->has_room(slot); ++pending.next) {
        LEFTFOLD_CHECK(route(slot, records[pending.next]));
        lanes_->move_cursor(slot, records[pending.next].position.next());
    }
    if (pending.next < records.size())
        return lanes_->cursor(slot) > cursor;
    lanes_->move_cursor(slot, pending.batch.next());
    pending = {};
    return true;
}

Result<> ReactionRunner::Impl::route(SlotIndex slot, const Record& record) {
    if (!model_.handles(record.meta.type))
        return {};
    Lane* loaded = nullptr;
    if (lanes_->counts().dead > 0 && lanes_->find(slot, record.meta.key) == nullptr) {
        LEFTFOLD_TRY(held, find_held(*rows_->reader, slots_[slot].topic, std::string(record.meta.key)));
        if (held && held->is_dead)
            loaded = &lanes_->load_dead(slot, *std::move(held));
    }
    lanes_->offer(slot, record);
    if (loaded != nullptr)
        lanes_->forget_if_done(*loaded);
    return {};
}

// A window that is full behind a slow attempt: its key is kept, and others go on.
void ReactionRunner::Impl::let_pass(SlotIndex slot, MonotonicTime now) {
    while (Lane* lane = lanes_->blocking(slot)) {
        const MonotonicTime slow_at = lane->since + options_.slow_after;
        if (slow_at > now) {
            pump_.at(slow_at);
            return;
        }
        ++statistics.kept;
        lanes_->keep(*lane);
        wake();
    }
}

}  // namespace leftfold
