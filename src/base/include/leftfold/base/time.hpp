// Time as a value. Nothing here reads a clock: that is env's.
//
// Timestamp: a point of civil time, UTC, in microseconds. MonotonicTime: a point on a process's own clock that never
// goes back, for timeouts and latencies. RFC 3339 is the only written form.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "leftfold/base/error.hpp"

namespace leftfold {

using Duration = std::chrono::nanoseconds;

using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

struct MonotonicClockTag {
    using rep = Duration::rep;
    using period = Duration::period;
    using duration = Duration;
    using time_point = std::chrono::time_point<MonotonicClockTag>;
    static constexpr bool is_steady = true;
};
using MonotonicTime = MonotonicClockTag::time_point;

constexpr Timestamp timestamp_from_micros(std::int64_t micros) noexcept {
    return Timestamp(std::chrono::microseconds(micros));
}
constexpr std::int64_t to_micros(Timestamp time) noexcept {
    return time.time_since_epoch().count();
}

// "1993-01-31T00:00:00Z"; a fraction only where there is one, then of 3 or 6 digits.
std::string to_rfc3339(Timestamp time);

// RFC 3339 §5.6 with any offset, up to 9 digits of fraction (cut to microseconds), years 0001 to 9999.
Result<Timestamp> parse_rfc3339(std::string_view text);

// A bare date "YYYY-MM-DD", as the first instant of that day, UTC.
Result<Timestamp> parse_date(std::string_view text);

}  // namespace leftfold
