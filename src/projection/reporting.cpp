// What a ProjectionRunner tells of itself, and what it does when a follower tells it something.
#include <algorithm>

#include <fmt/format.h>

#include "runner_impl.hpp"

namespace leftfold {

ProjectionState ProjectionRunner::Impl::state() const {
    if (is_stopping_)
        return ProjectionState::closed;
    if (is_served() && live_->follower) {
        if (live_->follower->fault())
            return ProjectionState::stopped;
        return live_->follower->keeps_up() ? ProjectionState::live : ProjectionState::catching_up;
    }
    return build_ || is_served() ? ProjectionState::building : ProjectionState::starting;
}

GenerationStatus ProjectionRunner::Impl::status_of(const OpenGeneration& generation) const {
    GenerationStatus status;
    status.generation = generation.entry.generation();
    status.created = generation.entry.created;
    status.skipped = generation.skipped;
    Positions positions = generation.positions;
    if (const Follower* follower = generation.follower.get()) {
        positions = follower->positions();
        status.events_folded = follower->folded();
        status.events_per_second = follower->rate();
        status.fault = follower->fault();
        status.skipped = follower->skipped();
        status.trouble = follower->trouble();
    }
    for (std::size_t i = 0; i < positions.size(); ++i) {
        const auto bounds = log_.bounds(slots_[i].slot);
        status.partitions.push_back(
            {slots_[i].topic, slots_[i].slot.partition, positions[i], bounds ? bounds->durable_end : positions[i]});
    }
    return status;
}

BuildStatus ProjectionRunner::Impl::status_of_build() const {
    BuildStatus status;
    status.stage = build_->stage;
    status.generation = status_of(*build_);
    for (std::size_t i = 0; i < status.generation.partitions.size(); ++i) {
        const PartitionProgress& partition = status.generation.partitions[i];
        const auto bounds = log_.bounds(slots_[i].slot);
        const std::int64_t start = bounds ? bounds->start.value() : 0;
        const Position end = build_->limits ? (*build_->limits)[i] : partition.durable_end;
        status.positions_done +=
            static_cast<std::uint64_t>(std::max<std::int64_t>(partition.position.value() - start, 0));
        status.positions_total += static_cast<std::uint64_t>(std::max<std::int64_t>(end.value() - start, 0));
    }
    return status;
}

ProjectionStatus ProjectionRunner::Impl::status() const {
    ProjectionStatus status;
    status.name = model_.name();
    status.state = state();
    status.is_served = is_served();
    status.is_stale = is_served() && !live_->follower;
    if (live_)
        status.live = status_of(*live_);
    if (build_)
        status.build = status_of_build();
    if (manifest_ && manifest_->previous)
        status.previous = manifest_->previous->generation();
    status.difference = difference_;
    status.trouble = back_off_.trouble();
    status.remark = remark_;
    return status;
}

const ProjectionStatistics& ProjectionRunner::Impl::statistics() noexcept {
    statistics_.waiting = waiters_ ? waiters_->size() : 0;
    return statistics_;
}

// Tells of what an operator would want to see at once, not of every batch.
void ProjectionRunner::Impl::notify() {
    if (!on_change_)
        return;
    const auto describe = [](const OpenGeneration* generation) {
        if (generation == nullptr)
            return std::string();
        const Follower* follower = generation->follower.get();
        return fmt::format("{} {} {}", generation->entry.number, follower && follower->fault() ? "fault" : "",
                           follower && follower->trouble() ? "trouble" : "");
    };
    std::string now = fmt::format("{} {} | {} | {} {} | {} {}", to_string(state()), is_served(), describe(live_.get()),
                                  describe(build_.get()), build_ ? to_string(build_->stage) : "",
                                  back_off_.trouble() ? "trouble" : "", remark_);
    if (notified_ == now)
        return;
    notified_ = std::move(now);
    on_change_();
}

void ProjectionRunner::Impl::follower_changed() {
    if (is_stopping_)
        return;
    for (OpenGeneration* generation : {live_.get(), static_cast<OpenGeneration*>(build_.get())}) {
        if (generation != nullptr && generation->follower && generation->follower->damage() && !generation->lost)
            generation->lost = generation->follower->damage()->message();
    }
    if (is_served())
        waiters_->reached(live_positions());
    if (hold_ != Hold::still)
        follow_live();
    skip_what_was_skipped();
    notify();
    advance();
}

// What the operator has decided once holds for every build; where the event can be folded now, it is.
void ProjectionRunner::Impl::skip_what_was_skipped() {
    if (!build_ || !build_->follower || !build_->follower->fault() || build_->follower->is_skipping() || !live_)
        return;
    const EventPlace& place = build_->follower->fault()->place;
    const bool was_skipped = live_->follower ? live_->follower->is_skipped(place)
                                             : std::ranges::any_of(live_->skipped, [&](const SkippedEvent& event) {
                                                   return event.fault.place == place;
                                               });
    if (was_skipped)
        build_->follower->skip(env_.clock.now(), [](const Result<>&) {});
}

ProjectionRunner::Impl::CallId ProjectionRunner::Impl::add_call(OperatorDone done) {
    calls_.emplace(next_call_, std::move(done));
    return next_call_++;
}

void ProjectionRunner::Impl::answer(CallId call, Result<> result) {
    auto node = calls_.extract(call);
    if (!node.empty())
        node.mapped()(std::move(result));
}

}  // namespace leftfold
