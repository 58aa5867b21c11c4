#include "inspection.hpp"

#include <map>
#include <optional>

#include <fmt/format.h>

#include "leftfold/event/cloud_event.hpp"
#include "leftfold/http/url.hpp"
#include "leftfold/log/position_token.hpp"

#include "inspection_query.hpp"
#include "process_inspection.hpp"
#include "projection_inspection.hpp"

namespace leftfold {

namespace {

constexpr std::string_view kJsonLines = "application/jsonl";
constexpr std::int64_t kLimitDefault = 1000;
constexpr std::int64_t kLimitMax = 10'000;
constexpr std::int64_t kWaitMsMax = 30'000;
constexpr std::size_t kBodyBytesMax = 4 * 1024 * 1024;
constexpr int kReadsMax =
    64;  // of the log, for one answer: a question for few events gets those of a part, and asks on

}  // namespace

class Inspection::Impl {
  public:
    Impl(const Env& env, Host& host) : env_(env), host_(host) {
        watch_ = host.log().watch([this](log::Slot, Position) { wake(); });
    }
    ~Impl() {
        host_.log().unwatch(watch_);
        for (const auto& [id, waiting] : waiting_)
            env_.scheduler.cancel(waiting.timer);
    }

    void events(std::string_view text, http::Responder responder);
    Result<http::Response> replay(std::string_view text);
    http::Response log();

    void projections(const http::Request& request, http::Responder responder) {
        projections_.handle(request, std::move(responder));
    }

    http::Response processes(const http::Request& request) { return ProcessInspection(host_).handle(request); }

  private:
    struct EventsQuery {
        TopicId topic;
        log::PositionToken position;
        std::int64_t limit = kLimitDefault;
        std::int64_t wait_ms = 0;
        std::string correlation = {};  // only events with this id; empty: all
    };
    // A request for events that has found none so far.
    struct Waiting {
        EventsQuery query;
        http::Responder responder;
        TimerId timer;
    };

    Result<EventsQuery> parse_events(std::string_view text);
    Result<TopicId> find_topic(std::string_view name);
    Result<std::pair<http::Response, bool>> read_events(const EventsQuery& query);
    void wake();
    void give_up(std::uint64_t id);

