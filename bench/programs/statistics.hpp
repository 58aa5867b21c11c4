// Percentiles of what a program measured, as one JSON line.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <vector>

namespace leftfold::bench {

// The value that `percent` of all do not exceed (nearest rank). Sorts. At least one value.
inline double percentile(std::vector<double>& values, std::size_t percent) {
    std::ranges::sort(values);
    const std::size_t rank = (values.size() * percent + 99) / 100;
    return values[rank == 0 ? 0 : rank - 1];
}

inline void print_latencies(std::vector<double>& microseconds) {
    double sum = 0;
    for (const double value : microseconds)
        sum += value;
    std::printf("{\"count\": %zu, \"p50_us\": %.2f, \"p90_us\": %.2f, \"p99_us\": %.2f, \"mean_us\": %.2f}\n",
                microseconds.size(), percentile(microseconds, 50), percentile(microseconds, 90),
                percentile(microseconds, 99), sum / static_cast<double>(microseconds.size()));
}

}  // namespace leftfold::bench
