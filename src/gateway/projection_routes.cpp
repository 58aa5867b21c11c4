#include "projection_routes.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "problems.hpp"
#include "request_fields.hpp"

namespace leftfold::gateway {

namespace {

// How long a query waits for the events that its Leftfold-Position names.
constexpr Duration kPositionWaitMax = std::chrono::seconds(5);

http::Response problem_of(const QueryProblem& problem) {
    return http::Problem(400, "bad-query", "The query cannot be understood")
        .detail(problem.message())
        .member("parameter", problem.parameter)
        .response();
}

}  // namespace

std::string_view parameter_of(std::string_view pattern) noexcept {
    const std::size_t begin = pattern.find('{');
    return begin == std::string_view::npos ? std::string_view()
                                           : pattern.substr(begin + 1, pattern.find('}') - begin - 1);
}

ProjectionRoutes::ProjectionRoutes(const Env& env, log::EventLog& log, ProjectionRunner& runner,
                                   MetricRegistry& registry)
    : env_(env),
      log_(log),
      runner_(runner),
      queries_(runner.model().forms()[0], rows::TableId(0)),
      seconds_(registry.histogram("leftfold_query_duration_seconds",
                                  "From the request's end to its answer, waits for a position included",
                                  {{"projection", runner.model().name()}})) {}

void ProjectionRoutes::query(const std::string& column, std::string parameter, const http::Request& request,
                             http::Responder responder) {
    const auto token = positions_of(request, log_.incarnation());
    if (!token) {
        responder.send(token.error());
        return;
    }
    auto parameters = http::parse_query(request.query);
    if (!parameters) {
        responder.send(gateway::problem_of(parameters.error()));
        return;
    }
    if (!column.empty())
        parameters->push_back({column, std::move(parameter)});
    const MonotonicTime begun = env_.clock.monotonic();
    const auto reached = *token ? runner_.has_reached(**token) : Result<bool>(true);
    if (reached && !*reached) {
        runner_.wait_for(**token, kPositionWaitMax,
                         [this, begun, parameters = std::move(*parameters),
                          responder = std::move(responder)](Result<> arrived) mutable {
                             responder.send(arrived ? answer(parameters) : gateway::problem_of(arrived.error()));
                             seconds_.observe(env_.clock.monotonic() - begun);
                         });
        return;
    }
    responder.send(reached ? answer(*parameters) : gateway::problem_of(reached.error()));
    seconds_.observe(env_.clock.monotonic() - begun);
}

bool ProjectionRoutes::is_key(std::span<const QueryParameter> parameters) const noexcept {
    const rows::Table& table = queries_.form().table;
    const auto key = std::span(table.columns).first(table.key_columns);
    const auto is_asked = [&](const rows::Column& column) {
        return std::ranges::find(parameters, column.name, &QueryParameter::name) != parameters.end();
    };
    return parameters.size() == key.size() && std::ranges::all_of(key, is_asked);
}

http::Response ProjectionRoutes::answer(std::span<const http::QueryParameter> parameters) {
    rows::RowReader* const reader = runner_.reader();
    if (reader == nullptr)
        return gateway::problem_of(runner_.not_served());
    std::vector<QueryParameter> views;
    views.reserve(parameters.size());
    for (const http::QueryParameter& parameter : parameters)
        views.push_back({parameter.name, parameter.value});
    return is_key(views) ? answer_row(views, *reader) : answer_page(views, *reader);
}

http::Response ProjectionRoutes::answer_row(std::span<const QueryParameter> parameters, rows::RowReader& reader) {
    const auto key = queries_.prepare_row(parameters);
    if (!key)
        return problem_of(key.error());
    std::string body;
    const auto found = queries_.write_row(reader, *key, body);
    if (!found)
        return failed(found.error());
    if (!*found)
        return gateway::problem_of(Error(
            ErrorCode::not_found, fmt::format("projection '{}' has no row with this key", runner_.model().name())));
    return http::json_response(200, std::move(body));
}

http::Response ProjectionRoutes::answer_page(std::span<const QueryParameter> parameters, rows::RowReader& reader) {
    const auto question = queries_.prepare_page(parameters);
    if (!question)
        return problem_of(question.error());
    std::string body;
    if (const auto written = queries_.write_page(reader, *question, body); !written)
        return failed(written.error());
    return http::json_response(200, std::move(body));
}

http::Response ProjectionRoutes::failed(const Error& error) {
    runner_.read_failed(error);
    return gateway::problem_of(error);
}

}  // namespace leftfold::gateway
