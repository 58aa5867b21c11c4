// The routes of one aggregate type.
#pragma once

#include <string>
#include <string_view>

#include "leftfold/gateway/gateway.hpp"
#include "leftfold/log/position_token.hpp"

#include "live_streams.hpp"
#include "request_fields.hpp"

namespace leftfold::gateway {

// "/accounts" of "/accounts/{id}"; empty if the pattern does not end in its parameter.
std::string_view collection_of(std::string_view pattern) noexcept;

class AggregateRoutes {
  public:
    AggregateRoutes(const Env& env, log::EventLog& log, AggregateRoute route, AggregateRuntime& runtime,
                    LiveStreams& streams, MetricRegistry& registry, Logger& logger);

    // Hands it over, and counts and logs how it ends.
    void handle(const CommandRequest& request, CommandDone done);

    const AggregateRoute& route() const noexcept { return route_; }
    const AggregateRuntime& runtime() const noexcept { return runtime_; }
    log::TopicHash topic_hash() const noexcept { return topic_hash_; }
    // `key` empty: the server chooses it.
    void command(std::size_t command, std::string_view key, const http::Request& request, http::Responder responder);
    void state(std::string_view key, const http::Request& request, http::Responder responder);
    void events(std::string_view key, const http::Request& request, http::Responder responder);

  private:
    std::string choose_key(std::string_view command_id);
    std::string path_of(std::string_view key) const;
    http::Response response_of(CommandReply reply, std::string_view key, bool key_chosen) const;
    Result<http::Response> page_of_events(std::string_view key, const EventsPage& page) const;
    void add_position(http::Response& response, log::Slot slot, Position position) const;
    void note(const CommandReply& reply, MonotonicTime begun);
    // Of a failure that somebody must act on: the disk, a stopped partition, stored data, the service's own code.
    void log_failure(const Error& error) const;
    // An answer if the request names a position that this log does not have.
    std::optional<http::Response> refuse_position(const http::Request& request) const;

    // One for each way in which a command can end.
    struct Outcomes {
        Outcomes(MetricRegistry& registry, const std::string& aggregate);
        Counter& of(const CommandReply& reply) noexcept;

        Counter& accepted;
        Counter& rejected;
        Counter& conflict;
        Counter& id_reused;
        Counter& malformed;
        Counter& failed;
        Counter& repeated;
    };

    Env env_;
    log::EventLog& log_;
    AggregateRoute route_;
    AggregateRuntime& runtime_;
    LiveStreams& streams_;
    log::TopicHash topic_hash_;
    std::uint32_t partition_count_ = 0;
    Outcomes outcomes_;
    Histogram& command_seconds_;
    Logger& logger_;
};

}  // namespace leftfold::gateway
