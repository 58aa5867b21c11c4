#include "leftfold/gateway/gateway.hpp"

#include <variant>
#include <vector>

#include <fmt/format.h>

#include "leftfold/gateway/router.hpp"

#include "aggregate_routes.hpp"
#include "event_intake.hpp"
#include "live_streams.hpp"
#include "problems.hpp"
#include "projection_routes.hpp"
#include "request_fields.hpp"

namespace leftfold::gateway {

class Gateway::Impl {
  public:
    struct CommandTarget {
        AggregateRoutes* aggregate;
        std::size_t command;
        bool choose_key;
    };
    struct StateTarget {
        AggregateRoutes* aggregate;
    };
    struct EventsTarget {
        AggregateRoutes* aggregate;
    };
    struct QueryTarget {
        ProjectionRoutes* projection;
        std::string column;  // that the parameter of the path names
    };
    struct StreamTarget {};
    struct IntakeTarget {};
    using Target =
        std::variant<CommandTarget, StateTarget, EventsTarget, QueryTarget, StreamTarget, IntakeTarget, Answer>;

    Impl(const Env& env, log::EventLog& log, MetricRegistry& registry, Logger& logger, StreamOptions streams)
        : env_(env),
          log_(log),
          registry_(registry),
          logger_(logger),
          streams_(env, log, streams, registry, logger),
          intake_(log) {}

    Result<> add(http::Method method, std::string_view pattern, Target target) {
        LEFTFOLD_CHECK(router_.add(method, pattern, RouteId(static_cast<std::uint32_t>(targets_.size()))));
        targets_.push_back(std::move(target));
        return {};
    }

    Env env_;
    log::EventLog& log_;
    MetricRegistry& registry_;
    Logger& logger_;
    Router router_;
    std::vector<Target> targets_;
    AggregateRoutes& add_routes(AggregateRoute route, AggregateRuntime& runtime) {
        streams_.add_topic(runtime.slot_of("").topic, runtime.model().name(), route.event_source,
                           runtime.model().events());
        aggregates_.push_back(
            std::make_unique<AggregateRoutes>(env_, log_, std::move(route), runtime, streams_, registry_, logger_));
        return *aggregates_.back();
    }

