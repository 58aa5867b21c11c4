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

auto store_factory(FileSystem& files) {
    return [&files](const std::string& path, const rows::Schema& schema) {
        return rows::open_sqlite_store(files, path, schema);
    };
}

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
    host->gateway_ = std::make_unique<gateway::Gateway>(env, *host->log_, registry, logger, options.streams);

    LEFTFOLD_CHECK(host->add_aggregates(env, application, services, options));
    if (options.role == HostRole::serving)
        LEFTFOLD_CHECK(host->start_processes(env, options, logger));
    if (options.role != HostRole::questions)
        LEFTFOLD_CHECK(host->add_projections(env, application, services, options, logger));
    return host;
}

Result<> Host::add_aggregates(const Env& env, std::string_view application, const std::vector<Service>& services,
                              const HostOptions& options) {
    AggregateOptions plain = options.aggregates;
    plain.snapshot_folder = join_path(options.directory, "snapshots");
    TopicId topic;
    for (const Service& service : services) {
        for (const AggregateDeclaration& declaration : service.aggregates()) {
            HostedAggregate hosted{.name = declaration.name,
                                   .route = declaration.route,
                                   .model = {},
                                   .process = nullptr,
                                   .topic = topic,
                                   .runtime = {}};
            if (declaration.make_process != nullptr) {
                auto model = declaration.make_process(application, declaration.name);
                hosted.process = model.get();
                hosted.model = std::move(model);
            } else {
                hosted.model = declaration.make_model(application, declaration.name);
            }
            const TopicId outcomes = topic.next();
            hosted.runtime =
                std::make_unique<AggregateRuntime>(env, *log_, *hosted.model, topic, outcomes,
                                                   hosted.process == nullptr ? plain : options_of_process(plain));
            std::string source = fmt::format("/{}/{}", application, declaration.name);
            if (declaration.is_inbox)
                gateway_->add_inbox({.event_source = std::move(source)}, *hosted.runtime);
            else
                LEFTFOLD_CHECK(gateway_->add_aggregate({.pattern = declaration.route,
                                                        .problem_scope = topic_name(application, declaration.name),
                                                        .event_source = std::move(source)},
                                                       *hosted.runtime));
            aggregates_.push_back(std::move(hosted));
            topic = outcomes.next();
        }
    }
    return gateway_->add_event_routes();
}

Result<> Host::start_processes(const Env& env, const HostOptions& options, Logger& logger) {
    sender_ = std::make_unique<LocalSender>(env.scheduler, *log_);
    for (const HostedAggregate& aggregate : aggregates_)
        sender_->add(*aggregate.runtime);
    for (const HostedAggregate& aggregate : aggregates_) {
        if (aggregate.process == nullptr)
            continue;
        auto dispatcher = std::make_unique<ProcessDispatcher>(
            env, *log_, *aggregate.process, aggregate.topic, *aggregate.runtime, *sender_,
            ProcessOptions{.folder = join_path(join_path(options.directory, "processes"), aggregate.name),
                           .open_store = store_factory(env.files)});
        dispatcher->on_trouble([&logger, name = aggregate.name](const std::string& what, const Error& error) {
            logger.error("process-in-trouble", {{"process", name}, {"what", what}, {"error", error}});
        });
        LEFTFOLD_CHECK(dispatcher->start());
        processes_.push_back({aggregate.name, std::move(dispatcher)});
    }
    return {};
}

Result<> Host::add_projections(const Env& env, std::string_view application, const std::vector<Service>& services,
                               const HostOptions& options, Logger& logger) {
    for (const Service& service : services) {
        for (const ProjectionDeclaration& declaration : service.projections()) {
            auto model = declaration.make_model(application, declaration.name);
            auto runner = std::make_unique<ProjectionRunner>(
                env, *log_, *model,
                ProjectionRunnerOptions{
                    .folder = join_path(join_path(options.directory, "projections"), declaration.name),
                    .open_store = store_factory(env.files)});
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
    const auto all_stopped = std::make_shared<StepWhenAll>(
        processes_.size() + projections_.size(),
        [this, stopped = std::move(stopped)]() mutable { log_->stop(std::move(stopped)); });
    for (const HostedProcess& process : processes_)
        process.dispatcher->stop([all_stopped] { all_stopped->one_is_done(); });
    for (const HostedProjection& projection : projections_)
        projection.runner->stop([all_stopped] { all_stopped->one_is_done(); });
}

}  // namespace leftfold
