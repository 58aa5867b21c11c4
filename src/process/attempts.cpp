#include "attempts.hpp"

#include <algorithm>

#include "leftfold/base/assert.hpp"

namespace leftfold::process {

Duration Backoff::after(std::uint32_t failures) const noexcept {
    Duration wait = first;
    for (std::uint32_t i = 1; i < failures && wait < max; ++i)
        wait *= 2;
    return std::min(wait, max);
}

bool is_slow(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::user_code:
        case ErrorCode::corrupt:
        case ErrorCode::unsupported:
        case ErrorCode::invalid_argument:
        case ErrorCode::not_found:
        case ErrorCode::too_large:
        case ErrorCode::permission_denied:
            return true;
        default:
            return false;
    }
}

const Attempts::Entry* Attempts::find(const Place& place) const noexcept {
    const auto found = entries_.find(place);
    return found == entries_.end() ? nullptr : &found->second;
}

bool Attempts::has_room() const noexcept {
    return in_flight_ < bounds_.in_flight_max && entries_.size() < bounds_.in_flight_max + bounds_.retries_max;
}

void Attempts::begin(const Place& place) {
    LEFTFOLD_ASSERT(has_room());
    const bool is_new = entries_.emplace(place, Entry{}).second;
    LEFTFOLD_ASSERT(is_new);
    ++in_flight_;
}

void Attempts::ended(const Place& place) {
    const auto found = entries_.find(place);
    LEFTFOLD_ASSERT(found != entries_.end() && found->second.is_in_flight);
    entries_.erase(found);
    --in_flight_;
}

void Attempts::failed(const Place& place, const Error& error, MonotonicTime now) {
    const auto found = entries_.find(place);
    LEFTFOLD_ASSERT(found != entries_.end() && found->second.is_in_flight);
    Entry& entry = found->second;
    const Backoff& backoff = is_slow(error.code()) ? bounds_.slow_backoff : bounds_.backoff;
    entry.is_in_flight = false;
    entry.last_error = error.message();
    entry.retry_at = now + backoff.after(++entry.failures);
    --in_flight_;
    waiting_.emplace(entry.retry_at, place);
}

std::optional<Place> Attempts::retry(MonotonicTime now) {
    if (waiting_.empty() || waiting_.begin()->first > now || in_flight_ >= bounds_.in_flight_max)
        return std::nullopt;
    Place place = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    entries_.at(place).is_in_flight = true;
    ++in_flight_;
    return place;
}

std::optional<MonotonicTime> Attempts::next_retry() const noexcept {
    if (waiting_.empty() || in_flight_ >= bounds_.in_flight_max)
        return std::nullopt;
    return waiting_.begin()->first;
}

}  // namespace leftfold::process
