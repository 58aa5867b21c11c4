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
#include "leftfold/telemetry/metrics.hpp"

namespace leftfold {

struct HostOptions {
    std::string directory;
    AggregateOptions aggregates;
    std::uint64_t segment_bytes = 64ULL * 1024 * 1024;
    gateway::StreamOptions streams = {};
};

// One aggregate type of one service, by its names.
struct HostedAggregate {
    std::string name;
    std::string route;  // empty: an inbox
    std::unique_ptr<AggregateModel> model;
    TopicId topic;
    std::unique_ptr<AggregateRuntime> runtime;
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

    // Waits for what is under way, closes the log; then `stopped`. Stop the servers in front first. Once.
    void stop(Step stopped);

  private:
    Host() = default;

    std::unique_ptr<log::EventLog> log_;
    std::vector<HostedAggregate> aggregates_;
    std::unique_ptr<gateway::Gateway> gateway_;
};

}  // namespace leftfold
