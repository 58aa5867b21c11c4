// serve: the services of an application behind HTTP, until a signal ends it.

#include <iterator>
#include <ostream>

#include <fmt/format.h>

#include "leftfold/env/real_env.hpp"
#include "leftfold/telemetry/log.hpp"

#include "commands.hpp"
#include "host.hpp"
#include "inspection.hpp"

namespace leftfold {

namespace {

struct ServeSettings {
    HostOptions host;
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    http::ServerOptions http;
    Duration stop_grace = std::chrono::seconds(10);
    LogLevel log_level = LogLevel::info;
    LogForm log_form = LogForm::automatic;
};

void declare_http_limits(http::ServerOptions& http, Configuration& configuration) {
    constexpr std::uint64_t kBodyBytesLeast = 1024;
    constexpr Duration kTimeoutLeast = std::chrono::milliseconds(1);
    configuration.add({.name = "http.body-size-max",
                       .value = Value::size_bytes(http.body_bytes_max, kBodyBytesLeast),
                       .help = "Largest body of a request; more is answered 413"});
    configuration.add({.name = "http.connections-max",
                       .value = Value::integer(http.connections_max, 1),
                       .help = "Connections at a time; what comes beyond is closed at once"});
    configuration.add({.name = "http.header-timeout",
                       .value = Value::duration(http.header_timeout, kTimeoutLeast),
                       .help = "How long a client may take to send the headers of a request"});
    configuration.add({.name = "http.body-timeout",
                       .value = Value::duration(http.body_timeout, kTimeoutLeast),
                       .help = "How long a client may take to send the body of a request"});
    configuration.add({.name = "http.idle-timeout",
                       .value = Value::duration(http.idle_timeout, kTimeoutLeast),
                       .help = "How long a connection is kept without a request"});
    configuration.add({.name = "http.write-timeout",
                       .value = Value::duration(http.write_timeout, kTimeoutLeast),
                       .help = "How long a client may take no byte of its answer; and a live stream, to make room"});
}

void declare_streams(gateway::StreamOptions& streams, Configuration& configuration) {
    constexpr Duration kLeast = std::chrono::milliseconds(1);
    configuration.add({.name = "http.streams-max",
                       .value = Value::integer(streams.streams_max, 1),
                       .help = "Live streams of events at a time; more are answered 503"});
    configuration.add({.name = "http.stream-keep-alive",
                       .value = Value::duration(streams.keep_alive, kLeast),
                       .help = "A live stream that was silent so long is written to, to keep it open"});
    configuration.add({.name = "http.stream-retry",
                       .value = Value::duration(streams.retry, kLeast),
                       .help = "How long clients of a live stream are told to wait before they connect again"});
}

void declare(ServeSettings& settings, CliCommand& command) {
    Configuration& configuration = command.configuration;
    configuration.add({.name = "data.directory",
                       .value = Value::text(settings.host.directory, "DIR"),
                       .help = "Where the events are kept; made where missing",
                       .aliases = {"--data"}});
    configuration.add({.name = "http.address",
                       .value = Value::text(settings.address, "ADDRESS"),
                       .help = "Address to listen on; beyond loopback only if you say so",
                       .aliases = {"--address"}});
    configuration.add({.name = "http.port",
                       .value = Value::integer(settings.port),
                       .help = "Port to listen on; 0 lets the system choose",
                       .aliases = {"--port"}});
    configuration.add({.name = "http.stop-grace",
                       .value = Value::duration(settings.stop_grace),
                       .help = "How long requests that have begun may take at a stop"});
    declare_http_limits(settings.http, configuration);
    declare_streams(settings.host.streams, configuration);
    configuration.add({.name = "aggregates.hot-max",
                       .value = Value::integer(settings.host.aggregates.hot_aggregates_max, 1),
                       .help = "Aggregates of a type whose state is kept in memory"});
    configuration.add({.name = "aggregates.commands-in-flight-max",
                       .value = Value::integer(settings.host.aggregates.commands_in_flight_max, 1),
                       .help = "Commands of one aggregate that may wait at a time; more are answered 429"});
    configuration.add({.name = "data.segment-size",
                       .value = Value::size_bytes(settings.host.segment_bytes, 64 * 1024),
                       .help = "Size at which a segment file is closed and the next one begun"});
    configuration.add({.name = "log.level",
                       .value = Value::choice(settings.log_level, {{"debug", LogLevel::debug},
                                                                   {"info", LogLevel::info},
                                                                   {"warning", LogLevel::warning},
                                                                   {"error", LogLevel::error}}),
                       .help = "Least important line that is logged"});
    configuration.add({.name = "log.form",
                       .value = Value::choice(
                           settings.log_form,
                           {{"auto", LogForm::automatic}, {"json", LogForm::json}, {"readable", LogForm::readable}}),
                       .help = "How log lines look; auto: readable on a terminal, else JSON"});
}

// The parts of a running process, in the order of their making; they end in the reverse order.
class Serving {
  public:
    Serving(const ApplicationParts& parts, const ServeSettings& settings)
        : parts_(parts),
          settings_(settings),
          sink_(make_standard_error_sink(settings.log_form)),
          logger_(real_.env().clock, *sink_, {.level = settings.log_level}) {}

