#include "leftfold/telemetry/metrics.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leftfold {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A reader of the text exposition format, written from its documentation
// (https://prometheus.io/docs/instrumenting/exposition_formats/) and not from the writer.
struct Sample {
    std::string name;
    std::map<std::string, std::string> labels;
    double value = 0;
};
struct Exposition {
    std::vector<std::string> families;  // in order of their TYPE lines
    std::map<std::string, std::string> types;
    std::map<std::string, std::string> helps;
    std::vector<Sample> samples;

    std::optional<double> value(const std::string& name, const std::map<std::string, std::string>& labels = {}) const {
        for (const Sample& sample : samples)
            if (sample.name == name && sample.labels == labels)
                return sample.value;
        return std::nullopt;
    }
};

std::string word(std::string_view& rest, char end) {
    const std::size_t at = rest.find(end);
    EXPECT_NE(at, std::string_view::npos) << rest;
    std::string found(rest.substr(0, at));
    rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
    return found;
}

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) {
            ++i;
            out.push_back(text[i] == 'n' ? '\n' : text[i]);
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

Sample read_sample(std::string_view line) {
    Sample sample;
    const std::size_t brace = line.find('{');
    if (brace != std::string_view::npos && brace < line.find(' ')) {
        sample.name = word(line, '{');
        while (!line.starts_with('}')) {
            const std::string name = word(line, '=');
            EXPECT_TRUE(line.starts_with('"'));
            std::size_t end = 1;
            while (end < line.size() && line[end] != '"')
                end += line[end] == '\\' ? 2u : 1u;
            EXPECT_TRUE(sample.labels.emplace(name, unescaped(line.substr(1, end - 1))).second) << name;
            line.remove_prefix(end + 1);
            if (line.starts_with(','))
                line.remove_prefix(1);
        }
        line.remove_prefix(1);
        EXPECT_TRUE(line.starts_with(' '));
        line.remove_prefix(1);
    } else {
        sample.name = word(line, ' ');
    }
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), sample.value);
    EXPECT_TRUE(error == std::errc() && end == line.data() + line.size()) << line;
    return sample;
}

Exposition read_exposition(std::string_view text) {
    Exposition result;
    while (!text.empty()) {
        std::string_view rest = text;
        const std::string line = word(text, '\n');
        if (line.starts_with("# HELP ")) {
            rest.remove_prefix(7);
            const std::string name = word(rest, ' ');
            result.helps[name] = unescaped(word(rest, '\n'));
        } else if (line.starts_with("# TYPE ")) {
            rest.remove_prefix(7);
            const std::string name = word(rest, ' ');
            EXPECT_TRUE(result.types.emplace(name, word(rest, '\n')).second) << "two TYPE lines for " << name;
            result.families.push_back(name);
        } else {
            result.samples.push_back(read_sample(line));
        }
    }
    return result;
}

double bound_of(const Sample& sample) {
    const std::string& text = sample.labels.at("le");
    return text == "+Inf" ? std::numeric_limits<double>::infinity() : std::stod(text);
}

TEST(Metrics, text_is_exact) {
    MetricRegistry registry;
    registry.gauge("leftfold_log_size_bytes", "Bytes of the log.", {{"topic", "account"}}).set(-4096);
    registry.counter("leftfold_commands_total", "Commands taken.", {{"outcome", "accepted"}, {"aggregate", "account"}})
        .add(3);
    registry.counter("leftfold_starts_total", "Starts.");
    EXPECT_EQ(registry.prometheus_text(),
              "# HELP leftfold_commands_total Commands taken.\n"
              "# TYPE leftfold_commands_total counter\n"
              "leftfold_commands_total{aggregate=\"account\",outcome=\"accepted\"} 3\n"
              "# HELP leftfold_log_size_bytes Bytes of the log.\n"
              "# TYPE leftfold_log_size_bytes gauge\n"
              "leftfold_log_size_bytes{topic=\"account\"} -4096\n"
              "# HELP leftfold_starts_total Starts.\n"
              "# TYPE leftfold_starts_total counter\n"
              "leftfold_starts_total 0\n");
}

TEST(Metrics, escapes_are_read_back) {
    MetricRegistry registry;
    const std::string evil = "a\\n\"b\"\n{c=\"d\",}";
    registry.counter("leftfold_requests_total", "Back\\slash and\nnew line.", {{"route", evil}}).add();
    const Exposition read = read_exposition(registry.prometheus_text());
    EXPECT_EQ(read.helps.at("leftfold_requests_total"), "Back\\slash and\nnew line.");
    EXPECT_EQ(read.value("leftfold_requests_total", {{"route", evil}}), 1);
}

TEST(Metrics, order_does_not_depend_on_creation) {
    const auto text = [](bool reversed) {
        MetricRegistry registry;
        std::vector<std::string> routes = {"a", "b", "c"};
        if (reversed)
            std::ranges::reverse(routes);
        for (const std::string& route : routes) {
            registry.counter("leftfold_" + route + "_total", "Help.");
            registry.counter("leftfold_requests_total", "Help.", {{"route", route}});
        }
        return registry.prometheus_text();
    };
    EXPECT_EQ(text(false), text(true));
}

