#include "follower.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold {

namespace {

// With less room than this left, a batch is full: reads get no smaller.
constexpr std::size_t kReadBytesMin = std::size_t{16} << 10U;

constexpr std::uint32_t kAttemptsBeforeReopening = 4;

}  // namespace

void RateMeter::note(MonotonicTime now, std::uint64_t count) {
    last_ = count;
    if (!samples_.empty() && now - samples_.back().time < kApart)
        return;
    samples_.push_back({now, count});
    if (samples_.size() > kSamples)
        samples_.pop_front();
}

double RateMeter::per_second(MonotonicTime now) const {
    if (samples_.empty())
        return 0;
    const auto passed = std::chrono::duration<double>(now - samples_.front().time).count();
    return passed <= 0 ? 0 : static_cast<double>(last_ - samples_.front().count) / passed;
}

Duration BackOff::failed(const Error& error) {
    Trouble trouble{.message = error.message(), .attempts = 1, .retry_after = first_};
    if (trouble_) {
        trouble.attempts = trouble_->attempts + 1;
        trouble.retry_after = std::min(trouble_->retry_after * 2, max_);
    }
    trouble_ = std::move(trouble);
    return trouble_->retry_after;
}

Follower::Follower(const Env& env, log::EventLog& log, const FollowedSlots& slots, Worker& worker,
                   std::shared_ptr<GenerationRows> rows, const Options& options, Begin begin,
                   ProjectionStatistics& statistics, std::move_only_function<void()> changed)
    : env_(env),
      log_(log),
      slots_(slots),
      worker_(worker),
      rows_(std::move(rows)),
      options_(options),
      statistics_(statistics),
      changed_(std::move(changed)),
      positions_(std::move(begin.positions)),
      read_(positions_),
      skipped_(std::move(begin.skipped)),
      back_off_(options.retry_first, options.retry_max) {
    rate_.note(env.clock.monotonic(), 0);
}

Follower::~Follower() {
    if (retry_timer_)
        env_.scheduler.cancel(*retry_timer_);
}

void Follower::post(Step step) {
    env_.scheduler.post([weak = weak_from_this(), step = std::move(step)]() mutable {
        if (const auto self = weak.lock())
            step();
    });
}

void Follower::wake() {
    if (!may_go_on())
        return;
    if (batch_ && !is_folding_)
        submit();
    // What comes while a batch is being folded waits for its end, unless there is a long way to go.
    const bool is_full = next_->bytes >= options_.batch_bytes_max;
    if (is_gathering_ || is_full || (is_folding_ && saw_end_))
        return;
    is_gathering_ = true;
    post([this] { gather(); });
}

void Follower::set_limits(std::optional<Positions> limits) {
    limits_ = std::move(limits);
    saw_end_ = false;
    has_told_end_ = false;
    wake();
}

void Follower::hold(Step still) {
    LEFTFOLD_ASSERT(!is_held_);
    is_held_ = true;
    if (is_busy())
        still_ = std::move(still);
    else
        post(std::move(still));
}

void Follower::release() {
    is_held_ = false;
    still_ = nullptr;
    wake();
}

void Follower::gather() {
    is_gathering_ = false;
    if (!may_go_on())
        return;
    if (auto read = read_turn(); !read) {
        failed(read.error());
        tell();
        return;
    }
    if (!batch_)
        back_off_.succeeded();  // it was the log that failed, if anything
    if (!saw_end_ && next_->bytes >= options_.batch_bytes_max)
        keeps_up_ = false;
    submit_next_if_due();
    if (!saw_end_) {
        wake();
    } else if (is_at_end() && !has_told_end_) {
        has_told_end_ = true;
        keeps_up_ = true;
        tell();
    }
}

void Follower::submit_next_if_due() {
    const bool is_due = saw_end_ || next_->bytes >= options_.batch_bytes_max;
    if (batch_ || next_->pieces.empty() || !is_due)
        return;
    batch_ = std::exchange(next_, std::make_shared<FoldBatch>());
    submit();
}

// Until nothing is left, the turn is over or the batch full.
Result<> Follower::read_turn() {
    const std::size_t before = next_->bytes;
    std::size_t without = 0;  // partitions, one after the other, that have nothing
    while (without < slots_.size()) {
        const std::size_t room = options_.batch_bytes_max - std::min(options_.batch_bytes_max, next_->bytes);
        if (room == 0 || next_->bytes - before >= options_.turn_bytes_max)
            break;
        const std::size_t slot = std::exchange(cursor_, (cursor_ + 1) % slots_.size());
        LEFTFOLD_TRY(is_more, read_some(slot, std::min(std::max(room, kReadBytesMin), options_.turn_bytes_max)));
        without = is_more ? 0 : without + 1;
    }
    saw_end_ = without == slots_.size();
    return {};
}

