// Metrics: counters, gauges and latency histograms, and their Prometheus text form.
//
// One MetricRegistry per application, handed down by constructor; there is no global one. It owns every metric: a
// reference that it gave out is good for its life. Making a metric and writing the text take a lock, so metrics are
// made once, where things are wired; updates take none, and may come from any thread.
//
// Names are rules, not taste, and asserted: `leftfold_` first, snake_case, base units (seconds, bytes) last, `_total`
// on counters only. One name has one type, one help text and one set of label names.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leftfold/base/time.hpp"

namespace leftfold {

// Only grows.
class Counter {
  public:
    void add(std::uint64_t count = 1) noexcept { value_.fetch_add(count, std::memory_order_relaxed); }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

// Goes up and down.
class Gauge {
  public:
    void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    void add(std::int64_t count) noexcept { value_.fetch_add(count, std::memory_order_relaxed); }
    std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::int64_t> value_{0};
};

// How long something took. Upper bounds 10, 20, 50 µs … 10 s, and above.
class Histogram {
  public:
    static constexpr std::array<std::int64_t, 19> kBoundsNs = {
        10'000,      20'000,        50'000,        100'000,       200'000,       500'000,     1'000'000,
        2'000'000,   5'000'000,     10'000'000,    20'000'000,    50'000'000,    100'000'000, 200'000'000,
        500'000'000, 1'000'000'000, 2'000'000'000, 5'000'000'000, 10'000'000'000};
    static constexpr std::size_t kBucketCount = kBoundsNs.size() + 1;

    // A negative duration counts as none.
    void observe(Duration duration) noexcept {
        const std::int64_t ns = duration.count() < 0 ? 0 : duration.count();
        buckets_[bucket_of(ns)].fetch_add(1, std::memory_order_relaxed);
        sum_ns_.fetch_add(static_cast<std::uint64_t>(ns), std::memory_order_relaxed);
    }

    // Index of the first bound that is not below `ns`; kBoundsNs.size() if all are.
    static std::size_t bucket_of(std::int64_t ns) noexcept {
        // Bounds grow by 2 or more, so at most two of them share a bit width.
        std::size_t bucket = kFirstBucket[static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(ns)))];
        while (bucket < kBoundsNs.size() && ns > kBoundsNs[bucket])
            ++bucket;
        return bucket;
    }

    std::uint64_t bucket(std::size_t index) const noexcept { return buckets_[index].load(std::memory_order_relaxed); }
    Duration sum() const noexcept {
        return Duration(static_cast<std::int64_t>(sum_ns_.load(std::memory_order_relaxed)));
    }

  private:
    // By bit width of a duration: the first bucket that may hold it.
    static constexpr std::array<std::uint8_t, 65> kFirstBucket = [] {
        std::array<std::uint8_t, 65> first{};
        for (std::size_t width = 0; width < first.size(); ++width)
            while (first[width] < kBoundsNs.size() && static_cast<std::size_t>(std::bit_width(
                                                          static_cast<std::uint64_t>(kBoundsNs[first[width]]))) < width)
                ++first[width];
        return first;
    }();

    std::array<std::atomic<std::uint64_t>, kBucketCount> buckets_{};
    std::atomic<std::uint64_t> sum_ns_{0};
};

using Labels = std::vector<std::pair<std::string, std::string>>;

class MetricRegistry {
  public:
    MetricRegistry();
    ~MetricRegistry();
    MetricRegistry(const MetricRegistry&) = delete;
    MetricRegistry& operator=(const MetricRegistry&) = delete;

    // The same name and labels give the same metric again.
    Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
    Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {});

    // Prometheus text exposition 0.0.4, sorted by name and labels. `# TYPE` of all is there from the start, so that a
    // dashboard does not wait for a first event.
    std::string prometheus_text() const;
    static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  private:
    struct Family;

    Family& family(std::string_view name, std::string_view help, int type, const Labels& labels);

    mutable std::mutex mutex_;
    std::map<std::string, std::unique_ptr<Family>, std::less<>> families_;
};

}  // namespace leftfold
