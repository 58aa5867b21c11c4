#include "aggregate_routes.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "leftfold/event/cloud_event.hpp"
#include "leftfold/event/payload_hash.hpp"
#include "leftfold/http/url.hpp"

#include "problems.hpp"
#include "request_fields.hpp"

namespace leftfold::gateway {

namespace {

std::string object_of(std::string_view key, std::string_view members, Version version) {
    std::string body = "{\"id\":";
    body.reserve(key.size() + members.size() + 40);
    http::append_json_string(body, key);
    if (!members.empty()) {
        body.push_back(',');
        body.append(members);
    }
    const fmt::format_int digits(version.value());
    body.append(",\"version\":").append(digits.data(), digits.size()).push_back('}');
    return body;
}

// If-None-Match on a read (RFC 9110 §13.1.2): a list of entity tags, of which any may be weak, or *.
bool client_has(std::string_view if_none_match, Version version) {
    if (if_none_match == "*")
        return true;
    const std::string current = fmt::format("\"{}\"", version.value());
    while (!if_none_match.empty()) {
        std::string_view tag = if_none_match.substr(0, if_none_match.find(','));
        if_none_match.remove_prefix(std::min(if_none_match.size(), tag.size() + 1));
        tag.remove_prefix(std::min(tag.size(), tag.find_first_not_of(" \t")));
        tag = tag.substr(0, tag.find_last_not_of(" \t") + 1);
        if (tag.starts_with("W/"))
            tag.remove_prefix(2);
        if (tag == current)
            return true;
    }
    return false;
}

Counter& command_counter(MetricRegistry& registry, const std::string& aggregate, const char* outcome) {
    return registry.counter("leftfold_commands_total", "Commands answered, by how they ended",
                            {{"aggregate", aggregate}, {"outcome", outcome}});
}

}  // namespace

std::string_view collection_of(std::string_view pattern) noexcept {
    return pattern.ends_with('}') ? pattern.substr(0, pattern.find("/{")) : std::string_view();
}

AggregateRoutes::Outcomes::Outcomes(MetricRegistry& registry, const std::string& aggregate)
    : accepted(command_counter(registry, aggregate, "accepted")),
      rejected(command_counter(registry, aggregate, "rejected")),
      conflict(command_counter(registry, aggregate, "conflict")),
      id_reused(command_counter(registry, aggregate, "id-reused")),
      malformed(command_counter(registry, aggregate, "malformed")),
      failed(command_counter(registry, aggregate, "failed")),
      repeated(command_counter(registry, aggregate, "repeated")) {}

Counter& AggregateRoutes::Outcomes::of(const CommandReply& reply) noexcept {
    if (reply.repeated)
        return repeated;
    // In the order of CommandReply's variant: accepted, rejected, conflict, id reused, malformed, failed.
    Counter* const by_index[] = {&accepted, &rejected, &conflict, &id_reused, &malformed, &failed};
    static_assert(std::size(by_index) == std::variant_size_v<decltype(CommandReply::outcome)>);
    return *by_index[reply.outcome.index()];
}

AggregateRoutes::AggregateRoutes(const Env& env, log::EventLog& log, AggregateRoute route, AggregateRuntime& runtime,
                                 LiveStreams& streams, MetricRegistry& registry, Logger& logger)
    : env_(env),
      log_(log),
      route_(std::move(route)),
      runtime_(runtime),
      streams_(streams),
      outcomes_(registry, runtime.model().name()),
      command_seconds_(registry.histogram("leftfold_command_duration_seconds",
                                          "From the request's end to its answer, durable",
                                          {{"aggregate", runtime.model().name()}})),
      logger_(logger) {
    const log::TopicDeclaration& topic = log.topics()[runtime.slot_of("").topic.value()];
    topic_hash_ = log::topic_hash(topic.name);
    partition_count_ = topic.partition_count;
}

std::string AggregateRoutes::path_of(std::string_view key) const {
    const std::string_view pattern = route_.pattern;
    const std::size_t begin = pattern.find('{');
    return fmt::format("{}{}{}", pattern.substr(0, begin), http::percent_encode(key),
                       pattern.substr(pattern.find('}', begin) + 1));
}

// A repeat under the same Idempotency-Key must find the aggregate that the first made, so the id is derived from it.
std::string AggregateRoutes::choose_key(std::string_view command_id) {
    if (command_id.empty())
        return Uuid::v7(env_.clock.now(), env_.random.next(), env_.random.next()).to_string();
    PayloadHash hash = payload_hash(route_.problem_scope, command_id);
    hash[6] = static_cast<std::uint8_t>(0x80 | (hash[6] & 0x0F));  // version 8, RFC 9562 §5.8
    hash[8] = static_cast<std::uint8_t>(0x80 | (hash[8] & 0x3F));
    return Uuid(hash).to_string();
}

void AggregateRoutes::command(std::size_t command, std::string_view key, const http::Request& request,
                              http::Responder responder) {
    auto command_request = command_request_of(request);
    if (!command_request) {
        responder.send(std::move(command_request).error());
        return;
    }
    const bool choose = key.empty();
    const std::string answer_key = choose ? choose_key(command_request->command_id) : std::string(key);
    command_request->key = answer_key;
    command_request->command = command;
    runtime_.handle(*command_request, [this, answer_key, choose, begun = env_.clock.monotonic(),
                                       responder = std::move(responder)](CommandReply reply) mutable {
        note(reply, begun);
        responder.send(response_of(std::move(reply), answer_key, choose));
    });
}

void AggregateRoutes::handle(const CommandRequest& request, CommandDone done) {
    runtime_.handle(request,
                    [this, begun = env_.clock.monotonic(), done = std::move(done)](CommandReply reply) mutable {
                        note(reply, begun);
                        done(std::move(reply));
                    });
}

void AggregateRoutes::note(const CommandReply& reply, MonotonicTime begun) {
    outcomes_.of(reply).add();
    command_seconds_.observe(env_.clock.monotonic() - begun);
    if (const auto* failed = std::get_if<CommandFailed>(&reply.outcome))
        log_failure(failed->error);
}

http::Response AggregateRoutes::response_of(CommandReply reply, std::string_view key, bool key_chosen) const {
    http::Response response;
    if (const auto* accepted = std::get_if<CommandAccepted>(&reply.outcome)) {
        response = http::json_response(accepted->created ? 201 : 200, object_of(key, {}, accepted->version));
        add_etag(response, accepted->version);
        if (accepted->created || key_chosen)
            response.add_header("Location", path_of(key));
    } else if (const auto* rejected = std::get_if<CommandRejected>(&reply.outcome)) {
        response = problem_of(*rejected, route_.problem_scope);
    } else if (const auto* conflict = std::get_if<CommandConflict>(&reply.outcome)) {
        response = problem_of(*conflict);
    } else if (const auto* malformed = std::get_if<CommandMalformed>(&reply.outcome)) {
        return problem_of(*malformed);
    } else if (const auto* failed = std::get_if<CommandFailed>(&reply.outcome)) {
        return problem_of(failed->error);
    } else {
        response = problem_of(CommandIdReused{});
    }
    add_position(response, reply.slot, reply.position);
    if (reply.repeated)
        response.header_lines += "Idempotent-Replayed: true\r\n";
    return response;
}

void AggregateRoutes::log_failure(const Error& error) const {
    switch (error.code()) {
        case ErrorCode::unavailable:
            // Overload and a stop pass by themselves, and say that they may be retried.
            if (error.retryable())
                return;
            break;
        case ErrorCode::no_space:
        case ErrorCode::read_only:
        case ErrorCode::io:
        case ErrorCode::corrupt:
        case ErrorCode::user_code:
            break;
        default:
            return;
    }
    logger_.error("command-failed", {{"aggregate", runtime_.model().name()}, {"error", error}});
}

void AggregateRoutes::add_position(http::Response& response, log::Slot slot, Position position) const {
    response.header_lines += "Leftfold-Position: ";
    response.header_lines += log::make_position_token(log_.incarnation(), topic_hash_, slot.partition, position);
    response.header_lines += "\r\n";
}

std::optional<http::Response> AggregateRoutes::refuse_position(const http::Request& request) const {
    auto positions = positions_of(request, log_.incarnation());
    if (!positions)
        return std::move(positions).error();
    if (!*positions)
        return std::nullopt;
    // This process owns every partition and answers from all that is durable: there is nothing to wait for.
    for (const auto& [slot, position] : (*positions)->entries()) {
        if (slot.first != topic_hash_)
            continue;
        const bool known = slot.second.value() < partition_count_;
        const auto bounds = known ? log_.bounds({runtime_.slot_of("").topic, slot.second})
                                  : Result<log::SlotBounds>(fail(ErrorCode::not_found, "no such partition"));
        if (!bounds || position > bounds->durable_end)
            return http::Problem(409, "position-beyond-end", "The position is beyond the end of the log")
                .detail("Leftfold-Position names events that this log does not have")
                .response();
    }
    return std::nullopt;
}

void AggregateRoutes::state(std::string_view key, const http::Request& request, http::Responder responder) {
    if (auto refused = refuse_position(request)) {
        responder.send(std::move(*refused));
        return;
    }
    auto as_of = as_of_query(request.query);
    if (!as_of) {
        responder.send(std::move(as_of).error());
        return;
    }
    const bool current = std::holds_alternative<std::monostate>(*as_of);
    std::string if_none_match(current ? request.header("If-None-Match").value_or("") : "");
    runtime_.read(key, *as_of,
                  [this, current, owned_key = std::string(key), if_none_match = std::move(if_none_match),
                   responder = std::move(responder)](Result<StateReply> reply) mutable {
                      if (!reply) {
                          responder.send(problem_of(reply.error()));
                          return;
                      }
                      http::Response response;
                      if (current && client_has(if_none_match, reply->version))
                          response.status = 304;
                      else
                          response = http::json_response(200, object_of(owned_key, reply->members, reply->version));
                      if (current)
                          add_etag(response, reply->version);
                      add_position(response, reply->slot, reply->position);
                      responder.send(std::move(response));
                  });
}

void AggregateRoutes::events(std::string_view key, const http::Request& request, http::Responder responder) {
    if (auto refused = refuse_position(request)) {
        responder.send(std::move(*refused));
        return;
    }
    if (wants_event_stream(request)) {
        streams_.open_one(runtime_.slot_of(key).topic, key, request, std::move(responder));
        return;
    }
    auto page = events_page_query(request.query);
    if (!page) {
        responder.send(std::move(page).error());
        return;
    }
    auto response = page_of_events(key, *page);
    responder.send(response ? std::move(*response) : problem_of(response.error()));
}

// Of what is durable only: whether the stream goes on behind the page, and whether it is there at all, included.
Result<http::Response> AggregateRoutes::page_of_events(std::string_view key, const EventsPage& page) const {
    const log::Slot slot = runtime_.slot_of(key);
    std::string body = "[";
    Version next = page.from;
    bool more = false;
    for (std::int64_t left = page.limit; !more;) {
        LEFTFOLD_TRY(batch, log_.read_stream(slot, key, next));
        if (batch.records().empty())
            break;
        for (const Record& record : batch.records()) {
            more = left-- == 0 || body.size() >= kEventsPageBytesMax;
            if (more)
                break;
            if (body.size() > 1)
                body.push_back(',');
            write_cloud_event(body, record, route_.event_source);
            next = record.meta.version.next();
        }
    }
    body.push_back(']');
    if (next == page.from) {
        LEFTFOLD_TRY(first, log_.read_stream(slot, key, Version(1), 1));
        if (first.records().empty())
            return fail(ErrorCode::not_found, fmt::format("there is no {} '{}'", runtime_.model().name(), key));
    }
    LEFTFOLD_TRY(bounds, log_.bounds(slot));
    http::Response response{
        .status = 200, .content_type = CloudEvent::kBatchMediaType, .header_lines = {}, .body = std::move(body)};
    if (more)
        response.add_header(
            "Link", fmt::format("<{}/events?from={}&limit={}>; rel=\"next\"", path_of(key), next.value(), page.limit));
    add_position(response, slot, bounds.durable_end);
    return response;
}

}  // namespace leftfold::gateway
