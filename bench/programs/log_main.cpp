// The log as a store of many events: how fast it is opened, read and folded, and what an aggregate costs in memory that
// nobody asks for.
//
//   bench_log generate FOLDER EVENTS AGGREGATES
//   bench_log measure FOLDER                      the folder that generate made; a process of its own, so that nothing
//                                                 of the generating is in its memory
//
// Prints one JSON line.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "log_steps.hpp"

namespace {

using namespace leftfold;

double seconds_since(std::chrono::steady_clock::time_point begun) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

Result<> run_generate(const bench::LogPlan& plan) {
    RealEnv real;
    LEFTFOLD_TRY(log, bench::open_log(real, plan.directory));
    const auto begun = std::chrono::steady_clock::now();
    LEFTFOLD_CHECK(bench::generate(real, *log, plan));
    const double seconds = seconds_since(begun);
    bench::stop_log(real, *log);
    std::printf("{\"events\": %llu, \"seconds\": %.3f, \"events_per_second\": %.0f}\n",
                static_cast<unsigned long long>(plan.events), seconds, static_cast<double>(plan.events) / seconds);
    return {};
}

Result<> run_measure(const std::string& directory) {
    RealEnv real;
    const double before = bench::resident_bytes();
    const auto begun = std::chrono::steady_clock::now();
    LEFTFOLD_TRY(log, bench::open_log(real, directory));
    const double open_seconds = seconds_since(begun);
    const double index_bytes = bench::resident_bytes() - before;
    LEFTFOLD_TRY(rate, bench::fold_rate(*log));
    LEFTFOLD_TRY(replay, bench::replay_all(*log));
    bench::stop_log(real, *log);
    if (!replay.correct)
        return fail(ErrorCode::corrupt, "a balance is not what the events of its account give");
    std::printf(
        "{\"open_seconds\": %.3f, \"replay_seconds\": %.3f, \"events\": %llu, \"aggregates\": %llu, "
        "\"replayed_per_second\": %.0f, \"folded_per_second\": %.0f, \"index_bytes\": %.0f, "
        "\"index_bytes_per_aggregate\": %.1f}\n",
        open_seconds, replay.seconds, static_cast<unsigned long long>(replay.events),
        static_cast<unsigned long long>(replay.aggregates), static_cast<double>(replay.events) / replay.seconds, rate,
        index_bytes, index_bytes / static_cast<double>(replay.aggregates));
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "";
    Result<> result;
    if (what == "generate" && argc == 5)
        result = run_generate({argv[2], std::strtoull(argv[3], nullptr, 10), std::strtoull(argv[4], nullptr, 10)});
    else if (what == "measure" && argc == 3)
        result = run_measure(argv[2]);
    else {
        std::fprintf(stderr, "usage: bench_log generate FOLDER EVENTS AGGREGATES\n       bench_log measure FOLDER\n");
        return 2;
    }
    if (!result) {
        std::fprintf(stderr, "bench_log: %s\n", result.error().message().c_str());
        return 1;
    }
    return 0;
}
