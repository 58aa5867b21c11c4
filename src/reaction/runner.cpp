#include "leftfold/reaction/runner.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

#include "runner_impl.hpp"

namespace leftfold {

using reaction::AttemptEnd;
using reaction::Attempts;
using reaction::FollowedSlots;
using reaction::HeldKey;
using reaction::Lanes;
using reaction::OpenedRows;
using reaction::RowsIdentity;

ReactionRunner::Impl::Impl(const Env& env, log::EventLog& log, const ReactionModel& model, HttpCaller& http,
                           ReactionOptions options)
    : env_(env),
      log_(log),
      model_(model),
      options_(std::move(options)),
      pump_(env, [this] { pump(); }),
      commit_(env, [this] { commit(); }),
      store_(env, [this] { phase_ == Phase::opening && !is_busy_ ? open() : commit(); }),
      log_retry_(env, [this] { pump(); }),
      grace_(env, [this] { attempts_.cancel_all(); }),
      worker_(env.workers.start("reaction rows", env.scheduler)),
      attempts_(env, model, http, options_.attempt_timeout,
                [this](Attempts::Id id, AttemptEnd end, ReactionResult result) {
                    attempt_ended(id, end, std::move(result));
                }) {}

ReactionRunner::Impl::~Impl() {
    if (watch_)
        log_.unwatch(*watch_);
}

void ReactionRunner::Impl::post(Step step) {
    env_.scheduler.post([weak = weak_from_this(), step = std::move(step)]() mutable {
        if (const auto self = weak.lock())
            step();
    });
}

void ReactionRunner::Impl::submit(Job job, Step done) {
    LEFTFOLD_ASSERT(!is_busy_);
    is_busy_ = true;
    worker_->submit(std::move(job), [weak = weak_from_this(), done = std::move(done)]() mutable {
        const auto self = weak.lock();
        if (!self)
            return;
        self->is_busy_ = false;
        done();
    });
}

// ---------------------------------------------------------------------------------------------------------------------
// Opening

Result<> ReactionRunner::Impl::check_options() const {
    const auto refuse = [&](std::string_view what) {
        return fail(ErrorCode::invalid_argument, fmt::format("reaction '{}': {}", model_.name(), what));
    };
    if (options_.folder.empty() || !options_.open_store)
        return refuse("a folder and open_store must be given");
    if (options_.concurrency_max == 0 || options_.attempts_max == 0)
        return refuse("concurrency_max and attempts_max must be 1 or more");
    if (options_.window_max == 0 || options_.read_ahead_bytes_max == 0 || options_.waiting_keys_max == 0 ||
        options_.key_queue_max == 0)
        return refuse("window_max, read_ahead_bytes_max, waiting_keys_max and key_queue_max must be 1 or more");
    if (options_.retry_first <= Duration(0) || options_.retry_max < options_.retry_first)
        return refuse("retry_first must be more than 0, and no more than retry_max");
    if (options_.attempt_timeout <= Duration(0))
        return refuse("attempt_timeout must be more than 0");
    return {};
}

Result<> ReactionRunner::Impl::start() {
    LEFTFOLD_ASSERT(phase_ == Phase::created);
    LEFTFOLD_CHECK(check_options());
    LEFTFOLD_TRY(slots, FollowedSlots::find(log_, model_));
    slots_ = std::move(slots);
    watch_ = log_.watch([this, weak = weak_from_this()](log::Slot moved, Position) {
        if (const auto self = weak.lock(); self && slots_.follows(moved.topic))
            wake();
    });
    open();
    return {};
}

Result<RowsIdentity> ReactionRunner::Impl::identity() const {
    RowsIdentity identity{.log = log_.incarnation().to_string(), .partitions = {}, .start_at = options_.start_at};
    for (SlotIndex slot = 0; slot < slots_.size(); ++slot) {
        LEFTFOLD_TRY(bounds, log_.bounds(slots_[slot].slot));
        identity.partitions.push_back(
            {slots_[slot].topic, slots_[slot].slot.partition, bounds.start, bounds.durable_end});
    }
    return identity;
}

void ReactionRunner::Impl::open() {
    phase_ = Phase::opening;
    auto identity = this->identity();
    if (!identity) {
        opened(std::unexpected(std::move(identity).error()));
        return;
    }
    struct Opening {
        RowsIdentity identity;
        std::unique_ptr<OpenedRows> before;
        Result<std::unique_ptr<OpenedRows>> rows;
    };
    auto opening = std::make_shared<Opening>(Opening{*std::move(identity), std::move(rows_), nullptr});
    submit(
        [this, opening] {
            opening->before.reset();
            opening->rows = open_rows(env_.files, options_, opening->identity);
        },
        [this, opening] { opened(std::move(opening->rows)); });
}

void ReactionRunner::Impl::opened(Result<std::unique_ptr<OpenedRows>> opened) {
    if (phase_ == Phase::stopping) {
        if (opened)
            rows_ = *std::move(opened);
        go_on_stopping();
        return;
    }
    if (opened) {
        rows_ = *std::move(opened);
        load(*rows_);
        store_failures_ = 0;
        store_trouble_.clear();
        phase_ = Phase::running;
        wake();
        return;
    }
    const Error error = std::move(opened).error().with_context("opening the rows of reaction " + model_.name());
    store_trouble_ = error.message();
    ++statistics.store_failures;
    const ErrorCode code = error.code();
    if (code == ErrorCode::corrupt || code == ErrorCode::unsupported || code == ErrorCode::conflict) {
        phase_ = Phase::stuck;
        return;
    }
    store_.after(
        std::min(options_.store_retry_max, options_.store_retry_first * (1U << std::min(store_failures_, 10U))));
    ++store_failures_;
}

void ReactionRunner::Impl::load(OpenedRows& rows) {
    lanes_ = std::make_unique<Lanes>(reaction::LaneBounds{.window_max = options_.window_max,
                                                          .bytes_max = options_.read_ahead_bytes_max,
                                                          .waiting_keys_max = options_.waiting_keys_max,
                                                          .key_queue_max = options_.key_queue_max},
                                     slots_);
    written_ = std::exchange(rows.positions, {});
    pending_.clear();
    pending_.resize(slots_.size());
    for (SlotIndex slot = 0; slot < slots_.size(); ++slot)
        lanes_->begin_at(slot, written_[slot]);
    lanes_->dead_in_store(rows.dead, rows.held_by_dead);
    const Timestamp now = env_.clock.now();
    for (HeldKey& held : std::exchange(rows.alive, {})) {
        const auto slot = slots_.of_key(held.topic, held.key);
        if (!slot)
            continue;  // of a stream that it no longer follows: should it do so again, they are still there
        std::optional<MonotonicTime> due;
        if (held.retry_at) {
            // Whatever was done to the clock meanwhile, not later than the longest back-off.
            const Duration wait = std::clamp<Duration>(*held.retry_at - now, Duration(0), options_.retry_max);
            due = env_.clock.monotonic() + wait;
        }
        lanes_->load_alive(*slot, std::move(held), due);
    }
}

// What is in memory may be ahead of the store, and nobody knows by how much: begin again from what is there.
void ReactionRunner::Impl::reopen(const Error& why) {
    store_trouble_ = why.message();
    ++statistics.reopened;
    phase_ = Phase::reopening;
    std::vector<Decision> decisions = std::exchange(decisions_under_way_, {});
    std::ranges::move(std::exchange(decisions_, {}), std::back_inserter(decisions));
    for (Decision& decision : decisions)
        decision.lane = nullptr;
    answer(std::move(decisions),
           fail(ErrorCode::unavailable,
                fmt::format("it may have been done, or not: the store failed, and is opened again: {}", why.message()),
                Retry::yes));
    pump_.cancel();
    commit_.cancel();
    if (attempts_.count() == 0)
        open();
}

// ---------------------------------------------------------------------------------------------------------------------
// Stopping

void ReactionRunner::Impl::stop(Step stopped) {
    LEFTFOLD_ASSERT(!stopped_ && phase_ != Phase::closed);
    stopped_ = std::move(stopped);
    if (watch_)
        log_.unwatch(*std::exchange(watch_, std::nullopt));
    phase_ = Phase::stopping;
    for (reaction::Alarm* alarm : {&pump_, &commit_, &store_, &log_retry_})
        alarm->cancel();
    if (attempts_.count() > 0)
        grace_.after(options_.stop_grace);
    if (!is_busy_)
        go_on_stopping();
}

void ReactionRunner::Impl::go_on_stopping() {
    if (attempts_.count() > 0 || is_busy_)
        return;
    grace_.cancel();
    // One try: what is not written is repeated in the next life.
    const bool can_write = rows_ && lanes_ && store_failures_ == 0;
    if (can_write)
        commit();
    if (!is_busy_)
        close();
}

void ReactionRunner::Impl::close() {
    answer(std::exchange(decisions_, {}),
           fail(ErrorCode::unavailable, "it may have been done, or not: the reaction is stopping", Retry::yes));
    if (rows_ == nullptr) {
        phase_ = Phase::closed;
        env_.scheduler.post(std::exchange(stopped_, nullptr));
        return;
    }
    std::shared_ptr<OpenedRows> closing = std::move(rows_);
    submit([rows = std::move(closing)]() mutable { rows.reset(); },
           [this] {
               phase_ = Phase::closed;
               std::exchange(stopped_, nullptr)();
           });
}

// ---------------------------------------------------------------------------------------------------------------------

ReactionStatus ReactionRunner::Impl::status() const {
    ReactionStatus status{.name = model_.name()};
    status.is_running = phase_ == Phase::running;
    status.in_flight = attempts_.count();
    status.last_error = last_error_;
    status.trouble = store_trouble_.empty() ? log_trouble_ : store_trouble_;
    status.is_stopped_by_trouble = phase_ == Phase::stuck;
    if (lanes_ == nullptr)
        return status;
    status.retrying = lanes_->counts().retrying;
    status.dead_letters = lanes_->counts().dead;
    status.held = lanes_->counts().held;
    for (SlotIndex slot = 0; slot < slots_.size(); ++slot) {
        const auto bounds = log_.bounds(slots_[slot].slot);
        const Position end = bounds ? bounds->durable_end : written_[slot];
        status.positions.push_back({slots_[slot].topic, slots_[slot].slot.partition, written_[slot], end});
        status.lag += std::max<std::int64_t>(0, end.value() - lanes_->settled(slot).value());
    }
    return status;
}

ReactionRunner::ReactionRunner(const Env& env, log::EventLog& log, const ReactionModel& model, HttpCaller& http,
                               ReactionOptions options)
    : impl_(std::make_shared<Impl>(env, log, model, http, std::move(options))) {}
ReactionRunner::~ReactionRunner() = default;

void ReactionRunner::on_failure(std::move_only_function<void(const Failure&)> failed) {
    impl_->on_failure = std::move(failed);
}
Result<> ReactionRunner::start() {
    return impl_->start();
}
void ReactionRunner::stop(Step stopped) {
    impl_->stop(std::move(stopped));
}
ReactionStatus ReactionRunner::status() const {
    return impl_->status();
}
const ReactionStatistics& ReactionRunner::statistics() const noexcept {
    return impl_->statistics;
}
Result<std::vector<DeadLetter>> ReactionRunner::dead_letters(const DeadLetterPage& page) {
    return impl_->dead_letters(page);
}
Result<DeadLetter> ReactionRunner::show(const std::string& topic, const std::string& key) {
    return impl_->show(topic, key);
}
void ReactionRunner::retry(const std::string& topic, const std::string& key, Version version, Done done) {
    impl_->retry(topic, key, version, std::move(done));
}
void ReactionRunner::discard(const std::string& topic, const std::string& key, Version version,
                             const std::string& reason, Done done) {
    impl_->discard(topic, key, version, reason, std::move(done));
}
Result<std::vector<DiscardedEvent>> ReactionRunner::discarded(const DiscardedPage& page) {
    return impl_->discarded(page);
}

}  // namespace leftfold
