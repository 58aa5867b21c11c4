#include "leftfold/telemetry/metrics.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold {

namespace {

bool is_snake_case(std::string_view name) {
    return !name.empty() && name.front() >= 'a' && name.front() <= 'z' && !name.ends_with('_') &&
           name.find("__") == std::string_view::npos && std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

// https://prometheus.io/docs/practices/naming/: one unit per quantity, so that dashboards never convert.
bool has_base_unit(std::string_view name) {
    if (name.ends_with("_total"))
        name.remove_suffix(std::string_view("_total").size());
    constexpr std::array<std::string_view, 14> kOtherUnits = {
        "_ns",      "_us",    "_micros",    "_microseconds", "_ms",        "_millis",  "_milliseconds",
        "_minutes", "_hours", "_kilobytes", "_kb",           "_megabytes", "_percent", "_mb"};
    return std::ranges::none_of(kOtherUnits, [&](std::string_view unit) { return name.ends_with(unit); });
}

bool has_good_labels(const Labels& labels) {
    return std::ranges::all_of(labels, [&](const auto& label) {
        return is_snake_case(label.first) && label.first != "le" && label.first != "quantile" &&
               std::ranges::count(labels, label.first, &Labels::value_type::first) == 1;
    });
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
    for (const char c : text) {
        if (c == '\\')
            out += "\\\\";
        else if (c == '\n')
            out += "\\n";
        else if (c == '"' && quotes)
            out += "\\\"";
        else
            out.push_back(c);
    }
}

// a="1",b="2"
std::string label_text(const Labels& labels) {
    std::string text;
    for (const auto& [name, value] : labels) {
        if (!text.empty())
            text.push_back(',');
        text += name;
        text += "=\"";
        append_escaped(text, value, true);
        text.push_back('"');
    }
    return text;
}

// Exact, without an exponent and without needless digits: "0.00002", "1.5", "3".
std::string seconds_text(std::uint64_t ns) {
    std::string text = fmt::format("{}.{:09}", ns / 1'000'000'000, ns % 1'000'000'000);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.'))
        text.pop_back();
    return text;
}

enum Type : int { kCounter, kGauge, kHistogram };
constexpr std::array<std::string_view, 3> kTypeNames = {"counter", "gauge", "histogram"};

}  // namespace

struct MetricRegistry::Family {
    std::string help;
    int type = kCounter;
    std::vector<std::string> label_names;
    // By their label text; at most one of the three maps is used.
    std::map<std::string, Counter> counters;
    std::map<std::string, Gauge> gauges;
    std::map<std::string, Histogram> histograms;
};

MetricRegistry::MetricRegistry() = default;
MetricRegistry::~MetricRegistry() = default;

MetricRegistry::Family& MetricRegistry::family(std::string_view name, std::string_view help, int type,
                                               const Labels& labels) {
    LEFTFOLD_ASSERT(name.starts_with("leftfold_") && is_snake_case(name));
    LEFTFOLD_ASSERT(has_base_unit(name));
    LEFTFOLD_ASSERT(name.ends_with("_total") == (type == kCounter));
    LEFTFOLD_ASSERT(type != kHistogram || name.ends_with("_seconds"));
    LEFTFOLD_ASSERT(!help.empty());
    LEFTFOLD_ASSERT(has_good_labels(labels));

    std::vector<std::string> label_names;
    std::ranges::transform(labels, std::back_inserter(label_names), &Labels::value_type::first);
    const auto [place, is_new] = families_.try_emplace(std::string(name));
    if (is_new)
        place->second = std::make_unique<Family>(Family{std::string(help), type, std::move(label_names), {}, {}, {}});
    else
        LEFTFOLD_ASSERT(place->second->type == type && place->second->help == help &&
                        place->second->label_names == label_names);
    return *place->second;
}

Counter& MetricRegistry::counter(std::string_view name, std::string_view help, Labels labels) {
    std::ranges::sort(labels);
    const std::lock_guard lock(mutex_);
    return family(name, help, kCounter, labels).counters[label_text(labels)];
}

Gauge& MetricRegistry::gauge(std::string_view name, std::string_view help, Labels labels) {
    std::ranges::sort(labels);
    const std::lock_guard lock(mutex_);
    return family(name, help, kGauge, labels).gauges[label_text(labels)];
}

Histogram& MetricRegistry::histogram(std::string_view name, std::string_view help, Labels labels) {
    std::ranges::sort(labels);
    const std::lock_guard lock(mutex_);
    return family(name, help, kHistogram, labels).histograms[label_text(labels)];
}

namespace {

template <class Value>
void write_sample(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels,
                  const Value& value) {
    out += name;
    out += suffix;
    if (!labels.empty())
        fmt::format_to(std::back_inserter(out), "{{{}}}", labels);
    fmt::format_to(std::back_inserter(out), " {}\n", value);
}

void write_histogram(std::string& out, std::string_view name, const std::string& labels, const Histogram& histogram) {
    const std::string prefix = labels.empty() ? "" : labels + ",";
    // Each bucket is read once, so that the count never disagrees with the buckets.
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < Histogram::kBucketCount; ++i) {
        count += histogram.bucket(i);
        const std::string bound = i < Histogram::kBoundsNs.size()
                                      ? seconds_text(static_cast<std::uint64_t>(Histogram::kBoundsNs[i]))
                                      : "+Inf";
        write_sample(out, name, "_bucket", fmt::format("{}le=\"{}\"", prefix, bound), count);
    }
    write_sample(out, name, "_sum", labels, seconds_text(static_cast<std::uint64_t>(histogram.sum().count())));
    write_sample(out, name, "_count", labels, count);
}

}  // namespace

std::string MetricRegistry::prometheus_text() const {
    const std::lock_guard lock(mutex_);
    std::string out;
    for (const auto& [name, family] : families_) {
        fmt::format_to(std::back_inserter(out), "# HELP {} ", name);
        append_escaped(out, family->help, false);
        fmt::format_to(std::back_inserter(out), "\n# TYPE {} {}\n", name,
                       kTypeNames[static_cast<std::size_t>(family->type)]);
        for (const auto& [labels, counter] : family->counters)
            write_sample(out, name, "", labels, counter.value());
        for (const auto& [labels, gauge] : family->gauges)
            write_sample(out, name, "", labels, gauge.value());
        for (const auto& [labels, histogram] : family->histograms)
            write_histogram(out, name, labels, histogram);
    }
    return out;
}

}  // namespace leftfold
