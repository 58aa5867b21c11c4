#include "event_intake.hpp"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/event/json_writer.hpp"
#include "leftfold/http/problem.hpp"

#include "problems.hpp"

namespace leftfold::gateway {

namespace {

// `path` as in the JSON form of the event, whatever form it came in.
http::Response malformed_event(std::string_view path, std::string_view problem) {
    std::string errors = "[{\"path\":";
    http::append_json_string(errors, path);
    errors += ",\"problem\":";
    http::append_json_string(errors, problem);
    errors += "}]";
    return http::Problem(400, "malformed-event", "The body holds no such event")
        .detail(path.empty() ? std::string(problem) : fmt::format("{}: {}", path, problem))
        .json_member("errors", errors)
        .response();
}

std::optional<std::int64_t> number_of(const CloudEvent::ExtensionValue& value) {
    if (const auto* number = std::get_if<std::int32_t>(&value))
        return *number;
    const auto* text = std::get_if<std::string>(&value);  // all that the binary mode knows
    std::int64_t number = 0;
    if (text == nullptr)
        return std::nullopt;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    return error == std::errc() && end == text->data() + text->size() ? std::optional(number) : std::nullopt;
}

http::Response refusal_of(CommandReply reply, std::string_view problem_scope) {
    if (const auto* malformed = std::get_if<CommandMalformed>(&reply.outcome))
        return malformed_event("/data" + malformed->error.path, malformed->error.problem);
    if (const auto* failed = std::get_if<CommandFailed>(&reply.outcome))
        return problem_of(failed->error);
    if (const auto* rejected = std::get_if<CommandRejected>(&reply.outcome))
        return problem_of(*rejected, problem_scope);
    if (const auto* conflict = std::get_if<CommandConflict>(&reply.outcome))
        return problem_of(*conflict);
    return http::Problem(422, "event-id-reused", "This source and id came before with another event")
        .detail("source and id together stand for one event with one content")
        .response();
}

}  // namespace

void EventIntake::add(AggregateRoutes& inbox) {
    const AggregateModel& model = inbox.runtime().model();
    LEFTFOLD_ASSERT(model.events().size() == model.commands().size());
    for (std::size_t i = 0; i < model.events().size(); ++i)
        types_.emplace(model.events()[i].name, Type{&inbox, i, model.events()[i].version});
}

void EventIntake::post(const http::Request& request, http::Responder responder) {
    if (auto same = same_origin(request); !same) {
        responder.send(std::move(same).error());
        return;
    }
    auto posted = read_posted_events(request, reader_);
    if (!posted) {
        responder.send(std::move(posted).error());
        return;
    }
    const std::uint64_t number = next_post_++;
    Post& post = posts_
                     .emplace(number, Post{.responder = std::move(responder),
                                           .outcomes = std::vector<Outcome>(posted->events.size()),
                                           .waiting = 1,  // until all have been handed over
                                           .position = log::PositionToken(log_.incarnation()),
                                           .is_batch = posted->is_batch})
                     .first->second;
    for (std::size_t i = 0; i < posted->events.size(); ++i) {
        Outcome& outcome = post.outcomes[i];
        const Result<CloudEvent>& event = posted->events[i];
        if (!event) {
            outcome.refusal = malformed_event("", event.error().message());
            continue;
        }
        outcome.source = event->attributes().source;
        outcome.id = event->attributes().id;
        outcome.subject = event->attributes().subject.value_or("");
        if (auto delivery = delivery_of(*event, request))
            deliver(number, i, *delivery);
        else
            outcome.refusal = std::move(delivery).error();
    }
    finish(number);
}

OrResponse<const EventIntake::Type*> EventIntake::type_of(const CloudEvent& event) const {
    const auto found = types_.find(event.attributes().type);
    if (found == types_.end()) {
        std::string declared;
        for (const auto& [name, type] : types_) {
            declared += declared.empty() ? "[" : ",";
            http::append_json_string(declared, name);
        }
        return std::unexpected(http::Problem(400, "unknown-event-type", "No inbox takes events of this type")
                                   .detail(fmt::format("there is no type '{}'", event.attributes().type))
                                   .json_member("declared", declared + "]")
                                   .response());
    }
    if (const auto* version = event.extension("typeversion"); version != nullptr)
        if (number_of(*version) != std::int64_t{found->second.version})
            return std::unexpected(malformed_event(
                "/typeversion", fmt::format("expected {}, the one that is declared; or none", found->second.version)));
    return &found->second;
}

OrResponse<EventIntake::Delivery> EventIntake::delivery_of(const CloudEvent& event,
                                                           const http::Request& request) const {
    const CloudEvent::Attributes& attributes = event.attributes();
    auto type = type_of(event);
    if (!type)
        return std::unexpected(std::move(type).error());
    Delivery delivery;
    delivery.inbox = (*type)->inbox;
    delivery.command = (*type)->command;
    if (!attributes.subject || !is_valid_key(*attributes.subject))
        return std::unexpected(malformed_event(
            "/subject", "expected what the event is about: 1 to 200 bytes of UTF-8 without control characters"));
    delivery.key = *attributes.subject;
    delivery.command_id = fmt::format("{} {}", attributes.source, attributes.id);  // a source holds no space
    if (delivery.command_id.size() > kEventIdBytesMax)
        return std::unexpected(
            malformed_event("/id", fmt::format("source and id have {} bytes together; at most {} are taken",
                                               delivery.command_id.size() - 1, kEventIdBytesMax - 1)));
    if (std::holds_alternative<CloudEvent::Binary>(attributes.data))
        return std::unexpected(malformed_event("/data_base64", "expected JSON, as \"data\""));
    const auto* data = std::get_if<CloudEvent::Json>(&attributes.data);
    delivery.json = data == nullptr ? "{}" : data->text;
    if (attributes.time && !request.on_loopback)
        return std::unexpected(
            http::Problem(403, "time-not-trusted", "A time is taken from trusted sources only")
                .detail("the time of an event is accepted on a loopback listener only; leave it out, "
                        "and the event happened when it came")
                .response());
    delivery.time = attributes.time;
    if (auto traced = add_tracing(delivery, event, request); !traced)
        return std::unexpected(std::move(traced).error());
    return delivery;
}

// What the event says itself goes before what the request says.
OrResponse<void> EventIntake::add_tracing(Delivery& delivery, const CloudEvent& event,
                                          const http::Request& request) const {
    const auto text_of_extension = [&event](std::string_view name) {
        const auto* value = event.extension(name);
        const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
        return text == nullptr ? std::string() : *text;
    };
    for (const auto& [name, to] :
         {std::pair("correlationid", &delivery.correlation_id), std::pair("causationid", &delivery.causation_id)}) {
        *to = text_of_extension(name);
        if (to->size() > kEventIdBytesMax)
            return std::unexpected(
                malformed_event(fmt::format("/{}", name), fmt::format("expected at most {} bytes", kEventIdBytesMax)));
    }
    if (delivery.correlation_id.empty()) {
        auto correlation_id = correlation_id_of(request);
        if (!correlation_id)
            return std::unexpected(std::move(correlation_id).error());
        delivery.correlation_id = *correlation_id;
    }
    const std::string traceparent = text_of_extension("traceparent");
    delivery.traceparent = is_traceparent(traceparent) ? traceparent : std::string(traceparent_of(request));
    return {};
}

void EventIntake::deliver(std::uint64_t post, std::size_t index, const Delivery& delivery) {
    ++posts_.at(post).waiting;
    const CommandRequest request{.key = delivery.key,
                                 .command = delivery.command,
                                 .json = delivery.json,
                                 .command_id = delivery.command_id,
                                 .expected = log::ExpectedVersion::any(),
                                 .time = delivery.time,
                                 .correlation_id = delivery.correlation_id,
                                 .causation_id = delivery.causation_id,
                                 .traceparent = delivery.traceparent,
                                 .actor = {},
                                 .tenant = {}};
    delivery.inbox->handle(request, [this, post, index, inbox = delivery.inbox](CommandReply reply) {
        answered(post, index, *inbox, std::move(reply));
    });
}

void EventIntake::answered(std::uint64_t number, std::size_t index, const AggregateRoutes& inbox, CommandReply reply) {
    Post& post = posts_.at(number);
    Outcome& outcome = post.outcomes[index];
    if (reply.position > Position(0))
        post.position.advance(inbox.topic_hash(), reply.slot.partition, reply.position);
    outcome.repeated = reply.repeated;
    if (const auto* accepted = std::get_if<CommandAccepted>(&reply.outcome))
        outcome.version = accepted->version;
    else
        outcome.refusal = refusal_of(std::move(reply), inbox.route().problem_scope);
    finish(number);
}

// Once for each event on its way, and once when all are; the last one answers.
void EventIntake::finish(std::uint64_t number) {
    const auto found = posts_.find(number);
    if (--found->second.waiting > 0)
        return;
    Post post = std::move(found->second);
    posts_.erase(found);

    bool all_taken = true;
    bool repeated = !post.outcomes.empty();
    std::string body = "[";
    for (Outcome& outcome : post.outcomes) {
        if (body.size() > 1)
            body.push_back(',');
        body += "{\"source\":";
        http::append_json_string(body, outcome.source);
        body += ",\"id\":";
        http::append_json_string(body, outcome.id);
        if (!outcome.subject.empty()) {
            body += ",\"subject\":";
            http::append_json_string(body, outcome.subject);
        }
        repeated = repeated && outcome.repeated;
        all_taken = all_taken && !outcome.refusal;
        if (post.is_batch)
            fmt::format_to(std::back_inserter(body), ",\"status\":{}", outcome.refusal ? outcome.refusal->status : 200);
        if (outcome.refusal)
            body += ",\"problem\":" + outcome.refusal->body + "}";
        else
            fmt::format_to(std::back_inserter(body), ",\"version\":{}}}", outcome.version.value());
    }
    body.push_back(']');

    http::Response response;
    if (post.is_batch)
        response = http::json_response(all_taken ? 200 : 207, std::move(body));
    else if (all_taken)
        response = http::json_response(200, body.substr(1, body.size() - 2));
    else
        response = std::move(*post.outcomes.front().refusal);
    if (!post.position.entries().empty())
        response.add_header("Leftfold-Position", post.position.to_string());
    if (repeated)
        response.header_lines += "Idempotent-Replayed: true\r\n";
    post.responder.send(std::move(response));
}

}  // namespace leftfold::gateway
