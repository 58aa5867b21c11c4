// Host: the services of an application, running on one log: runtimes, gateway and what operators ask for. No sockets;
// the serve command and the tools put those, or none, around it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/aggregate/runtime.hpp"
#include "leftfold/app/service.hpp"
#include "leftfold/gateway/gateway.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/process/dispatcher.hpp"
#include "leftfold/process/sender.hpp"
#include "leftfold/projection/runner.hpp"
#include "leftfold/telemetry/metrics.hpp"

namespace leftfold {

// What of the services runs, beside aggregates.
enum class HostRole : std::uint8_t {
    questions,    // nothing: for tools that only read the log
    projections,  // for tools that look at rows
    serving,      // everything
};

struct HostOptions {
    std::string directory;
    AggregateOptions aggregates;
    std::uint64_t segment_bytes = 64ULL * 1024 * 1024;
    HostRole role = HostRole::serving;
    gateway::StreamOptions streams = {};
};

// One aggregate type of one service, by its names.
struct HostedAggregate {
    std::string name;
    std::string route;  // empty: an inbox
    std::unique_ptr<AggregateModel> model;
    const ProcessModel* process = nullptr;  // the model, if it is one of a process
    TopicId topic;
    std::unique_ptr<AggregateRuntime> runtime;
};

struct HostedProjection {
    std::string name;
    std::vector<std::string> routes;
    std::unique_ptr<ProjectionModel> model;
    std::unique_ptr<ProjectionRunner> runner;
};

struct HostedProcess {
    std::string name;
    std::unique_ptr<ProcessDispatcher> dispatcher;
};

// Every topic that the services need, in the order in which Host opens them.
std::vector<log::TopicDeclaration> topics_of(std::string_view application, const std::vector<Service>& services);

class Host {
  public:
    // Opens the log, recovering what a crash left, and wires the services to it. Everything is borrowed but the
    // options.
    static Result<std::unique_ptr<Host>> open(const Env& env, std::string_view application,
                                              const std::vector<Service>& services, HostOptions options,
                                              MetricRegistry& registry, Logger& logger);
    ~Host();

    log::EventLog& log() noexcept { return *log_; }
    gateway::Gateway& gateway() noexcept { return *gateway_; }
    const std::vector<HostedAggregate>& aggregates() const noexcept { return aggregates_; }
    const std::vector<HostedProcess>& processes() const noexcept { return processes_; }
    const std::vector<HostedProjection>& projections() const noexcept { return projections_; }

    // Waits for what is under way, closes the log; then `stopped`. Stop the servers in front first. Once.
    void stop(Step stopped);

  private:
    Host() = default;

    Result<> add_aggregates(const Env& env, std::string_view application, const std::vector<Service>& services,
                            const HostOptions& options);
    Result<> start_processes(const Env& env, const HostOptions& options, Logger& logger);
    Result<> add_projections(const Env& env, std::string_view application, const std::vector<Service>& services,
                             const HostOptions& options, Logger& logger);

    std::unique_ptr<log::EventLog> log_;
    std::vector<HostedAggregate> aggregates_;
    std::unique_ptr<LocalSender> sender_;
    std::vector<HostedProcess> processes_;
    std::vector<HostedProjection> projections_;
    std::unique_ptr<gateway::Gateway> gateway_;
};

}  // namespace leftfold
