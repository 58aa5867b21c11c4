// What operators ask for.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runner_impl.hpp"

namespace leftfold {

using reaction::dead_letter_of;
using reaction::find_held;
using reaction::LaneState;
using reaction::read_dead_letters;
using reaction::read_discarded;

namespace {

constexpr std::size_t kPageMax = 1000;

template <class Page>
Page bounded(const Page& page) {
    Page bounded = page;
    bounded.limit = std::clamp<std::size_t>(page.limit, 1, kPageMax);
    return bounded;
}

}  // namespace

Result<> ReactionRunner::Impl::check_open() const {
    if (rows_ != nullptr && lanes_ != nullptr && phase_ == Phase::running)
        return {};
    if (phase_ == Phase::stuck)
        return fail(ErrorCode::unavailable, store_trouble_);
    return fail(ErrorCode::unavailable, fmt::format("the store of the reaction '{}' is not open", model_.name()),
                Retry::yes);
}

Result<std::vector<DeadLetter>> ReactionRunner::Impl::dead_letters(const DeadLetterPage& page) {
    LEFTFOLD_CHECK(check_open());
    return read_dead_letters(*rows_->reader, bounded(page));
}

Result<std::vector<DiscardedEvent>> ReactionRunner::Impl::discarded(const DiscardedPage& page) {
    LEFTFOLD_CHECK(check_open());
    return read_discarded(*rows_->reader, bounded(page));
}

Result<DeadLetter> ReactionRunner::Impl::show(const std::string& topic, const std::string& key) {
    LEFTFOLD_TRY(lane, find_dead(topic, key, Version()));
    DeadLetter letter = dead_letter_of(lane->held);
    lanes_->forget_if_done(*lane);
    return letter;
}

// A version of 0 is any.
Result<reaction::Lane*> ReactionRunner::Impl::find_dead(const std::string& topic, const std::string& key,
                                                        Version version) {
    LEFTFOLD_CHECK(check_open());
    const auto none = [&] {
        return fail(ErrorCode::not_found,
                    fmt::format("the reaction '{}' has no dead letter of '{}' in {}", model_.name(), key, topic));
    };
    const auto slot = slots_.of_key(topic, key);
    if (!slot)
        return none();
    Lane* lane = lanes_->find(*slot, key);
    if (lane == nullptr) {
        LEFTFOLD_TRY(held, find_held(*rows_->reader, topic, key));
        if (!held || !held->is_dead)
            return none();
        lane = &lanes_->load_dead(*slot, *std::move(held));
    }
    if (lane->state != LaneState::dead)
        return none();
    if (version != Version() && lane->held.next != version) {
        const Version current = lane->held.next;
        lanes_->forget_if_done(*lane);
        return fail(ErrorCode::conflict,
                    fmt::format("the dead letter of '{}' in {} is now version {}, not {}: look at it "
                                "again",
                                key, topic, current.value(), version.value()));
    }
    return lane;
}

void ReactionRunner::Impl::retry(const std::string& topic, const std::string& key, Version version, Done done) {
    const auto lane = find_dead(topic, key, version);
    if (!lane) {
        env_.scheduler.post(
            [done = std::move(done), error = lane.error()]() mutable { done(std::unexpected(std::move(error))); });
        return;
    }
    ++statistics.retried;
    lanes_->revive(**lane);
    decisions_.push_back({nullptr, std::move(done)});
    commit();
    wake();
}

void ReactionRunner::Impl::discard(const std::string& topic, const std::string& key, Version version,
                                   const std::string& reason, Done done) {
    auto lane = reason.empty()
                    ? fail(ErrorCode::invalid_argument, "a reason must be given: it is kept for those who ask")
                    : find_dead(topic, key, version);
    if (!lane) {
        env_.scheduler.post([done = std::move(done), error = std::move(lane).error()]() mutable {
            done(std::unexpected(std::move(error)));
        });
        return;
    }
    ++statistics.discarded;
    const reaction::HeldKey& held = (*lane)->held;
    lanes_->discard(**lane, {.topic = held.topic,
                             .key = held.key,
                             .version = held.next,
                             .event_type = held.event_type,
                             .event_id = held.event_id,
                             .error = held.error,
                             .attempts = held.attempts,
                             .failed_at = held.failed_at.value_or(Timestamp()),
                             .discarded_at = env_.clock.now(),
                             .reason = reason});
    decisions_.push_back({*lane, std::move(done)});
    commit();
}

}  // namespace leftfold
