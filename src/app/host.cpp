#include "host.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "leftfold/rows/sqlite_store.hpp"

#include "declarations.hpp"

namespace leftfold {

namespace {

// Runs a step once so many others are done; at once if there are none.
class StepWhenAll {
  public:
    StepWhenAll(std::size_t count, Step step) : left_(count), step_(std::move(step)) {
        if (left_ == 0)
            step_();
    }
    void one_is_done() {
        if (--left_ == 0)
            step_();
    }

  private:
    std::size_t left_;
    Step step_;
};

// What an operator must know of a projection, when it changes.
void log_changes_of(ProjectionRunner& runner, Logger& logger) {
    runner.on_change([&runner, &logger] {
        const ProjectionStatus status = runner.status();
        if (status.state != ProjectionState::stopped) {
            logger.info("projection-changed", {{"projection", status.name}, {"state", to_string(status.state)}});
            return;
        }
        const std::optional<EventFault>& fault = status.live ? status.live->fault : std::nullopt;
        logger.error("projection-stopped", {{"projection", status.name},
                                            {"error", fault ? fault->message : std::string()},
                                            {"type", fault ? fault->type : std::string()},
                                            {"key", fault ? fault->key : std::string()}});
    });
}

}  // namespace

std::vector<log::TopicDeclaration> topics_of(std::string_view application, const std::vector<Service>& services) {
    std::vector<log::TopicDeclaration> topics;
    for (const Service& service : services)
        for (const AggregateDeclaration& aggregate : service.aggregates()) {
            topics.push_back({.name = topic_name(application, aggregate.name)});
            topics.push_back({.name = outcomes_topic_name(application, aggregate.name)});
        }
    return topics;
}

Result<std::unique_ptr<Host>> Host::open(const Env& env, std::string_view application,
                                         const std::vector<Service>& services, HostOptions options,
                                         MetricRegistry& registry, Logger& logger) {
    if (const auto mistakes = mistakes_in(application, services); !mistakes.empty())
        return fail(ErrorCode::invalid_argument, fmt::format("{}", fmt::join(mistakes, "; ")));
    std::unique_ptr<Host> host(new Host);
    LEFTFOLD_TRY(log, log::open_embedded_log(env, {.directory = options.directory,
                                                   .topics = topics_of(application, services),
                                                   .segment_bytes = options.segment_bytes}));
    host->log_ = std::move(log);
    host->gateway_ = std::make_unique<gateway::Gateway>(env, *host->log_, registry, logger);

    AggregateOptions aggregates = std::move(options.aggregates);
    aggregates.snapshot_folder = join_path(options.directory, "snapshots");
    TopicId topic;
    for (const Service& service : services) {
        for (const AggregateDeclaration& declaration : service.aggregates()) {
            auto model = declaration.make_model(application, declaration.name);
            const TopicId outcomes = topic.next();
            auto runtime = std::make_unique<AggregateRuntime>(env, *host->log_, *model, topic, outcomes, aggregates);
            gateway::AggregateRoute route{.pattern = declaration.route,
                                          .problem_scope = topic_name(application, declaration.name),
                                          .event_source = fmt::format("/{}/{}", application, declaration.name)};
            LEFTFOLD_CHECK(host->gateway_->add_aggregate(std::move(route), *runtime));
            host->aggregates_.push_back(
                {declaration.name, declaration.route, std::move(model), topic, std::move(runtime)});
            topic = outcomes.next();
        }
    }
    if (options.role == HostRole::serving)
        LEFTFOLD_CHECK(host->add_projections(env, application, services, options, logger));
    return host;
}

Result<> Host::add_projections(const Env& env, std::string_view application, const std::vector<Service>& services,
                               const HostOptions& options, Logger& logger) {
    const auto open_store = [&files = env.files](const std::string& path, const rows::Schema& schema) {
        return rows::open_sqlite_store(files, path, schema);
    };
    for (const Service& service : services) {
        for (const ProjectionDeclaration& declaration : service.projections()) {
            auto model = declaration.make_model(application, declaration.name);
            auto runner = std::make_unique<ProjectionRunner>(
                env, *log_, *model,
                ProjectionRunnerOptions{
                    .folder = join_path(join_path(options.directory, "projections"), declaration.name),
                    .open_store = open_store});
            log_changes_of(*runner, logger);
            LEFTFOLD_CHECK(gateway_->add_projection(declaration.routes, *runner));
            LEFTFOLD_CHECK(runner->start());
            projections_.push_back({declaration.name, declaration.routes, std::move(model), std::move(runner)});
        }
    }
    return {};
}

Host::~Host() = default;

void Host::stop(Step stopped) {
    // What stops on the way counts down together.
    auto all_stopped = std::make_shared<StepWhenAll>(
        projections_.size(), [this, stopped = std::move(stopped)]() mutable { log_->stop(std::move(stopped)); });
    for (const HostedProjection& projection : projections_)
        projection.runner->stop([all_stopped] { all_stopped->one_is_done(); });
}

}  // namespace leftfold
