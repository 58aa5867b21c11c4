// Gateway: HTTP in front of what a service declares. It turns requests into commands and reads, and their answers into
// responses; it decides nothing itself.
//
// For an aggregate declared at "/accounts/{id}":
//   POST /accounts/{id}/<command>   a command                 200 or 201, 409 refused, 412 conflict, 422 id reused
//   POST /accounts/<command>        the server chooses the id 201 with Location
//   GET  /accounts/{id}             the state; ?at_version=, ?at_time=, ?recorded_at=
//   GET  /accounts/{id}/events      a CloudEvents batch; ?from=, ?limit=, the next page in Link; or, where Accept says
//                                   text/event-stream, what comes, live: as below
// For all of them together:
//   GET  /events                    live, as server-sent events; ?topic=, ?aggregate=, ?type=, ?key=, ?from=
//   POST /events                    CloudEvents from others, for the inboxes
//
// For a projection declared at "/balances/{account}": GET, the row with that key; where the key has more columns than
// the path, or the path has none, the page of rows that the parameters of the URL ask for (projection/queries.hpp).
//
// Request headers: Idempotency-Key (the command's id), If-Match ("<version>" or *), If-None-Match (* for a new one),
// Leftfold-Position, Leftfold-Time (only on a loopback listener), Leftfold-Correlation-Id, traceparent. Every problem
// is an RFC 9457 document. The table of them is in docs/http.md.
//
// Thread rule: the shard's thread. Life cycle: outlives the http::Server that it handles for.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/aggregate/runtime.hpp"
#include "leftfold/gateway/router.hpp"
#include "leftfold/http/server.hpp"
#include "leftfold/log/event_log.hpp"
#include "leftfold/projection/runner.hpp"
#include "leftfold/telemetry/log.hpp"
#include "leftfold/telemetry/metrics.hpp"

namespace leftfold::gateway {

struct AggregateRoute {
    std::string pattern;        // "/accounts/{id}"
    std::string problem_scope;  // "bank.account": first part of the types of its refusals
    std::string event_source;   // CloudEvents `source` of its events: "/bank/accounts"
};

// Events of others, which are kept as they come: an aggregate for each `subject`, whose commands are its events.
struct InboxRoute {
    std::string event_source;  // CloudEvents `source` under which its events are shown: "/bank/review"
};

struct StreamOptions {
    std::size_t streams_max = 2'000;                    // live at a time; more are answered 503
    Duration keep_alive = std::chrono::seconds(15);     // a stream that was silent so long is written to
    Duration retry = std::chrono::milliseconds(1'000);  // that clients are to wait before they connect again

    // Of a turn; between two of them requests are served. What it writes is larger than what it reads, by envelopes and
    // ids.
    std::size_t turn_read_bytes = 128UL * 1024;    // of the log, by one stream that is behind
    std::size_t turn_written_bytes = 32UL * 1024;  // for one stream that is behind, and for those that are not
    std::size_t turn_writes_max = 128;             // to streams that are live; each costs a system call
    std::size_t read_bytes = 16UL * 1024;          // of one read of the log
};

// What add_event_routes() routes.
std::vector<RoutePattern> routes_of_events();

// What add_aggregate() routes for commands of these names, so that a collision can be found before anything runs: the
// state, the events, each command, and each command for which the server chooses the id.
std::vector<RoutePattern> routes_of_aggregate(std::string_view pattern, std::span<const CommandType> commands);

// Whether a projection's rows can be asked for by this pattern; invalid_argument says what is wrong.
Result<> check_projection_route(std::string_view pattern, const ProjectionModel& model);

class Gateway final : public http::Handler {
  public:
    // All borrowed.
    Gateway(const Env& env, log::EventLog& log, MetricRegistry& registry, Logger& logger, StreamOptions streams = {});
    ~Gateway() override;

    // Before the first request. Errors: see Router::add. The runtime is borrowed.
    Result<> add_aggregate(AggregateRoute route, AggregateRuntime& runtime);

    // Queries of the projection's first table. A parameter of a pattern is called as one of its columns:
    // invalid_argument otherwise. The runner is borrowed.
    Result<> add_projection(std::span<const std::string> patterns, ProjectionRunner& runner);

    // Of a model whose commands are its events, in the same order (leftfold::Inbox).
    void add_inbox(InboxRoute route, AggregateRuntime& runtime);

    // Behind the aggregates and inboxes: GET /events of all of them, and POST /events.
    Result<> add_event_routes();

    using Answer = std::move_only_function<http::Response(const http::Request&)>;
    // A plain route, such as /metrics.
    Result<> add_get(std::string_view pattern, Answer answer);

    void handle(const http::Request& request, http::Responder responder) override;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leftfold::gateway
