#include "process_inspection.hpp"

#include <limits>

#include <fmt/format.h>

#include "leftfold/event/json.hpp"

#include "inspection_query.hpp"

namespace leftfold {

namespace {

constexpr std::string_view kJsonLines = "application/jsonl";
constexpr std::int64_t kLimitDefault = 100;
constexpr std::int64_t kLimitMax = 1000;

std::optional<std::string> unless_empty(std::string text) {
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

Result<ProcessReport> report_of(const HostedProcess& process) {
    const ProcessStatus status = process.dispatcher->status();
    ProcessReport report{.name = process.name,
                         .is_caught_up = status.is_caught_up,
                         .commands_waiting = 0,
                         .commands_in_flight = status.commands_in_flight,
                         .commands_retrying = status.commands_retrying,
                         .timers_waiting = 0,
                         .lag = status.lag,
                         .inputs = {},
                         .trouble = unless_empty(status.trouble)};
    for (const InputProgress& input : status.inputs)
        report.inputs.push_back({input.topic, input.partition.value(), input.position.value(),
                                 input.durable_end.value() - input.position.value(), unless_empty(input.last_error)});
    if (const auto counts = process.dispatcher->count()) {
        report.commands_waiting = counts->commands;
        report.timers_waiting = counts->timers;
    } else if (!report.trouble) {
        report.trouble = counts.error().message();
    }
    return report;
}

http::Response lines() {
    return {.status = 200, .content_type = kJsonLines, .header_lines = {}, .body = {}};
}

Result<http::Response> commands_of(const HostedProcess& process, const InspectionQuery& query, std::size_t limit) {
    ProcessDispatcher::Page page{.instance = std::string(query.text("instance")), .after = {}, .limit = limit};
    if (const std::string_view after = query.text("after-instance"); !after.empty()) {
        LEFTFOLD_TRY(version, query.number("after-version", 0, std::numeric_limits<std::int64_t>::max()));
        page.after = {std::string(after), Version(version)};
    }
    LEFTFOLD_TRY(commands, process.dispatcher->commands(page));
    http::Response response = lines();
    for (OutstandingCommand& command : commands) {
        json::write(response.body, ProcessCommandReport{.process = process.name,
                                                        .instance = std::move(command.instance),
                                                        .version = command.version.value(),
                                                        .aggregate = std::move(command.aggregate),
                                                        .key = std::move(command.key),
                                                        .command = std::move(command.command),
                                                        .body = std::move(command.body),
                                                        .requested_at = command.requested_at,
                                                        .is_in_flight = command.is_in_flight,
                                                        .failures = command.failures,
                                                        .last_error = std::move(command.last_error)});
        response.body += '\n';
    }
    return response;
}

Result<http::Response> timers_of(const HostedProcess& process, const InspectionQuery& query, std::size_t limit) {
    LEFTFOLD_TRY(timers, process.dispatcher->timers(
                             {.instance = std::string(query.text("instance")), .after = {}, .limit = limit}));
    http::Response response = lines();
    for (WaitingTimer& timer : timers) {
        json::write(response.body, ProcessTimerReport{.process = process.name,
                                                      .instance = std::move(timer.instance),
                                                      .version = timer.version.value(),
                                                      .name = std::move(timer.name),
                                                      .due = timer.due,
                                                      .failures = timer.failures,
                                                      .last_error = std::move(timer.last_error)});
        response.body += '\n';
    }
    return response;
}

}  // namespace

Result<const HostedProcess*> ProcessInspection::find(std::string_view name) const {
    std::string known;
    for (const HostedProcess& process : host_.processes()) {
        if (process.name == name)
            return &process;
        known += (known.empty() ? "" : ", ") + process.name;
    }
    return fail(ErrorCode::not_found, fmt::format("there is no process '{}'; there are {}", name, known));
}

http::Response ProcessInspection::handle(const http::Request& request) {
    auto response = ask(request);
    return response ? std::move(*response) : inspection_problem(response.error());
}

Result<http::Response> ProcessInspection::ask(const http::Request& request) {
    bool any = false;
    for (const HostedAggregate& aggregate : host_.aggregates())
        any = any || aggregate.process != nullptr;
    // A tool must not send the commands of processes, so it does not run them.
    if (any && host_.processes().empty())
        return fail(ErrorCode::conflict,
                    "processes are only looked at beside a running server; begin one with `serve`");
    if (request.path == "/processes") {
        http::Response response = lines();
        for (const HostedProcess& process : host_.processes()) {
            LEFTFOLD_TRY(report, report_of(process));
            json::write(response.body, report);
            response.body += '\n';
        }
        return response;
    }
    std::string_view path = request.path;
    path.remove_prefix(std::string_view("/processes/").size());
    const std::size_t slash = path.find('/');
    LEFTFOLD_TRY(process, find(path.substr(0, slash)));
    const std::string_view what = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    LEFTFOLD_TRY(query,
                 InspectionQuery::parse(request.query, {"instance", "after-instance", "after-version", "limit"}));
    LEFTFOLD_TRY(limit, query.number("limit", kLimitDefault, kLimitMax));
    if (what == "commands")
        return commands_of(*process, query, static_cast<std::size_t>(limit));
    if (what == "timers")
        return timers_of(*process, query, static_cast<std::size_t>(limit));
    return fail(ErrorCode::not_found, fmt::format("there is no '{}' to ask of a process", what));
}

}  // namespace leftfold