TEST(Metrics, histogram_is_cumulative_and_consistent) {
    MetricRegistry registry;
    Histogram& histogram = registry.histogram("leftfold_fsync_seconds", "Time of an fsync.", {{"topic", "account"}});
    for (const Duration duration : {Duration(microseconds(3)), Duration(microseconds(10)), Duration(microseconds(93)),
                                    Duration(milliseconds(7)), Duration(seconds(12))})
        histogram.observe(duration);
    const Exposition read = read_exposition(registry.prometheus_text());
    EXPECT_EQ(read.types.at("leftfold_fsync_seconds"), "histogram");
    double last_bound = 0;
    double last_count = 0;
    std::map<double, double> at_bound;
    for (const Sample& sample : read.samples) {
        if (sample.name != "leftfold_fsync_seconds_bucket")
            continue;
        EXPECT_GT(bound_of(sample), last_bound);
        EXPECT_GE(sample.value, last_count);
        last_bound = bound_of(sample);
        last_count = sample.value;
        at_bound[last_bound] = last_count;
    }
    EXPECT_TRUE(std::isinf(last_bound));
    EXPECT_EQ(at_bound.begin()->first, 10e-6);
    EXPECT_EQ(at_bound.begin()->second, 2);  // le means less or equal
    EXPECT_EQ(at_bound.at(50e-6), 2);
    EXPECT_EQ(at_bound.at(100e-6), 3);
    EXPECT_EQ(at_bound.at(10e-3), 4);
    EXPECT_EQ(at_bound.at(10), 4);
    EXPECT_EQ(last_count, 5);
    EXPECT_EQ(read.value("leftfold_fsync_seconds_count", {{"topic", "account"}}), 5);
    EXPECT_DOUBLE_EQ(*read.value("leftfold_fsync_seconds_sum", {{"topic", "account"}}), 12.007106);
}

TEST(Metrics, bucket_is_the_first_bound_not_below) {
    const auto linear = [](std::int64_t ns) {
        std::size_t bucket = 0;
        for (const std::int64_t bound : Histogram::kBoundsNs)
            bucket += ns > bound ? 1 : 0;
        return bucket;
    };
    for (const std::int64_t bound : Histogram::kBoundsNs)
        for (const std::int64_t ns : {bound - 1, bound, bound + 1})
            EXPECT_EQ(Histogram::bucket_of(ns), linear(ns)) << ns;
    for (std::int64_t ns = 0; ns < std::numeric_limits<std::int64_t>::max() / 2; ns = ns * 2 + 1)
        EXPECT_EQ(Histogram::bucket_of(ns), linear(ns)) << ns;
    EXPECT_EQ(Histogram::bucket_of(std::numeric_limits<std::int64_t>::max()), Histogram::kBoundsNs.size());
}

TEST(Metrics, negative_duration_counts_as_none) {
    Histogram histogram;
    histogram.observe(Duration(-5));
    EXPECT_EQ(histogram.bucket(0), 1u);
    EXPECT_EQ(histogram.sum(), Duration(0));
}

TEST(Metrics, same_name_and_labels_are_one_metric) {
    MetricRegistry registry;
    Counter& first = registry.counter("leftfold_x_total", "X.", {{"a", "1"}, {"b", "2"}});
    EXPECT_EQ(&first, &registry.counter("leftfold_x_total", "X.", {{"b", "2"}, {"a", "1"}}));
    EXPECT_NE(&first, &registry.counter("leftfold_x_total", "X.", {{"a", "1"}, {"b", "3"}}));
}

TEST(Metrics, updates_of_many_threads_are_all_counted) {
    MetricRegistry registry;
    Counter& counter = registry.counter("leftfold_x_total", "X.");
    Histogram& histogram = registry.histogram("leftfold_x_seconds", "X.");
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < 1000; ++n) {
                    counter.add();
                    histogram.observe(milliseconds(1));
                    if (n % 100 == 0)
                        (void)registry.prometheus_text();
                }
            });
    }
    EXPECT_EQ(counter.value(), 4000u);
    EXPECT_EQ(histogram.sum(), seconds(4));
}

using MetricsDeathTest = ::testing::Test;

TEST(MetricsDeathTest, duplicate_with_other_type_help_or_labels_is_refused) {
    MetricRegistry registry;
    registry.gauge("leftfold_connections", "Open connections.", {{"listener", "a"}});
    registry.gauge("leftfold_wait_seconds", "Wait.");
    EXPECT_DEATH(registry.histogram("leftfold_wait_seconds", "Wait."), "type == type");
    EXPECT_DEATH(registry.gauge("leftfold_connections", "Other.", {{"listener", "b"}}), "help == help");
    EXPECT_DEATH(registry.gauge("leftfold_connections", "Open connections."), "label_names == label_names");
}

TEST(MetricsDeathTest, names_against_the_rules_are_refused) {
    MetricRegistry registry;
    EXPECT_DEATH(registry.counter("commands_total", "No prefix."), "leftfold_");
    EXPECT_DEATH(registry.counter("leftfold_Commands_total", "Case."), "is_snake_case");
    EXPECT_DEATH(registry.counter("leftfold_commands", "No _total."), "_total");
    EXPECT_DEATH(registry.gauge("leftfold_connections_total", "Not a counter."), "_total");
    EXPECT_DEATH(registry.gauge("leftfold_wait_ms", "Not a base unit."), "has_base_unit");
    EXPECT_DEATH(registry.counter("leftfold_wait_microseconds_total", "Not a base unit."), "has_base_unit");
    EXPECT_DEATH(registry.histogram("leftfold_wait", "No unit."), "_seconds");
    EXPECT_DEATH(registry.gauge("leftfold_x", ""), "help");
    EXPECT_DEATH(registry.gauge("leftfold_x", "X.", {{"le", "1"}}), "has_good_labels");
    EXPECT_DEATH(registry.gauge("leftfold_x", "X.", {{"a", "1"}, {"a", "2"}}), "has_good_labels");
}

}  // namespace
}  // namespace leftfold