    Env env_;
    Host& host_;
    ProjectionInspection projections_{env_, host_};
    log::EventLog::WatchId watch_;
    std::map<std::uint64_t, Waiting> waiting_;
    std::uint64_t next_waiting_ = 0;
};

Result<TopicId> Inspection::Impl::find_topic(std::string_view name) {
    const auto topics = host_.log().topics();
    std::string known;
    for (std::size_t i = 0; i < topics.size(); ++i) {
        if (topics[i].name == name)
            return TopicId(static_cast<std::uint32_t>(i));
        known += (known.empty() ? "" : ", ") + topics[i].name;
    }
    return fail(ErrorCode::not_found, fmt::format("there is no topic '{}'; there are {}", name, known));
}

Result<Inspection::Impl::EventsQuery> Inspection::Impl::parse_events(std::string_view text) {
    LEFTFOLD_TRY(query, InspectionQuery::parse(text, {"topic", "position", "limit", "wait-ms", "correlation"}));
    LEFTFOLD_TRY(topic, find_topic(query.text("topic")));
    LEFTFOLD_TRY(limit, query.number("limit", kLimitDefault, kLimitMax));
    LEFTFOLD_TRY(wait_ms, query.number("wait-ms", 0, kWaitMsMax));
    log::PositionToken position(host_.log().incarnation());
    if (const std::string_view given = query.text("position"); !given.empty()) {
        LEFTFOLD_TRY(parsed, log::PositionToken::parse(given));
        LEFTFOLD_CHECK(position.merge(parsed));
    }
    return EventsQuery{topic, std::move(position), limit, wait_ms, std::string(query.text("correlation"))};
}

// The answer, and whether it holds any event.
Result<std::pair<http::Response, bool>> Inspection::Impl::read_events(const EventsQuery& query) {
    const log::TopicDeclaration& topic = host_.log().topics()[query.topic.value()];
    const log::TopicHash hash = log::topic_hash(topic.name);
    std::string source = "/" + topic.name;
    for (const HostedAggregate& aggregate : host_.aggregates())
        if (aggregate.topic == query.topic)
            source = fmt::format("/{}/{}", topic.name.substr(0, topic.name.find('.')), aggregate.name);
    http::Response response{.status = 200, .content_type = kJsonLines, .header_lines = {}, .body = {}};
    log::PositionToken next = query.position;
    std::int64_t left = query.limit;
    int turns_left = kReadsMax;
    for (std::uint32_t i = 0; i < topic.partition_count; ++i) {
        const PartitionId partition(i);
        const auto entry = query.position.entries().find({hash, partition});
        Position position = entry == query.position.entries().end() ? Position(0) : entry->second;
        while (left > 0 && response.body.size() < kBodyBytesMax && turns_left > 0) {
            LEFTFOLD_TRY(batch, host_.log().read({query.topic, partition}, position));
            --turns_left;
            if (batch.records().empty())
                break;
            for (const Record& record : batch.records()) {
                if (left == 0)
                    break;
                if (!query.correlation.empty() && record.meta.correlation_id != query.correlation) {
                    position = record.position.next();
                    continue;
                }
                fmt::format_to(std::back_inserter(response.body),
                               R"({{"topic":"{}","partition":{},"position":{},"event":)", topic.name, i,
                               record.position.value());
                write_cloud_event(response.body, record, source);
                response.body += "}\n";
                position = record.position.next();
                --left;
            }
        }
        next.advance(hash, partition, position);
    }
    response.add_header("Leftfold-Position", next.to_string());
    const bool any = !response.body.empty();
    return std::pair(std::move(response), any);
}

void Inspection::Impl::events(std::string_view text, http::Responder responder) {
    auto query = parse_events(text);
    auto answer = query ? read_events(*query) : std::unexpected(query.error());
    if (!answer) {
        responder.send(inspection_problem(answer.error()));
        return;
    }
    if (answer->second || query->wait_ms == 0) {
        responder.send(std::move(answer->first));
        return;
    }
    const std::uint64_t id = next_waiting_++;
    const TimerId timer =
        env_.scheduler.call_after(std::chrono::milliseconds(query->wait_ms), [this, id] { give_up(id); });
    waiting_.emplace(id, Waiting{std::move(*query), std::move(responder), timer});
}

void Inspection::Impl::wake() {
    for (auto each = waiting_.begin(); each != waiting_.end();) {
        auto answer = read_events(each->second.query);
        if (answer && !answer->second) {
            ++each;
            continue;
        }
        env_.scheduler.cancel(each->second.timer);
        each->second.responder.send(answer ? std::move(answer->first) : inspection_problem(answer.error()));
        each = waiting_.erase(each);
    }
}

void Inspection::Impl::give_up(std::uint64_t id) {
    const auto found = waiting_.find(id);
    if (found == waiting_.end())
        return;
    auto answer = read_events(found->second.query);
    found->second.responder.send(answer ? std::move(answer->first) : inspection_problem(answer.error()));
    waiting_.erase(found);
}

Result<http::Response> Inspection::Impl::replay(std::string_view text) {
    LEFTFOLD_TRY(query, InspectionQuery::parse(text, {"aggregate", "id", "from", "limit"}));
    LEFTFOLD_TRY(from, query.number("from", 1, INT64_MAX));
    LEFTFOLD_TRY(limit, query.number("limit", kLimitDefault, kLimitMax));
    const HostedAggregate* aggregate = nullptr;
    std::string known;
    for (const HostedAggregate& one : host_.aggregates()) {
        known += (known.empty() ? "" : ", ") + one.name;
        if (one.name == query.text("aggregate"))
            aggregate = &one;
    }
    if (aggregate == nullptr)
        return fail(ErrorCode::not_found,
                    fmt::format("there is no aggregate '{}'; there are {}", query.text("aggregate"), known));

    const std::string_view key = query.text("id");
    const log::Slot slot = aggregate->runtime->slot_of(key);
    LEFTFOLD_TRY(head, host_.log().stream_head(slot, key));
    if (head.version == Version(0))
        return fail(ErrorCode::not_found, fmt::format("there is no {} '{}'", aggregate->name, key));

    http::Response response{.status = 200, .content_type = kJsonLines, .header_lines = {}, .body = {}};
    const auto state = aggregate->model->initial();
    Version version;
    while (limit > 0 && response.body.size() < kBodyBytesMax) {
        LEFTFOLD_TRY(batch, host_.log().read_stream(slot, key, version.next()));
        if (batch.records().empty())
            break;
        for (const Record& record : batch.records()) {
            LEFTFOLD_CHECK(state->apply(record));
            version = record.meta.version;
            if (version.value() < from)
                continue;
            fmt::format_to(std::back_inserter(response.body),
                           R"({{"version":{},"type":"{}","time":"{}","recorded_at":"{}","data":{},"state":)",
                           version.value(), record.meta.type, to_rfc3339(record.meta.time),
                           to_rfc3339(record.meta.recorded_at), record.payload);
            state->write_state(response.body);
            response.body += "}\n";
            if (--limit == 0)
                break;
        }
    }
    if (version < head.version)
        response.add_header("Leftfold-Next", std::to_string(version.value() + 1));
    return response;
}

http::Response Inspection::Impl::log() {
    std::string body = fmt::format(R"({{"incarnation":"{}","topics":[)", host_.log().incarnation().to_string());
    const auto topics = host_.log().topics();
    for (std::size_t i = 0; i < topics.size(); ++i) {
        fmt::format_to(std::back_inserter(body), R"({}{{"name":"{}","partitions":[)", i == 0 ? "" : ",",
                       topics[i].name);
        for (std::uint32_t partition = 0; partition < topics[i].partition_count; ++partition) {
            const auto bounds = host_.log().bounds({TopicId(static_cast<std::uint32_t>(i)), PartitionId(partition)});
            if (bounds)
                fmt::format_to(std::back_inserter(body), R"({}{{"start":{},"end":{}}})", partition == 0 ? "" : ",",
                               bounds->start.value(), bounds->durable_end.value());
        }
        body += "]}";
    }
    body += "]}\n";
    return http::json_response(200, std::move(body));
}

Inspection::Inspection(const Env& env, Host& host) : impl_(std::make_unique<Impl>(env, host)) {}
Inspection::~Inspection() = default;

void Inspection::handle(const http::Request& request, http::Responder responder) {
    if (request.path == "/projections" || request.path.starts_with("/projections/")) {
        impl_->projections(request, std::move(responder));
    } else if (request.method != http::Method::get) {
        responder.send(inspection_problem(Error(ErrorCode::invalid_argument, "this is only asked, by GET")));
    } else if (request.path == "/processes" || request.path.starts_with("/processes/")) {
        responder.send(impl_->processes(request));
    } else if (request.path == "/events") {
        impl_->events(request.query, std::move(responder));
    } else if (request.path == "/replay") {
        auto response = impl_->replay(request.query);
        responder.send(response ? std::move(*response) : inspection_problem(response.error()));
    } else if (request.path == "/log") {
        responder.send(impl_->log());
    } else {
        responder.send(inspection_problem(
            Error(ErrorCode::not_found, "known are /events, /replay, /log, /projections and /processes")));
    }
}

}  // namespace leftfold
