#include "host.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "declarations.hpp"

namespace leftfold {

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

    AggregateOptions aggregates = std::move(options.aggregates);
    aggregates.snapshot_folder = join_path(options.directory, "snapshots");
    TopicId topic;
    for (const Service& service : services) {
        for (const AggregateDeclaration& declaration : service.aggregates()) {
            auto model = declaration.make_model(application, declaration.name);
            const TopicId outcomes = topic.next();
            auto runtime = std::make_unique<AggregateRuntime>(env, *host->log_, *model, topic, outcomes, aggregates);
            std::string source = fmt::format("/{}/{}", application, declaration.name);
            if (declaration.is_inbox)
                host->gateway_->add_inbox({.event_source = std::move(source)}, *runtime);
            else
                LEFTFOLD_CHECK(
                    host->gateway_->add_aggregate({.pattern = declaration.route,
                                                   .problem_scope = topic_name(application, declaration.name),
                                                   .event_source = std::move(source)},
                                                  *runtime));
            host->aggregates_.push_back(
                {declaration.name, declaration.route, std::move(model), topic, std::move(runtime)});
            topic = outcomes.next();
        }
    }
    LEFTFOLD_CHECK(host->gateway_->add_event_routes());
    return host;
}

Host::~Host() = default;

void Host::stop(Step stopped) {
    log_->stop(std::move(stopped));
}

}  // namespace leftfold
