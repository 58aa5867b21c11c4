// log verify: reads everything that is stored and says whether it is what was written. Needs no owner, and changes
// nothing.

#include <iterator>
#include <optional>
#include <ostream>

#include <fmt/format.h>

#include "leftfold/app/progress.hpp"
#include "leftfold/env/real_env.hpp"
#include "leftfold/http/problem.hpp"
#include "leftfold/log/verify.hpp"

#include "commands.hpp"

namespace leftfold {

namespace {

struct VerifySettings {
    std::string directory;
    bool json = false;
};

std::string json_string(std::string_view text) {
    std::string out;
    http::append_json_string(out, text);
    return out;
}

std::string json_of(const log::Finding& finding) {
    return fmt::format(R"({{"file":{},"offset":{},"what":{}}})", json_string(finding.file), finding.offset,
                       json_string(finding.what));
}

std::string json_of(const std::vector<log::Finding>& findings) {
    std::string out = "[";
    for (const log::Finding& finding : findings)
        out += (out.size() > 1 ? "," : "") + json_of(finding);
    return out + "]";
}

std::string json_of(const log::LogReport& report, std::string_view directory) {
    std::string out =
        fmt::format(R"({{"directory":{},"incarnation":"{}","epoch":{},"sound":{},"partitions":[)",
                    json_string(directory), report.incarnation.to_string(), report.epoch.value(), report.is_sound());
    bool first = true;
    for (const log::PartitionReport& partition : report.partitions) {
        fmt::format_to(
            std::back_inserter(out),
            R"({}{{"topic":"{}","partition":{},"segments":{},"batches":{},"events":{},"streams":{},"bytes":{},)"
            R"("start":{},"end":{},"damages":{},"stale_indexes":{},"unfinished":{}}})",
            first ? "" : ",", partition.topic, partition.partition.value(), partition.segment_count,
            partition.batch_count, partition.record_count, partition.stream_count, partition.bytes,
            partition.start.value(), partition.end.value(), json_of(partition.damages),
            json_of(partition.stale_indexes), partition.unfinished ? json_of(*partition.unfinished) : "null");
        first = false;
    }
    return out + "]}\n";
}

void append_finding(std::string& out, std::string_view kind, const log::Finding& finding) {
    fmt::format_to(std::back_inserter(out), "  {}: {} at byte {}: {}\n", kind, finding.file, finding.offset,
                   finding.what);
}

std::string text_of(const log::LogReport& report, std::string_view directory) {
    std::string out;
    std::uint64_t events = 0;
    std::uint64_t damages = 0;
    for (const log::PartitionReport& partition : report.partitions) {
        fmt::format_to(std::back_inserter(out),
                       "{}/{}: {} events of {} streams in {} segments, {} bytes, positions {} to {}\n", partition.topic,
                       partition.partition.value(), partition.record_count, partition.stream_count,
                       partition.segment_count, partition.bytes, partition.start.value(), partition.end.value());
        for (const log::Finding& finding : partition.damages)
            append_finding(out, "DAMAGED", finding);
        for (const log::Finding& finding : partition.stale_indexes)
            append_finding(out, "index to be made again by the next start", finding);
        if (partition.unfinished)
            append_finding(out, "unfinished write, cut by the next start", *partition.unfinished);
        events += partition.record_count;
        damages += partition.damages.size();
    }
    if (report.is_sound())
        fmt::format_to(std::back_inserter(out), "sound: {} events in {} partitions are what was written\n", events,
                       report.partitions.size());
    else
        fmt::format_to(
            std::back_inserter(out),
            "{} places are damaged. Stop the server, keep a copy of '{}' as it is, bring the files named above back "
            "from a backup, and run this again before you start on it.\n",
            damages, directory);
    return out;
}

Result<int> verify(const VerifySettings& settings, Terminal& terminal) {
    RealEnv real;
    const Env& env = real.env();
    std::optional<Progress> progress;
    auto report = log::verify_log(env.files, settings.directory, [&](const log::VerifyProgress& seen) {
        if (!progress)
            progress.emplace(
                env.clock, terminal,
                ProgressOptions{.what = "verify", .unit = "bytes", .total = seen.bytes_total, .silent = settings.json});
        progress->set(seen.bytes_done);
    });
    if (progress)
        progress->finish();
    if (!report)
        return std::unexpected(std::move(report).error());
    terminal.out << (settings.json ? json_of(*report, settings.directory) : text_of(*report, settings.directory));
    return report->is_sound() ? 0 : kExitFailure;
}

}  // namespace

CliCommand log_verify_command(const ApplicationParts& parts) {
    return make_cli_command<VerifySettings>(
        {.name = "log verify",
         .summary = "Read everything that is stored, and name what is damaged",
         .help =
             "Reads every byte of the log and compares it with its checksums, the streams with their versions, the "
             "index "
             "files with their segments. Changes nothing. Exit code 0 if all is what was written, 1 if not: then each "
             "damage is named with file and place, and what to do.\n\n"
             "Works beside a running server, whose last write may then look unfinished.",
         .examples = {{"log verify --data /backup/" + parts.name, "is this backup whole?"},
                      {"log verify --json | jq .sound", "for a script"}}},
        [&parts](VerifySettings& settings, CliCommand& command) {
            add_directory(command, settings.directory, parts);
            command.configuration.add({.name = "json",
                                       .value = Value::boolean(settings.json),
                                       .help = "Print one JSON object, and no progress"});
        },
        [](VerifySettings& settings, Terminal& terminal) { return verify(settings, terminal); });
}

}  // namespace leftfold