    Result<int> run(Terminal& terminal) {
        LEFTFOLD_TRY(host, Host::open(real_.env(), parts_.name, parts_.services, settings_.host, registry_, logger_));
        host_ = std::move(host);
        LEFTFOLD_CHECK(add_operator_routes());
        inspection_ = std::make_unique<Inspection>(real_.env(), *host_);
        LEFTFOLD_TRY(control, http::Server::start(
                                  real_.env(),
                                  {.endpoint = UnixEndpoint{join_path(settings_.host.directory, kControlSocketName)}},
                                  *inspection_));
        control_server_ = std::move(control);
        http::ServerOptions options = settings_.http;
        options.endpoint = TcpEndpoint{settings_.address, settings_.port};
        LEFTFOLD_TRY(server, http::Server::start(real_.env(), std::move(options), host_->gateway()));
        server_ = std::move(server);
        const std::string endpoint = to_string(server_->endpoint());
        logger_.info("server-started", {{"application", parts_.name},
                                        {"endpoint", endpoint},
                                        {"data_directory", settings_.host.directory},
                                        {"loopback", is_loopback(server_->endpoint())}});
        terminal.out << fmt::format("{} serves http://{} (data in {}); stop with Ctrl-C\n", parts_.name, endpoint,
                                    settings_.host.directory)
                     << std::flush;
        real_.on_termination_signal([this](int signal) { stop(signal); });
        real_.run();
        logger_.info("server-stopped");
        return 0;
    }

  private:
    Result<> add_operator_routes() {
        gateway::Gateway& gateway = host_->gateway();
        LEFTFOLD_CHECK(gateway.add_get("/metrics", [this](const http::Request&) {
            update_metrics();
            return http::Response{.status = 200,
                                  .content_type = MetricRegistry::kContentType,
                                  .header_lines = {},
                                  .body = registry_.prometheus_text()};
        }));
        for (const PageDeclaration& page : parts_.pages)
            LEFTFOLD_CHECK(gateway.add_get(page.path, [&page](const http::Request&) { return page_response(page); }));
        LEFTFOLD_CHECK(
            gateway.add_get("/health/live", [](const http::Request&) { return http::text_response(200, "live\n"); }));
        return gateway.add_get("/health/ready", [this](const http::Request&) {
            return stopping_ ? http::text_response(503, "stopping\n") : http::text_response(200, "ready\n");
        });
    }

