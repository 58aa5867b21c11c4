// processes list and show, timers list: they ask the server that holds the data directory.

#include <algorithm>
#include <ostream>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "leftfold/http/url.hpp"

#include "commands.hpp"
#include "dialogue.hpp"
#include "process_inspection.hpp"

namespace leftfold {

namespace {

struct Settings {
    std::string directory;
    std::string process;
    std::string instance;
    std::uint32_t limit = 100;
    bool json = false;
};

std::string remark_of(const ProcessReport& report) {
    if (report.trouble)
        return *report.trouble;
    for (const ProcessInputReport& input : report.inputs)
        if (input.trouble)
            return fmt::format("input {}/{}: {}", input.topic, input.partition, *input.trouble);
    return report.is_caught_up ? "" : "catching up";
}

std::int64_t input_lag(const ProcessReport& report) {
    std::int64_t lag = 0;
    for (const ProcessInputReport& input : report.inputs)
        lag += input.lag;
    return lag;
}

Result<int> list(const ApplicationParts& parts, const Settings& settings, Terminal& terminal) {
    LEFTFOLD_TRY(owner, Dialogue::open(parts, settings.directory, HostRole::questions));
    LEFTFOLD_TRY(answer, owner->ask("/processes"));
    if (settings.json) {
        terminal.out << answer.body;
        return 0;
    }
    LEFTFOLD_TRY(reports, read_reports<ProcessReport>(answer.body));
    std::size_t width = std::string_view("PROCESS").size();
    for (const ProcessReport& report : reports)
        width = std::max(width, report.name.size());
    terminal.out << fmt::format("{:<{}}  {:>8}  {:>9}  {:>8}  {:>9}\n", "PROCESS", width, "COMMANDS", "RETRYING",
                                "TIMERS", "INPUT LAG");
    for (const ProcessReport& report : reports)
        terminal.out << fmt::format("{:<{}}  {:>8}  {:>9}  {:>8}  {:>9}  {}\n", report.name, width,
                                    report.commands_waiting, report.commands_retrying, report.timers_waiting,
                                    input_lag(report), remark_of(report));
    return 0;
}

std::string line_of(const ProcessCommandReport& command) {
    std::string line = fmt::format("command  {} '{}' of {} {}: asked for at {}", command.command, command.key,
                                   command.aggregate, command.body, to_rfc3339(command.requested_at));
    if (command.is_in_flight)
        line += ", on its way";
    if (command.failures > 0)
        line += fmt::format(", failed {} times: {}", command.failures, command.last_error);
    return line;
}

std::string line_of(const ProcessTimerReport& timer) {
    std::string line = fmt::format("timer    {}: due at {}", timer.name, to_rfc3339(timer.due));
    if (timer.failures > 0)
        line += fmt::format(", failed {} times: {}", timer.failures, timer.last_error);
    return line;
}

Result<int> show(const ApplicationParts& parts, const Settings& settings, Terminal& terminal) {
    LEFTFOLD_TRY(owner, Dialogue::open(parts, settings.directory, HostRole::questions));
    const std::string base = "/processes/" + http::percent_encode(settings.process);
    const std::string of_instance = "?instance=" + http::percent_encode(settings.instance);
    LEFTFOLD_TRY(commands_answer, owner->ask(base + "/commands" + of_instance));
    LEFTFOLD_TRY(timers_answer, owner->ask(base + "/timers" + of_instance));
    if (settings.json) {
        terminal.out << commands_answer.body << timers_answer.body;
        return 0;
    }
    LEFTFOLD_TRY(commands, read_reports<ProcessCommandReport>(commands_answer.body));
    LEFTFOLD_TRY(timers, read_reports<ProcessTimerReport>(timers_answer.body));
    for (const ProcessCommandReport& command : commands)
        terminal.out << line_of(command) << '\n';
    for (const ProcessTimerReport& timer : timers)
        terminal.out << line_of(timer) << '\n';
    if (commands.empty() && timers.empty())
        terminal.out << fmt::format("{} '{}' waits for nothing; `replay {} {}` tells its history\n", settings.process,
                                    settings.instance, settings.process, settings.instance);
    return 0;
}

Result<int> list_timers(const ApplicationParts& parts, const Settings& settings, Terminal& terminal) {
    LEFTFOLD_TRY(owner, Dialogue::open(parts, settings.directory, HostRole::questions));
    std::vector<std::string> names;
    if (settings.process.empty()) {
        LEFTFOLD_TRY(answer, owner->ask("/processes"));
        LEFTFOLD_TRY(reports, read_reports<ProcessReport>(answer.body));
        for (const ProcessReport& report : reports)
            names.push_back(report.name);
    } else {
        names.push_back(settings.process);
    }
    std::vector<ProcessTimerReport> timers;
    for (const std::string& name : names) {
        LEFTFOLD_TRY(answer, owner->ask(fmt::format("/processes/{}/timers?limit={}", http::percent_encode(name),
                                                    settings.limit)));
        LEFTFOLD_TRY(of_one, read_reports<ProcessTimerReport>(answer.body));
        std::ranges::move(of_one, std::back_inserter(timers));
    }
    std::ranges::sort(timers, {}, [](const ProcessTimerReport& timer) {
        return std::tie(timer.due, timer.process, timer.instance, timer.version);
    });
    for (const ProcessTimerReport& timer : timers) {
        if (settings.json)
            terminal.out << json::to_string(timer) << '\n';
        else
            terminal.out << fmt::format("{}  {} '{}'  {}{}\n", to_rfc3339(timer.due), timer.process, timer.instance,
                                        timer.name, timer.last_error.empty() ? "" : "  " + timer.last_error);
    }
    return 0;
}

std::string first_process(const ApplicationParts& parts) {
    for (const Service& service : parts.services)
        for (const AggregateDeclaration& aggregate : service.aggregates())
            if (aggregate.make_process != nullptr)
                return aggregate.name;
    return "PROCESS";
}

void add_json(Settings& settings, CliCommand& command) {
    command.configuration.add({.name = "json", .value = Value::boolean(settings.json), .help = "A JSON line for each"});
}

}  // namespace

std::vector<CliCommand> process_commands(const ApplicationParts& parts) {
    const std::string example = first_process(parts);
    std::vector<CliCommand> commands;
    commands.push_back(make_cli_command<Settings>(
        {.name = "processes list",
         .summary = "Print each process type with what it waits for",
         .help = "COMMANDS are sent and not answered yet, RETRYING those of them that failed and are tried again; "
                 "TIMERS wait "
                 "for their time; INPUT LAG is the number of events of other streams not taken yet.\n\nWorks beside a "
                 "running server.",
         .examples = {{"processes list", ""}}},
        [&parts](Settings& settings, CliCommand& command) {
            add_directory(command, settings.directory, parts);
            add_json(settings, command);
        },
        [&parts](Settings& settings, Terminal& terminal) { return list(parts, settings, terminal); }));
    commands.push_back(make_cli_command<Settings>(
        {.name = "processes show",
         .summary = "Print what an instance waits for: commands without an answer, timers",
         .help = "Its state is at its route, its history in `replay`.\n\nWorks beside a running server.",
         .examples = {{fmt::format("processes show {} t-1", example), ""}}},
        [&parts](Settings& settings, CliCommand& command) {
            add_directory(command, settings.directory, parts);
            command.arguments.push_back(
                {.name = "PROCESS", .value = Value::text(settings.process), .help = "Its type; see `processes list`"});
            command.arguments.push_back(
                {.name = "ID", .value = Value::text(settings.instance), .help = "Which one, as in its route"});
            add_json(settings, command);
        },
        [&parts](Settings& settings, Terminal& terminal) { return show(parts, settings, terminal); }));
    commands.push_back(make_cli_command<Settings>(
        {.name = "timers list",
         .summary = "Print the timers that wait, those due first",
         .help = "Works beside a running server.",
         .examples = {{"timers list --limit 10", "the next ten of each process type"}}},
        [&parts](Settings& settings, CliCommand& command) {
            add_directory(command, settings.directory, parts);
            command.configuration.add(
                {.name = "process", .value = Value::text(settings.process, "PROCESS"), .help = "Only of this type"});
            command.configuration.add({.name = "limit",
                                       .value = Value::integer(settings.limit, 1, 1000),
                                       .help = "At most so many of each type"});
            add_json(settings, command);
        },
        [&parts](Settings& settings, Terminal& terminal) { return list_timers(parts, settings, terminal); }));
    return commands;
}

}  // namespace leftfold