    LiveStreams streams_;
    EventIntake intake_;
    std::vector<std::unique_ptr<AggregateRoutes>> aggregates_;
    std::vector<std::unique_ptr<ProjectionRoutes>> projections_;
};

Gateway::Gateway(const Env& env, log::EventLog& log, MetricRegistry& registry, Logger& logger, StreamOptions streams)
    : impl_(std::make_unique<Impl>(env, log, registry, logger, streams)) {}
Gateway::~Gateway() = default;

std::vector<RoutePattern> routes_of_aggregate(std::string_view pattern, std::span<const CommandType> commands) {
    std::vector<RoutePattern> routes = {{http::Method::get, std::string(pattern)},
                                        {http::Method::get, fmt::format("{}/events", pattern)}};
    for (const CommandType& command : commands)
        routes.push_back({http::Method::post, fmt::format("{}/{}", pattern, command.name)});
    if (const std::string_view collection = collection_of(pattern); !collection.empty())
        for (const CommandType& command : commands)
            routes.push_back({http::Method::post, fmt::format("{}/{}", collection, command.name)});
    return routes;
}

Result<> Gateway::add_aggregate(AggregateRoute route, AggregateRuntime& runtime) {
    if (route.pattern.find("/{") == std::string::npos)
        return fail(ErrorCode::invalid_argument, fmt::format("route '{}' of aggregate '{}' needs one {{id}}",
                                                             route.pattern, runtime.model().name()));
    AggregateRoutes& aggregate = impl_->add_routes(std::move(route), runtime);

    const std::size_t command_count = runtime.model().routed_commands().size();
    const auto routes = routes_of_aggregate(aggregate.route().pattern, runtime.model().routed_commands());
    constexpr std::size_t kBeforeCommands = 2;
    for (std::size_t i = 0; i < routes.size(); ++i) {
        Impl::Target target = Impl::StateTarget{&aggregate};
        if (i == 1)
            target = Impl::EventsTarget{&aggregate};
        else if (i >= kBeforeCommands)
            target = Impl::CommandTarget{&aggregate, (i - kBeforeCommands) % command_count,
                                         i - kBeforeCommands >= command_count};
        LEFTFOLD_CHECK(impl_->add(routes[i].method, routes[i].pattern, std::move(target)));
    }
    return {};
}

Result<> check_projection_route(std::string_view pattern, const ProjectionModel& model) {
    if (model.forms().empty())
        return fail(ErrorCode::invalid_argument, fmt::format("projection '{}' cannot be queried", model.name()));
    const std::string_view parameter = parameter_of(pattern);
    std::string columns;
    for (const rows::Column& column : model.forms()[0].table.columns) {
        if (column.name == parameter)
            return {};
        columns += (columns.empty() ? "" : ", ") + column.name;
    }
    if (parameter.empty())
        return {};
    return fail(ErrorCode::invalid_argument, fmt::format("{{{}}} in '{}' is no column of projection '{}', which has {}",
                                                         parameter, pattern, model.name(), columns));
}

Result<> Gateway::add_projection(std::span<const std::string> patterns, ProjectionRunner& runner) {
    for (const std::string& pattern : patterns)
        LEFTFOLD_CHECK(check_projection_route(pattern, runner.model()));
    impl_->projections_.push_back(
        std::make_unique<ProjectionRoutes>(impl_->env_, impl_->log_, runner, impl_->registry_));
    for (const std::string& pattern : patterns) {
        LEFTFOLD_CHECK(
            impl_->add(http::Method::get, pattern,
                       Impl::QueryTarget{impl_->projections_.back().get(), std::string(parameter_of(pattern))}));
    }
    return {};
}

void Gateway::add_inbox(InboxRoute route, AggregateRuntime& runtime) {
    impl_->intake_.add(impl_->add_routes(
        {.pattern = {}, .problem_scope = {}, .event_source = std::move(route.event_source)}, runtime));
}

std::vector<RoutePattern> routes_of_events() {
    return {{http::Method::get, "/events"}, {http::Method::post, "/events"}};
}

Result<> Gateway::add_event_routes() {
    for (const RoutePattern& route : routes_of_events()) {
        if (route.method == http::Method::get)
            LEFTFOLD_CHECK(impl_->add(route.method, route.pattern, Impl::StreamTarget{}));
        else if (!impl_->intake_.is_empty())
            LEFTFOLD_CHECK(impl_->add(route.method, route.pattern, Impl::IntakeTarget{}));
    }
    return {};
}

Result<> Gateway::add_get(std::string_view pattern, Answer answer) {
    return impl_->add(http::Method::get, pattern, std::move(answer));
}

void Gateway::handle(const http::Request& request, http::Responder responder) {
    Router::Match match = impl_->router_.find(request.method, request.raw_path);
    if (match.kind == Router::Match::Kind::unknown) {
        responder.send(http::Problem(404, "unknown-route", "There is nothing at this path")
                           .detail(fmt::format("{} {}", http::to_string(request.method), request.path))
                           .response());
        return;
    }
    if (match.kind == Router::Match::Kind::wrong_method) {
        std::string allowed;
        for (const http::Method method : match.allowed)
            allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", http::to_string(method));
        responder.send(http::Problem(405, "method-not-allowed", "This path does not take that method")
                           .detail(fmt::format("{} is not one of {}", http::to_string(request.method), allowed))
                           .response()
                           .add_header("Allow", allowed));
        return;
    }
    Impl::Target& target = impl_->targets_[match.route.value()];
    if (auto* answer = std::get_if<Answer>(&target)) {
        responder.send((*answer)(request));
        return;
    }
    if (const auto* query = std::get_if<Impl::QueryTarget>(&target)) {
        query->projection->query(query->column, std::move(match.parameter), request, std::move(responder));
        return;
    }
    if (std::holds_alternative<Impl::StreamTarget>(target)) {
        impl_->streams_.open_all(request, std::move(responder));
        return;
    }
    if (std::holds_alternative<Impl::IntakeTarget>(target)) {
        impl_->intake_.post(request, std::move(responder));
        return;
    }
    const auto* command = std::get_if<Impl::CommandTarget>(&target);
    if (!(command != nullptr && command->choose_key) && !is_valid_key(match.parameter)) {
        responder.send(bad_request("bad-id", "The id cannot be used",
                                   "an id is 1 to 200 bytes of UTF-8 without control characters"));
        return;
    }
    if (command != nullptr)
        command->aggregate->command(command->command, match.parameter, request, std::move(responder));
    else if (const auto* state = std::get_if<Impl::StateTarget>(&target))
        state->aggregate->state(match.parameter, request, std::move(responder));
    else
        std::get<Impl::EventsTarget>(target).aggregate->events(match.parameter, request, std::move(responder));
}

}  // namespace leftfold::gateway
