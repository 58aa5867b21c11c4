// An operator's words to a ProjectionRunner.
#include <algorithm>

#include <fmt/format.h>

#include "runner_impl.hpp"

namespace leftfold {

namespace {

// Of operators, that wait for an answer.
constexpr std::size_t kCallsMax = 64;

}  // namespace

// Answers `done` where it is not to be, and takes it.
bool ProjectionRunner::Impl::refuse(OperatorDone& done, std::optional<std::string> why) {
    if (!why && !is_stopping_ && calls_.size() < kCallsMax)
        return false;
    if (why)
        answer_later(std::move(done), leftfold::fail(ErrorCode::conflict, *std::move(why)));
    else if (is_stopping_)
        answer_later(std::move(done), leftfold::fail(ErrorCode::cancelled, "the projection is being stopped"));
    else
        answer_later(std::move(done), leftfold::fail(ErrorCode::overloaded, "too many operators wait for an answer"));
    return true;
}

Result<> ProjectionRunner::Impl::retry() {
    bool is_any = false;
    for (OpenGeneration* generation : {live_.get(), static_cast<OpenGeneration*>(build_.get())}) {
        const bool has_stopped = generation != nullptr && generation->follower && generation->follower->fault() &&
                                 !generation->follower->is_skipping();
        if (has_stopped)
            generation->follower->retry();
        is_any = is_any || has_stopped;
    }
    if (!is_any)
        return leftfold::fail(ErrorCode::conflict,
                              fmt::format("the projection '{}' has not stopped before an event", model_.name()));
    return {};
}

void ProjectionRunner::Impl::skip(const EventPlace& place, OperatorDone done) {
    const auto has_stopped_at = [&](const OpenGeneration* generation) {
        return generation != nullptr && generation->follower && generation->follower->fault() &&
               generation->follower->fault()->place == place && !generation->follower->is_skipping();
    };
    OpenGeneration* generation = has_stopped_at(live_.get())    ? live_.get()
                                 : has_stopped_at(build_.get()) ? build_.get()
                                                                : nullptr;
    std::optional<std::string> why;
    if (generation == nullptr) {
        why = fmt::format("the projection '{}' has not stopped before position {} of partition {} of '{}'",
                          model_.name(), place.position.value(), place.partition.value(), place.topic);
    }
    if (refuse(done, std::move(why)))
        return;
    if (generation == live_.get() && hold_ != Hold::none) {
        return answer_later(
            std::move(done),
            leftfold::fail(ErrorCode::unavailable, "the rows are being compared: skip when that is done", Retry::yes));
    }
    const CallId call = add_call(std::move(done));
    generation->calls.push_back(call);
    generation->follower->skip(env_.clock.now(), [this, weak = weak_from_this(), call](Result<> result) {
        if (const auto self = weak.lock())
            answer(call, std::move(result));
    });
}

// What keeps a build from being begun now.
std::optional<std::string> ProjectionRunner::Impl::why_no_build() const {
    if (!manifest_ || !live_ || !live_->is_open)
        return fmt::format("the projection '{}' has no live rows: it is {}", model_.name(), to_string(state()));
    if (build_)
        return fmt::format("generation {} of the projection '{}' is being built already", build_->entry.number,
                           model_.name());
    if (manifest_->building || request_)
        return fmt::format("a generation of the projection '{}' is being built already", model_.name());
    return std::nullopt;
}

void ProjectionRunner::Impl::rebuild(OperatorDone done, std::string from_copy) {
    if (refuse(done, why_no_build()))
        return;
    request_ =
        BuildRequest{.from_previous = false, .from_copy = std::move(from_copy), .call = add_call(std::move(done))};
    post([this] { advance(); });
}

void ProjectionRunner::Impl::switch_back(OperatorDone done) {
    auto why = why_no_build();
    if (!why && !manifest_->previous)
        why = fmt::format("the projection '{}' has no generation before the live one", model_.name());
    if (!why && !is_of_this_shape(*manifest_->previous)) {
        why = fmt::format(
            "generation {} of the projection '{}' is of another version of it, which this program cannot "
            "fold: start the one that made it",
            manifest_->previous->number, model_.name());
    }
    if (refuse(done, std::move(why)))
        return;
    request_ = BuildRequest{.from_previous = true, .from_copy = {}, .call = add_call(std::move(done))};
    post([this] { advance(); });
}

void ProjectionRunner::Impl::switch_to(Generation generation, OperatorDone done) {
    std::optional<std::string> why;
    if (!build_ || build_->lost || build_->entry.generation() != generation)
        why = fmt::format("generation {} of the projection '{}' is not being built", generation.value(), model_.name());
    if (refuse(done, std::move(why)))
        return;
    build_->switched.push_back(add_call(std::move(done)));
    post([this] { advance(); });
}

void ProjectionRunner::Impl::cancel_build(OperatorDone done) {
    std::optional<std::string> why;
    if (!build_ || build_->lost)
        why = fmt::format("no generation of the projection '{}' is being built", model_.name());
    else if (!is_served())
        why = fmt::format("the projection '{}' has nothing else to serve than what is being built", model_.name());
    else if (build_->stage == BuildStage::switching)
        why = fmt::format("generation {} of the projection '{}' is being switched to", build_->entry.number,
                          model_.name());
    else if (!live_->follower)
        why = fmt::format("the live rows of the projection '{}' are of another version of it, and cannot go on",
                          model_.name());
    if (refuse(done, std::move(why)))
        return;
    build_->lost = "an operator cancelled it";
    build_->is_asked_for = true;
    build_->cancelled = add_call(std::move(done));
    post([this] { advance(); });
}

void ProjectionRunner::Impl::export_to(std::string path, OperatorDone done) {
    if (!is_stopping_ && !is_served())
        return answer_later(std::move(done), std::unexpected(not_served()));
    if (refuse(done, std::nullopt))
        return;
    const CallId call = add_call(std::move(done));
    on_worker<Result<>>(
        *live_->worker, [rows = live_->rows, path = std::move(path)] { return rows->copy_to(path); },
        [this, call](Result<> copied) { answer(call, std::move(copied)); });
}

}  // namespace leftfold
