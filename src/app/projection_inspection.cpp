#include "projection_inspection.hpp"

#include <limits>

#include <fmt/format.h>

#include "leftfold/event/json.hpp"

#include "inspection_query.hpp"
#include "projection_report.hpp"

namespace leftfold {

namespace {

constexpr std::string_view kJsonLines = "application/jsonl";
constexpr std::uint64_t kDifferenceBytesMax = 16ULL * 1024 * 1024;

struct Target {
    std::string_view name;
    std::string_view action;
};

// Of /projections/NAME/ACTION.
Target target_of(std::string_view path) {
    path.remove_prefix(std::string_view("/projections").size());
    if (path.starts_with('/'))
        path.remove_prefix(1);
    const std::size_t slash = path.find('/');
    return {path.substr(0, slash), slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1)};
}

Result<EventPlace> place_of(const InspectionQuery& query) {
    LEFTFOLD_TRY(partition, query.number("partition", 0, std::numeric_limits<std::uint32_t>::max()));
    LEFTFOLD_TRY(position, query.number("position", 0, std::numeric_limits<std::int64_t>::max()));
    return EventPlace{std::string(query.text("topic")), PartitionId(static_cast<std::uint32_t>(partition)),
                      Position(position)};
}

OperatorDone answer_to(http::Responder responder) {
    return [responder = std::move(responder)](Result<> done) mutable {
        responder.send(done ? http::json_response(200, "{}\n") : inspection_problem(done.error()));
    };
}

}  // namespace

Result<const HostedProjection*> ProjectionInspection::find(std::string_view name) const {
    std::string known;
    for (const HostedProjection& projection : host_.projections()) {
        if (projection.name == name)
            return &projection;
        known += (known.empty() ? "" : ", ") + projection.name;
    }
    return fail(ErrorCode::not_found, fmt::format("there is no projection '{}'; there are {}", name, known));
}

void ProjectionInspection::handle(const http::Request& request, http::Responder responder) {
    if (request.method == http::Method::get) {
        auto response = ask(request);
        responder.send(response ? std::move(*response) : inspection_problem(response.error()));
        return;
    }
    const Target target = target_of(request.path);
    const auto projection = find(target.name);
    if (!projection)
        responder.send(inspection_problem(projection.error()));
    else
        act(**projection, target.action, request.query, std::move(responder));
}

Result<http::Response> ProjectionInspection::ask(const http::Request& request) {
    const Target target = target_of(request.path);
    if (target.name.empty()) {
        http::Response response{.status = 200, .content_type = kJsonLines, .header_lines = {}, .body = {}};
        for (const HostedProjection& projection : host_.projections()) {
            json::write(response.body, report_of(projection.runner->status()));
            response.body += '\n';
        }
        return response;
    }
    LEFTFOLD_TRY(projection, find(target.name));
    if (target.action == "difference")
        return difference(*projection);
    if (!target.action.empty())
        return fail(ErrorCode::not_found, fmt::format("there is no '{}' to ask of a projection", target.action));
    return http::json_response(200, json::to_string(report_of(projection->runner->status())) + "\n");
}

Result<http::Response> ProjectionInspection::difference(const HostedProjection& projection) {
    const ProjectionStatus status = projection.runner->status();
    if (!status.difference)
        return fail(ErrorCode::not_found,
                    fmt::format("projection '{0}' was not compared yet: `projections rebuild {0}` builds it anew and "
                                "compares",
                                projection.name));
    LEFTFOLD_TRY(report, read_file(env_.files, status.difference->path, kDifferenceBytesMax));
    return http::json_response(200, std::move(report));
}

void ProjectionInspection::act(const HostedProjection& projection, std::string_view action, std::string_view query,
                               http::Responder responder) {
    ProjectionRunner& runner = *projection.runner;
    const auto parameters = InspectionQuery::parse(query, {"from-copy", "path", "topic", "partition", "position"});
    if (!parameters) {
        responder.send(inspection_problem(parameters.error()));
        return;
    }
    if (action == "rebuild") {
        runner.rebuild(answer_to(std::move(responder)), std::string(parameters->text("from-copy")));
    } else if (action == "cancel-build") {
        runner.cancel_build(answer_to(std::move(responder)));
    } else if (action == "switch") {
        const auto build = runner.status().build;
        if (!build)
            answer_to(std::move(responder))(
                fail(ErrorCode::conflict, fmt::format("projection '{}' builds no generation", projection.name)));
        else
            runner.switch_to(build->generation.generation, answer_to(std::move(responder)));
    } else if (action == "switch-back") {
        runner.switch_back(answer_to(std::move(responder)));
    } else if (action == "retry") {
        answer_to(std::move(responder))(runner.retry());
    } else if (action == "skip") {
        if (const auto place = place_of(*parameters))
            runner.skip(*place, answer_to(std::move(responder)));
        else
            responder.send(inspection_problem(place.error()));
    } else if (action == "export" && !parameters->text("path").empty()) {
        runner.export_to(std::string(parameters->text("path")), answer_to(std::move(responder)));
    } else {
        responder.send(inspection_problem(
            Error(ErrorCode::not_found, fmt::format("there is no '{}' to do with a projection", action))));
    }
}

}  // namespace leftfold
