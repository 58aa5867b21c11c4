// Attempts: what is in flight, and what waits to be tried again, of commands or of timers. Plain state, bounded.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "dispatch_rows.hpp"

namespace leftfold::process {

// How long to wait after so many failures in a row.
struct Backoff {
    Duration first;
    Duration max;

    Duration after(std::uint32_t failures) const noexcept;
};

struct AttemptBounds {
    std::size_t in_flight_max;
    std::size_t retries_max;
    Backoff backoff;
    Backoff slow_backoff;
};

// Whether somebody must act before it can succeed.
bool is_slow(ErrorCode code) noexcept;

class Attempts {
  public:
    struct Entry {
        bool is_in_flight = true;
        std::uint32_t failures = 0;
        std::string last_error = {};
        MonotonicTime retry_at = {};
    };

    explicit Attempts(AttemptBounds bounds) noexcept : bounds_(bounds) {}

    const Entry* find(const Place& place) const noexcept;
    bool has_room() const noexcept;
    std::size_t in_flight() const noexcept { return in_flight_; }
    std::size_t retrying() const noexcept { return waiting_.size(); }

    // Needs room, and that the place is not known.
    void begin(const Place& place);
    void ended(const Place& place);
    void failed(const Place& place, const Error& error, MonotonicTime now);
    // One whose time has come, and for which there is room; in flight from now on.
    std::optional<Place> retry(MonotonicTime now);
    // When retry() has the next; none while everything is in flight.
    std::optional<MonotonicTime> next_retry() const noexcept;

  private:
    AttemptBounds bounds_;
    std::map<Place, Entry> entries_;
    std::set<std::pair<MonotonicTime, Place>> waiting_;
    std::size_t in_flight_ = 0;
};

}  // namespace leftfold::process