    static http::Response page_response(const PageDeclaration& page) {
        http::Response response{.status = 200, .content_type = "text/html; charset=utf-8", .body = page.html};
        response
            .add_header(
                "Content-Security-Policy",
                "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
                "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
            .add_header("X-Content-Type-Options", "nosniff")
            .add_header("Cache-Control", "no-cache");
        return response;
    }

    // Those that are read off when somebody asks.
    void update_metrics() {
        registry_.gauge("leftfold_http_connections", "Connections open now")
            .set(static_cast<std::int64_t>(server_->counters().connections));
        registry_
            .gauge("leftfold_http_bodies_cut", "Live streams cut off since the start: their clients read too slowly")
            .set(static_cast<std::int64_t>(server_->counters().bodies_cut));
        for (const HostedAggregate& aggregate : host_->aggregates()) {
            registry_
                .gauge("leftfold_aggregates_hot", "Aggregates whose state is in memory",
                       {{"aggregate", aggregate.name}})
                .set(static_cast<std::int64_t>(aggregate.runtime->statistics().hot));
            Counter& loads = registry_.counter("leftfold_aggregate_loads_total", "States that were read from the log",
                                               {{"aggregate", aggregate.name}});
            loads.add(aggregate.runtime->statistics().loads - loads.value());
            const auto& topic = host_->log().topics()[aggregate.topic.value()];
            for (std::uint32_t partition = 0; partition < topic.partition_count; ++partition)
                if (const auto bounds = host_->log().bounds({aggregate.topic, PartitionId(partition)}))
                    registry_
                        .gauge("leftfold_log_durable_end", "Position behind the last durable event",
                               {{"topic", topic.name}, {"partition", std::to_string(partition)}})
                        .set(bounds->durable_end.value());
        }
        update_projection_metrics();
    }

    void update_projection_metrics() {
        for (const HostedProjection& projection : host_->projections()) {
            const ProjectionStatus status = projection.runner->status();
            const ProjectionStatistics& statistics = projection.runner->statistics();
            const Labels labels = {{"projection", projection.name}};
            registry_.gauge("leftfold_projection_lag", "Events in the log that are not in the rows yet", labels)
                .set(status.live ? status.live->lag() : 0);
            registry_.gauge("leftfold_projection_stopped", "1: stopped before an event that cannot be folded", labels)
                .set(status.state == ProjectionState::stopped ? 1 : 0);
            registry_.gauge("leftfold_projection_served", "1: it answers queries", labels)
                .set(status.is_served ? 1 : 0);
            Counter& folded =
                registry_.counter("leftfold_projection_events_total", "Events folded, builds included", labels);
            folded.add(statistics.events_folded - folded.value());
            Counter& late = registry_.counter("leftfold_projection_waits_timed_out_total",
                                              "Queries that waited in vain for the position they named", labels);
            late.add(statistics.waits_timed_out - late.value());
        }
    }

    // Requests first, then the log, so that everything accepted is answered.
    void stop(int signal) {
        if (stopping_)
            return;
        stopping_ = true;
        logger_.info("server-stopping", {{"signal", signal}});
        server_->stop(settings_.stop_grace, [this] {
            control_server_->stop(std::chrono::milliseconds(100), [this] { host_->stop([this] { real_.stop(); }); });
        });
    }

    const ApplicationParts& parts_;
    const ServeSettings& settings_;
    RealEnv real_;
    std::unique_ptr<LogSink> sink_;
    Logger logger_;
    MetricRegistry registry_;
    bool stopping_ = false;
    std::unique_ptr<Host> host_;
    std::unique_ptr<Inspection> inspection_;
    std::unique_ptr<http::Server> control_server_;
    std::unique_ptr<http::Server> server_;
};

// What can be asked of the services, as the help shows it: each command with the shape of its body.
std::string routes_help(const ApplicationParts& parts) {
    std::string text;
    const auto row = [&text](std::string_view method, const std::string& pattern, std::string_view what) {
        fmt::format_to(std::back_inserter(text), "  {:<4} {:<32} {}\n", method, pattern, what);
    };
    for (const Service& service : parts.services) {
        for (const AggregateDeclaration& aggregate : service.aggregates()) {
            if (aggregate.is_inbox)
                continue;
            const auto model = aggregate.make_model(parts.name, aggregate.name);
            for (const CommandType& command : model->routed_commands())
                row("POST", fmt::format("{}/{}", aggregate.route, command.name), command.shape);
            row("GET", aggregate.route, "the state; ?at_version=, ?at_time=, ?recorded_at= for an earlier one");
            row("GET", aggregate.route + "/events",
                "how it came about, in pages; ?from=, ?limit=; or live, if asked for text/event-stream");
        }
        for (const ProjectionDeclaration& projection : service.projections()) {
            const auto model = projection.make_model(parts.name, projection.name);
            for (const std::string& route : projection.routes)
                row("GET", route, fmt::format("rows of {}, by its key or by parameters", model->name()));
        }
    }
    for (const PageDeclaration& page : parts.pages)
        row("GET", page.path, "a page for the browser");
    row("GET", "/events", "what happens, live; ?topic=, ?aggregate=, ?type=, ?key=, ?from=now|start|TOKEN");
    std::string accepted;
    for (const Service& service : parts.services)
        for (const AggregateDeclaration& inbox : service.aggregates())
            if (inbox.is_inbox)
                for (const EventType& type : inbox.make_model(parts.name, inbox.name)->events())
                    accepted += (accepted.empty() ? "" : ", ") + type.name;
    if (!accepted.empty())
        row("POST", "/events", "events from others, as CloudEvents: " + accepted);
    row("GET", "/metrics", "for Prometheus");
    row("GET", "/health/live, /health/ready", "for who restarts it or sends it requests");
    return text;
}

}  // namespace

CliCommand serve_command(const ApplicationParts& parts) {
    return make_cli_command<ServeSettings>(
        {.name = "serve",
         .summary = "Serve over HTTP",
         .help = "Routes, each command with what its body holds:\n\n" + routes_help(parts) +
                 "\nIdempotency-Key: ID makes a command safe to send again; If-Match: \"VERSION\" refuses it if "
                 "somebody was "
                 "faster. A command is answered when its events are on disk: after a crash, the next start goes on "
                 "where the "
                 "last answer was. Ctrl-C or SIGTERM answers what has begun, and ends.\n\n"
                 "One process holds a data directory at a time; `events`, `replay` and `log` work beside it.",
         .examples = {{"serve", "on 127.0.0.1:8080, data in " + parts.default_directory()},
                      {"serve --data /var/lib/" + parts.name + " --port 9000", "somewhere else"},
                      {"serve --print-config > " + parts.name + ".toml",
                       "every setting as a file, to change and to give back with --config"}}},
        [&parts](ServeSettings& settings, CliCommand& command) {
            settings.host.directory = parts.default_directory();
            declare(settings, command);
        },
        [&parts](ServeSettings& settings, Terminal& terminal) -> Result<int> {
            return Serving(parts, settings).run(terminal);
        });
}

}  // namespace leftfold
