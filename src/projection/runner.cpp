#include "leftfold/projection/runner.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runner_impl.hpp"

namespace leftfold {

std::string_view to_string(BuildStage stage) noexcept {
    switch (stage) {
        case BuildStage::opening:
            return "opening";
        case BuildStage::folding:
            return "folding";
        case BuildStage::aligning:
            return "aligning";
        case BuildStage::comparing:
            return "comparing";
        case BuildStage::ready:
            return "ready";
        case BuildStage::switching:
            return "switching";
    }
    return "?";
}

std::string_view to_string(ProjectionState state) noexcept {
    switch (state) {
        case ProjectionState::starting:
            return "starting";
        case ProjectionState::building:
            return "building";
        case ProjectionState::catching_up:
            return "catching-up";
        case ProjectionState::live:
            return "live";
        case ProjectionState::stopped:
            return "stopped";
        case ProjectionState::closed:
            return "closed";
    }
    return "?";
}

std::int64_t GenerationStatus::lag() const noexcept {
    std::int64_t lag = 0;
    for (const PartitionProgress& partition : partitions)
        lag += partition.lag();
    return lag;
}

ProjectionRunner::Impl::Impl(const Env& env, log::EventLog& log, const ProjectionModel& model,
                             ProjectionRunnerOptions options)
    : env_(env),
      log_(log),
      model_(model),
      options_(std::move(options)),
      incarnation_(log.incarnation()),
      folder_(env.files, options_.folder),
      back_off_(options_.retry_first, options_.retry_max),
      builds_lost_(options_.retry_first, options_.retry_max) {}

ProjectionRunner::Impl::~Impl() {
    if (retry_timer_)
        env_.scheduler.cancel(*retry_timer_);
}

Result<> ProjectionRunner::Impl::start() {
    LEFTFOLD_TRY(slots, FollowedSlots::find(log_, model_));
    slots_ = std::move(slots);
    waiters_ = std::make_unique<PositionWaiters>(env_.scheduler, slots_.size(), [this] {
        ++statistics_.waits_timed_out;
        return Error(ErrorCode::unavailable,
                     fmt::format("the projection '{}' has not come so far in time{}", model_.name(),
                                 state() == ProjectionState::stopped ? ": it has stopped before an event that cannot "
                                                                       "be folded"
                                                                     : ""),
                     Retry::yes);
    });
    watch_ = log_.watch([weak = weak_from_this()](log::Slot slot, Position) {
        const auto self = weak.lock();
        if (!self || !self->slots_.index_of(slot))
            return;
        if (self->live_ && self->live_->follower)
            self->live_->follower->wake();
        if (self->build_ && self->build_->follower && !self->build_->limits)
            self->build_->follower->wake();
    });
    spare_ = take_worker();
    post([this] { advance(); });
    return {};
}

void ProjectionRunner::Impl::post(Step step) {
    env_.scheduler.post([weak = weak_from_this(), step = std::move(step)]() mutable {
        if (const auto self = weak.lock())
            step();
    });
}

// From the top down: a comparison reads the live rows on the worker of the build.
void ProjectionRunner::Impl::stop(Step stopped) {
    LEFTFOLD_ASSERT(!is_stopping_);
    is_stopping_ = true;
    stopped_ = std::move(stopped);
    if (watch_)
        log_.unwatch(*watch_);
    if (retry_timer_)
        env_.scheduler.cancel(*std::exchange(retry_timer_, std::nullopt));
    post([this] { stop_next(); });
}

void ProjectionRunner::Impl::stop_next() {
    for (OpenGeneration* generation : {static_cast<OpenGeneration*>(build_.get()), live_.get()}) {
        if (generation != nullptr)
            close(*generation);
    }
    if (spare_)
        return stop_worker(spare_, nullptr);
    if (build_ && build_->worker) {
        build_->comparison.reset();
        return stop_worker(build_->worker, build_->rows);
    }
    if (live_ && live_->worker)
        return stop_worker(live_->worker, live_->rows);
    if (retired_ && retired_->worker)
        return stop_worker(retired_->worker, retired_->rows);
    if (waiters_)
        waiters_->fail_all(Error(ErrorCode::unavailable, "the projection is being stopped", Retry::yes));
    while (!calls_.empty()) {
        answer(calls_.begin()->first,
               std::unexpected(Error(ErrorCode::cancelled, "the projection is being stopped", Retry::yes)));
    }
    is_stopped_ = true;
    std::exchange(stopped_, nullptr)();
}

// Its jobs run in order: this one is the last.
void ProjectionRunner::Impl::stop_worker(std::unique_ptr<Worker>& worker, std::shared_ptr<GenerationRows> rows) {
    worker->submit(
        [rows = std::move(rows)] {
            if (rows)
                rows->close();
        },
        [weak = weak_from_this(), &worker] {
            if (const auto self = weak.lock()) {
                worker.reset();
                self->stop_next();
            }
        });
}

bool ProjectionRunner::Impl::is_served() const noexcept {
    return live_ && live_->is_open && !live_->lost && live_->entry.schema == model_.schema();
}

const Positions& ProjectionRunner::Impl::live_positions() const noexcept {
    return live_->follower ? live_->follower->positions() : live_->positions;
}

rows::RowReader* ProjectionRunner::Impl::reader() noexcept {
    return is_served() ? live_->reader.get() : nullptr;
}

Error ProjectionRunner::Impl::not_served() const {
    std::string message = fmt::format("the projection '{}' is {}", model_.name(), to_string(state()));
    if (build_ && build_->follower) {
        const BuildStatus build = status_of_build();
        const std::uint64_t percent = build.positions_done * 100 / std::max<std::uint64_t>(build.positions_total, 1);
        message += fmt::format(": {} of {} events, {} %", build.positions_done, build.positions_total, percent);
        if (build.generation.fault)
            message += ", and has stopped before an event that cannot be folded";
    }
    return Error(ErrorCode::unavailable, std::move(message), Retry::yes);
}

void ProjectionRunner::Impl::read_failed(const Error& error) {
    if (error.code() != ErrorCode::corrupt || !live_ || live_->lost)
        return;
    live_->lost = error.message();
    notify();
    post([this] { advance(); });
}

Result<bool> ProjectionRunner::Impl::has_reached(const log::PositionToken& token) {
    if (token.incarnation() != incarnation_)
        return leftfold::fail(ErrorCode::conflict, "the position is of another log");
    bool reached = is_served();
    for (const auto& [where, position] : token.entries()) {
        const auto index = slots_.index_of(where.first, where.second);
        if (!index && !slots_.follows(where.first))
            continue;
        if (index && live_ && live_->is_open && live_positions()[*index] >= position)
            continue;
        if (!index)
            return leftfold::fail(ErrorCode::conflict, "the position is of a partition that the log does not have");
        LEFTFOLD_TRY(bounds, log_.bounds(slots_[*index].slot));
        if (position > bounds.durable_end)
            return leftfold::fail(ErrorCode::conflict, "the position is beyond the end of the log");
        reached = false;
    }
    return reached;
}

void ProjectionRunner::Impl::wait_for(const log::PositionToken& token, Duration at_most, ReachedDone done) {
    auto reached = is_stopping_ ? leftfold::fail(ErrorCode::unavailable, "the projection is being stopped", Retry::yes)
                                : has_reached(token);
    ++statistics_.waits;
    if (!reached)
        return answer_later(std::move(done), std::unexpected(std::move(reached).error()));
    if (waiters_->size() >= options_.waiters_max) {
        ++statistics_.waits_refused;
        return answer_later(std::move(done),
                            leftfold::fail(ErrorCode::unavailable,
                                           fmt::format("{} queries wait for the projection '{}' already",
                                                       waiters_->size(), model_.name()),
                                           Retry::yes));
    }
    std::vector<PositionWaiters::Want> wants;
    for (const auto& [where, position] : token.entries()) {
        if (const auto index = slots_.index_of(where.first, where.second))
            wants.push_back({*index, position});
    }
    waiters_->add(std::move(wants), at_most, std::move(done));
    if (is_served())
        post([this] {
            if (is_served())
                waiters_->reached(live_positions());
        });
}

void ProjectionRunner::Impl::answer_later(OperatorDone done, Result<> result) {
    post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

ProjectionRunner::ProjectionRunner(const Env& env, log::EventLog& log, const ProjectionModel& model,
                                   ProjectionRunnerOptions options)
    : impl_(std::make_shared<Impl>(env, log, model, std::move(options))) {}
ProjectionRunner::~ProjectionRunner() = default;

Result<> ProjectionRunner::start() {
    return impl_->start();
}
void ProjectionRunner::stop(Step stopped) {
    impl_->stop(std::move(stopped));
}
const ProjectionModel& ProjectionRunner::model() const noexcept {
    return impl_->model();
}
rows::RowReader* ProjectionRunner::reader() noexcept {
    return impl_->reader();
}
Error ProjectionRunner::not_served() const {
    return impl_->not_served();
}
void ProjectionRunner::read_failed(const Error& error) {
    impl_->read_failed(error);
}
Result<bool> ProjectionRunner::has_reached(const log::PositionToken& token) {
    return impl_->has_reached(token);
}
void ProjectionRunner::wait_for(const log::PositionToken& token, Duration at_most, ReachedDone done) {
    impl_->wait_for(token, at_most, std::move(done));
}
ProjectionStatus ProjectionRunner::status() const {
    return impl_->status();
}
const ProjectionStatistics& ProjectionRunner::statistics() const noexcept {
    return impl_->statistics();
}
void ProjectionRunner::on_change(std::move_only_function<void()> changed) {
    impl_->on_change(std::move(changed));
}
Result<> ProjectionRunner::retry() {
    return impl_->retry();
}
void ProjectionRunner::skip(const EventPlace& place, OperatorDone done) {
    impl_->skip(place, std::move(done));
}
void ProjectionRunner::rebuild(OperatorDone done, std::string from_copy) {
    impl_->rebuild(std::move(done), std::move(from_copy));
}
void ProjectionRunner::cancel_build(OperatorDone done) {
    impl_->cancel_build(std::move(done));
}
void ProjectionRunner::switch_to(Generation generation, OperatorDone done) {
    impl_->switch_to(generation, std::move(done));
}
void ProjectionRunner::switch_back(OperatorDone done) {
    impl_->switch_back(std::move(done));
}
void ProjectionRunner::export_to(std::string path, OperatorDone done) {
    impl_->export_to(std::move(path), std::move(done));
}

}  // namespace leftfold
