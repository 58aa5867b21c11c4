// The store: one transaction at a time, on the worker.
#include <algorithm>
#include <utility>

#include "leftfold/base/assert.hpp"

#include "runner_impl.hpp"

namespace leftfold {

using reaction::CommitResult;
using reaction::Lanes;

namespace {

// After so many in a row the store is opened again: as after a failed sync, it may not mend otherwise.
constexpr std::uint32_t kFailuresMax = 4;

}  // namespace

void ReactionRunner::Impl::commit() {
    const bool may_write = phase_ == Phase::running || phase_ == Phase::stopping;
    if (!may_write || is_busy_ || rows_ == nullptr || store_.is_set())
        return;
    if (!lanes_->has_changes(written_) && decisions_.empty())
        return;
    commit_.cancel();
    auto changes = std::make_shared<Lanes::Changes>(lanes_->take_changes(written_));
    changes->rows.must_be_durable = !decisions_.empty();
    decisions_under_way_ = std::exchange(decisions_, {});
    if (changes->rows.empty())
        return;  // what was kept has been done before it was ever written
    auto result = std::make_shared<CommitResult>();
    submit([this, changes, result] { *result = commit_changes(*rows_->store, changes->rows); },
           [this, changes, result] { committed(*changes, *result); });
}

void ReactionRunner::Impl::committed(Lanes::Changes& changes, const CommitResult& result) {
    if (!result.committed || !result.synced) {
        commit_failed(changes, result);
        return;
    }
    ++statistics.commits;
    store_failures_ = 0;
    store_trouble_.clear();
    written_ = std::move(changes.positions);
    lanes_->written(changes);
    answer(std::exchange(decisions_under_way_, {}), {});
    if (phase_ == Phase::stopping) {
        go_on_stopping();
        return;
    }
    if (decisions_.empty())
        wake();
    else
        commit();
}

void ReactionRunner::Impl::commit_failed(Lanes::Changes& changes, const CommitResult& result) {
    Error error = result.committed ? result.synced.error() : result.committed.error();
    error = std::move(error).with_context("writing the rows of reaction " + model_.name());
    ++statistics.store_failures;
    ++store_failures_;
    lanes_->not_written(changes);
    if (phase_ == Phase::stopping) {
        std::ranges::move(std::exchange(decisions_under_way_, {}), std::back_inserter(decisions_));
        go_on_stopping();
        return;
    }
    if (error.code() == ErrorCode::corrupt) {
        reopen(error);  // which finds it damaged, and says what to do
        return;
    }
    if (result.committed || (store_failures_ >= kFailuresMax && error.code() != ErrorCode::no_space)) {
        reopen(error);
        return;
    }
    store_trouble_ = error.message();
    std::vector<Decision> decisions = std::exchange(decisions_under_way_, {});
    std::ranges::move(std::exchange(decisions_, {}), std::back_inserter(decisions));
    decisions_ = std::move(decisions);
    store_.after(
        std::min(options_.store_retry_max, options_.store_retry_first * (1U << std::min(store_failures_, 10U))));
}

void ReactionRunner::Impl::answer(std::vector<Decision> decisions, const Result<>& result) {
    for (Decision& decision : decisions) {
        if (decision.lane != nullptr && result)
            lanes_->decided(*decision.lane);
        env_.scheduler.post([done = std::move(decision.done), result]() mutable { done(std::move(result)); });
    }
}

}  // namespace leftfold