Result<bool> Follower::read_some(std::size_t slot, std::size_t bytes_max) {
    LEFTFOLD_TRY(bounds, log_.bounds(slots_[slot].slot));
    const Position end = limits_ ? std::min((*limits_)[slot], bounds.durable_end) : bounds.durable_end;
    const Position from = std::max(read_[slot], bounds.start);
    if (from >= end)
        return false;
    LEFTFOLD_TRY(read, log_.read(slots_[slot].slot, from, bytes_max));
    const auto records = read.records();
    const auto behind = std::ranges::lower_bound(records, end, {}, &Record::position);
    FoldBatch::Piece piece;
    piece.slot = slot;
    piece.record_count = static_cast<std::size_t>(behind - records.begin());
    piece.next = std::min(read.next(), end);
    if (piece.next <= read_[slot])
        return false;
    for (const Record& record : records)
        next_->bytes += sizeof(Record) + record.payload.size() + record.meta.key.size();
    next_->record_count += piece.record_count;
    read_[slot] = piece.next;
    piece.read = std::move(read);
    next_->pieces.push_back(std::move(piece));
    return true;
}

void Follower::submit() {
    LEFTFOLD_ASSERT(!is_folding_);
    is_folding_ = true;
    auto outcome = std::make_shared<FoldOutcome>();
    worker_.submit([rows = rows_, batch = batch_, outcome] { *outcome = rows->fold(*batch); },
                   [weak = weak_from_this(), outcome] {
                       if (const auto self = weak.lock())
                           self->folded(std::move(*outcome));
                   });
}

void Follower::folded(FoldOutcome outcome) {
    is_folding_ = false;
    if (outcome.error && is_damage(*outcome.error)) {
        damage_ = std::move(outcome.error);
        forget_what_was_read();
    } else if (outcome.error) {
        ++statistics_.store_failures;
        failed(*outcome.error);
        wants_reopening_ =
            back_off_.trouble()->attempts >= kAttemptsBeforeReopening && outcome.error->code() != ErrorCode::no_space;
    } else {
        committed(outcome);
    }
    if (still_)
        std::exchange(still_, nullptr)();
    if (may_go_on())
        submit_next_if_due();
    wake();
    tell();
}

void Follower::committed(FoldOutcome& outcome) {
    back_off_.succeeded();
    for (const auto& [slot, position] : outcome.positions)
        positions_[slot] = position;
    folded_ += outcome.folded;
    rate_.note(env_.clock.monotonic(), folded_);
    statistics_.events_folded += outcome.folded;
    ++statistics_.batches;
    batch_.reset();
    if (outcome.fault) {
        ++statistics_.faults;
        fault_ = std::move(outcome.fault);
        forget_what_was_read();
    } else if (is_at_end()) {
        has_told_end_ = true;
        keeps_up_ = true;
    }
}

// The batch, if there is one, is folded again; what was read stays.
void Follower::failed(const Error& error) {
    retry_timer_ = env_.scheduler.call_after(back_off_.failed(error), [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->retry_timer_.reset();
            self->wake();
        }
    });
}

void Follower::forget_what_was_read() {
    batch_.reset();
    next_ = std::make_shared<FoldBatch>();
    read_ = positions_;
    saw_end_ = false;
    has_told_end_ = false;
    keeps_up_ = false;
}

void Follower::retry() {
    LEFTFOLD_ASSERT(fault_);
    const auto self = shared_from_this();
    fault_.reset();
    wake();
    tell();
}

bool Follower::is_skipped(const EventPlace& place) const noexcept {
    return std::ranges::any_of(skipped_, [&](const SkippedEvent& event) { return event.fault.place == place; });
}

void Follower::skip(Timestamp now, OperatorDone done) {
    LEFTFOLD_ASSERT(fault_ && !is_busy());
    if (skipped_.size() >= kSkippedMax) {
        post([done = std::move(done)]() mutable {
            done(fail(ErrorCode::overloaded,
                      fmt::format("{} events were skipped, and no more can be: mend the projection and rebuild it",
                                  kSkippedMax)));
        });
        return;
    }
    auto skipped = std::make_shared<std::vector<SkippedEvent>>(skipped_);
    skipped->push_back({*fault_, now});
    auto result = std::make_shared<Result<>>();
    is_skipping_ = true;
    worker_.submit([rows = rows_, place = fault_->place, skipped, result] { *result = rows->skip(place, *skipped); },
                   [weak = weak_from_this(), skipped, result, done = std::move(done)]() mutable {
                       if (const auto self = weak.lock())
                           self->skipped_event(*skipped, std::move(*result), std::move(done));
                   });
}

void Follower::skipped_event(std::vector<SkippedEvent>& skipped, Result<> result, OperatorDone done) {
    is_skipping_ = false;
    if (result) {
        const EventPlace& place = fault_->place;
        positions_[*slots_.index_of(place.topic, place.partition)] = place.position.next();
        skipped_ = std::move(skipped);
        ++statistics_.skipped;
        fault_.reset();
        read_ = positions_;
    } else if (is_damage(result.error())) {
        damage_ = result.error();
    }
    if (still_)
        std::exchange(still_, nullptr)();
    done(std::move(result));
    wake();
    tell();
}

void Follower::tell() {
    // Last in its step: who is told may destroy this.
    changed_();
}

}  // namespace leftfold
