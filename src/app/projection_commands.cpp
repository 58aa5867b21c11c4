// projections list, rebuild, diff, switch, export, retry and skip: they ask the owner of the data directory, or are it.

#include <algorithm>
#include <filesystem>
#include <optional>
#include <ostream>
#include <vector>

#include <fmt/format.h>

#include "leftfold/app/progress.hpp"
#include "leftfold/event/json.hpp"
#include "leftfold/http/url.hpp"

#include "commands.hpp"
#include "dialogue.hpp"
#include "projection_report.hpp"

namespace leftfold {

namespace {

constexpr std::chrono::seconds kAnswerTimeout{30};
constexpr std::chrono::hours kExportTimeout{24};
constexpr Duration kLookEvery = std::chrono::milliseconds(50);

struct Settings {
    std::string directory;
    std::string name;
    std::string path;
    bool json = false;
    bool back = false;
};

using Owner = std::unique_ptr<Dialogue>;

Result<ProjectionReport> ask_report(Dialogue& owner, const std::string& name) {
    LEFTFOLD_TRY(answer, owner.ask("/projections/" + http::percent_encode(name)));
    return read_report<ProjectionReport>(answer.body);
}

// An owner that has just begun, as this process may be, opens what there is first.
Result<> wait_until_opened(Dialogue& owner) {
    for (;;) {
        LEFTFOLD_TRY(answer, owner.ask("/projections"));
        LEFTFOLD_TRY(reports, read_reports<ProjectionReport>(answer.body));
        const auto is_starting = [](const ProjectionReport& report) {
            return report.state == to_string(ProjectionState::starting);
        };
        if (std::ranges::none_of(reports, is_starting))
            return {};
        if (!owner.pause(kLookEvery))
            return fail(ErrorCode::cancelled, "interrupted");
    }
}

Result<Owner> open_owner(const ApplicationParts& parts, const Settings& settings) {
    LEFTFOLD_TRY(owner, Dialogue::open(parts, settings.directory, HostRole::projections));
    LEFTFOLD_CHECK(wait_until_opened(*owner));
    return owner;
}

std::string target_of(const Settings& settings, std::string_view action) {
    return fmt::format("/projections/{}/{}", http::percent_encode(settings.name), action);
}

// ---------------------------------------------------------------------------------------------------------------------
// list

std::string remark_of(const ProjectionReport& report) {
    if (report.live && report.live->fault) {
        const FaultReport& fault = *report.live->fault;
        return fmt::format("at {} '{}' version {} ({}/{} position {}): {}", fault.type, fault.key, fault.version,
                           fault.place.topic, fault.place.partition, fault.place.position, fault.message);
    }
    if (report.trouble)
        return *report.trouble;
    if (report.live && report.live->trouble)
        return *report.live->trouble;
    if (report.build)
        return fmt::format("generation {} is {}: {} of {} events", report.build->generation.generation,
                           report.build->stage, report.build->positions_done, report.build->positions_total);
    return report.is_stale ? "served as another version of the program left it" : report.remark;
}

void print_table(const std::vector<ProjectionReport>& reports, Terminal& terminal) {
    std::size_t name_width = std::string_view("PROJECTION").size();
    for (const ProjectionReport& report : reports)
        name_width = std::max(name_width, report.name.size());
    terminal.out << fmt::format("{:<{}}  {:<11}  {:>10}  {:>8}  {:>12}  {}\n", "PROJECTION", name_width, "STATE",
                                "GENERATION", "LAG", "FOLDED", "");
    for (const ProjectionReport& report : reports) {
        const GenerationReport live = report.live.value_or(GenerationReport());
        terminal.out << fmt::format("{:<{}}  {:<11}  {:>10}  {:>8}  {:>12}  {}\n", report.name, name_width,
                                    report.state, live.generation, live.lag, live.events_folded, remark_of(report));
    }
}

Result<int> list(const ApplicationParts& parts, const Settings& settings, Terminal& terminal) {
    LEFTFOLD_TRY(owner, open_owner(parts, settings));
    LEFTFOLD_TRY(answer, owner->ask("/projections"));
    if (settings.json) {
        terminal.out << answer.body;
        return 0;
    }
    LEFTFOLD_TRY(reports, read_reports<ProjectionReport>(answer.body));
    print_table(reports, terminal);
    return 0;
}

// ---------------------------------------------------------------------------------------------------------------------
// rebuild

std::string outcome_of(const ProjectionReport& report) {
    if (!report.live)
        return fmt::format("{}: {}", report.name, remark_of(report));
    std::string text = fmt::format("{}: generation {} is served", report.name, report.live->generation);
    if (report.difference && report.difference->newer == report.live->generation)
        text += report.difference->is_equal ? fmt::format(", equal to generation {}", report.difference->older)
                                            : fmt::format(", different from generation {}: `projections diff {}`",
                                                          report.difference->older, report.name);
    return text;
}

Result<int> rebuild(const ApplicationParts& parts, const Settings& settings, Terminal& terminal) {
    LEFTFOLD_TRY(owner, open_owner(parts, settings));
    std::string target = target_of(settings, "rebuild");
    if (!settings.path.empty())
        target += "?from-copy=" + http::percent_encode(std::filesystem::absolute(settings.path).string());
    LEFTFOLD_CHECK(owner->order(std::move(target), kAnswerTimeout));
    std::optional<Progress> progress;
    for (;;) {
        LEFTFOLD_TRY(report, ask_report(*owner, settings.name));
        if (report.build && !progress)
            progress.emplace(owner->clock(), terminal,
                             ProgressOptions{.what = "rebuild " + settings.name,
                                             .unit = "events",
                                             .total = report.build->positions_total,
                                             .silent = settings.json});
        const bool is_ready = report.build && report.build->stage == "ready";
        const bool is_stopped = report.build && report.build->generation.fault;
        if (!report.build || is_ready || is_stopped) {
            if (progress)
                progress->finish();
            if (settings.json)
                terminal.out << json::to_string(report) << '\n';
            else if (is_stopped)
                terminal.out << fmt::format("{}: the build stopped: {}\n", settings.name,
                                            report.build->generation.fault->message);
            else if (is_ready)
                terminal.out << fmt::format("{0}: generation {1} is ready: `projections switch {0}`\n", settings.name,
                                            report.build->generation.generation);
            else
                terminal.out << outcome_of(report) << '\n';
            return is_stopped ? kExitFailure : 0;
        }
        progress->set(report.build->positions_done);
        if (!owner->pause(kLookEvery))
            return fail(ErrorCode::cancelled, "interrupted; a running server goes on building");
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// the others

Result<int> diff(const ApplicationParts& parts, const Settings& settings, Terminal& terminal) {
    LEFTFOLD_TRY(owner, open_owner(parts, settings));
    LEFTFOLD_TRY(report, owner->ask(target_of(settings, "difference")));
    terminal.out << report.body << '\n';
    return 0;
}

Result<int> switch_generation(const ApplicationParts& parts, const Settings& settings, Terminal& terminal) {
    LEFTFOLD_TRY(owner, open_owner(parts, settings));
    LEFTFOLD_CHECK(owner->order(target_of(settings, settings.back ? "switch-back" : "switch"), kAnswerTimeout));
    LEFTFOLD_TRY(report, ask_report(*owner, settings.name));
    terminal.out << outcome_of(report) << '\n';
    return 0;
}

Result<int> export_rows(const ApplicationParts& parts, const Settings& settings, Terminal& terminal) {
    LEFTFOLD_TRY(owner, open_owner(parts, settings));
    const std::string path = std::filesystem::absolute(settings.path).string();
    LEFTFOLD_CHECK(owner->order(target_of(settings, "export") + "?path=" + http::percent_encode(path), kExportTimeout));
    terminal.out << fmt::format("{}: its rows are in {}, an SQLite database\n", settings.name, path);
    return 0;
}

Result<int> retry(const ApplicationParts& parts, const Settings& settings, Terminal& terminal) {
    LEFTFOLD_TRY(owner, open_owner(parts, settings));
    LEFTFOLD_CHECK(owner->order(target_of(settings, "retry"), kAnswerTimeout));
    terminal.out << fmt::format("{}: tries again; `projections list` shows how far it comes\n", settings.name);
    return 0;
}

Result<int> skip(const ApplicationParts& parts, const Settings& settings, Terminal& terminal) {
    LEFTFOLD_TRY(owner, open_owner(parts, settings));
    LEFTFOLD_TRY(report, ask_report(*owner, settings.name));
    const std::optional<FaultReport> fault = report.live && report.live->fault ? report.live->fault
                                             : report.build                    ? report.build->generation.fault
                                                                               : std::nullopt;
    if (!fault)
        return fail(ErrorCode::conflict, fmt::format("projection '{}' is not stopped at an event", settings.name));
    LEFTFOLD_CHECK(owner->order(
        fmt::format("{}?topic={}&partition={}&position={}", target_of(settings, "skip"),
                    http::percent_encode(fault->place.topic), fault->place.partition, fault->place.position),
        kAnswerTimeout));
    terminal.out << fmt::format("{}: passed {} '{}' version {} for good\n", settings.name, fault->type, fault->key,
                                fault->version);
    return 0;
}

std::string first_projection(const ApplicationParts& parts) {
    for (const Service& service : parts.services)
        for (const ProjectionDeclaration& projection : service.projections())
            return projection.name;
    return "NAME";
}

using Run = Result<int> (*)(const ApplicationParts&, const Settings&, Terminal&);

// A command about one projection.
CliCommand about_one(const ApplicationParts& parts, CliCommand command, Run run,
                     void (*declare)(Settings&, CliCommand&) = nullptr) {
    command.help += "\n\nWorks beside a running server, and without one.";
    return make_cli_command<Settings>(
        std::move(command),
        [&parts, declare](Settings& settings, CliCommand& made) {
            add_directory(made, settings.directory, parts);
            made.arguments.push_back({.name = "PROJECTION",
                                      .value = Value::text(settings.name),
                                      .help = "Which one; see `projections list`"});
            if (declare != nullptr)
                declare(settings, made);
        },
        [&parts, run](Settings& settings, Terminal& terminal) { return run(parts, settings, terminal); });
}

void add_json(Settings& settings, CliCommand& command) {
    command.configuration.add(
        {.name = "json", .value = Value::boolean(settings.json), .help = "Print JSON, and no progress"});
}

CliCommand list_command(const ApplicationParts& parts) {
    return make_cli_command<Settings>(
        {.name = "projections list",
         .summary = "Print each projection with its state and how far behind it is",
         .help =
             "LAG is the number of events that are in the log and not yet in the rows; FOLDED counts since the start. "
             "A projection that is stopped says at which event and why.\n\nWorks beside a running server, and "
             "without one.",
         .examples = {{"projections list", "as a table"}, {"projections list --json | jq .live.lag", "for programs"}}},
        [&parts](Settings& settings, CliCommand& command) {
            add_directory(command, settings.directory, parts);
            add_json(settings, command);
        },
        [&parts](Settings& settings, Terminal& terminal) { return list(parts, settings, terminal); });
}

}  // namespace

std::vector<CliCommand> projection_commands(const ApplicationParts& parts) {
    const std::string example = first_projection(parts);
    std::vector<CliCommand> commands;
    commands.push_back(list_command(parts));
    commands.push_back(about_one(
        parts,
        {.name = "projections rebuild",
         .summary = "Fold all events anew, beside the rows that are served, then switch",
         .help =
             "The new generation is compared with the old one when it has caught up, and takes its place. The old one "
             "stays for `projections switch --back`.",
         .examples = {{"projections rebuild " + example, "with a progress bar"},
                      {"projections rebuild " + example + " --from-copy rows.sqlite", "on from a copy"}}},
        &rebuild, [](Settings& settings, CliCommand& command) {
            command.configuration.add({.name = "from-copy",
                                       .value = Value::text(settings.path, "FILE"),
                                       .help = "Begin with a copy made by `projections export`"});
            add_json(settings, command);
        }));
    commands.push_back(about_one(parts,
                                 {.name = "projections diff",
                                  .summary = "Print how the last rebuild differed from what was there, as JSON",
                                  .help = "Rows of each table on both sides, and a sample of those that differ.",
                                  .examples = {{"projections diff " + example, "after `projections rebuild`"}}},
                                 &diff));
    commands.push_back(about_one(
        parts,
        {.name = "projections switch",
         .summary = "Serve the generation that was built, or with --back the one before",
         .help = "Only needed where a build waits for a word, or to go back.",
         .examples = {{"projections switch " + example + " --back", "the rows before the last rebuild again"}}},
        &switch_generation, [](Settings& settings, CliCommand& command) {
            command.configuration.add({.name = "back",
                                       .value = Value::boolean(settings.back),
                                       .help = "To the generation before the one that is served"});
        }));
    commands.push_back(
        about_one(parts,
                  {.name = "projections export",
                   .summary = "Copy the rows as they are now to a file, an SQLite database",
                   .help = "The file must not exist. It can be looked into, and a rebuild can begin with it.",
                   .examples = {{"projections export " + example + " rows.sqlite", "while the server runs"}}},
                  &export_rows, [](Settings& settings, CliCommand& command) {
                      command.arguments.push_back(
                          {.name = "FILE", .value = Value::text(settings.path), .help = "Where to; it must not exist"});
                  }));
    commands.push_back(about_one(parts,
                                 {.name = "projections retry",
                                  .summary = "Try the event again at which a projection stopped",
                                  .help = "After its cause was mended: the program, or what it needs.",
                                  .examples = {{"projections retry " + example, ""}}},
                                 &retry));
    commands.push_back(about_one(
        parts,
        {.name = "projections skip",
         .summary = "Pass the event at which a projection stopped, for good",
         .help = "It is recorded with the rows, and later rebuilds pass it as well. The rows are without what it says.",
         .examples = {{"projections skip " + example, ""}}},
        &skip));
    return commands;
}

}  // namespace leftfold
