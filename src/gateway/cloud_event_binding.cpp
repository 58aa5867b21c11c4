#include "cloud_event_binding.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/utf8.hpp"
#include "leftfold/event/json_value.hpp"
#include "leftfold/http/problem.hpp"
#include "leftfold/http/url.hpp"

#include "problems.hpp"

namespace leftfold::gateway {

namespace {

std::string_view trimmed(std::string_view text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    return text.substr(0, text.find_last_not_of(" \t") + 1);
}

std::string lowered(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return lower;
}

// Without its parameters.
std::string_view media_of(std::string_view content_type) noexcept {
    return trimmed(content_type.substr(0, content_type.find(';')));
}

bool is_utf8_charset(std::string_view content_type) {
    const std::string lower = lowered(content_type);
    const std::size_t at = lower.find("charset=");
    if (at == std::string::npos)
        return true;
    const std::string_view value = std::string_view(lower).substr(at + std::string_view("charset=").size());
    return value.starts_with("utf-8") || value.starts_with("\"utf-8\"") || value.starts_with("us-ascii");
}

bool is_json(std::string_view media) {
    const std::string lower = lowered(media);
    return lower.ends_with("/json") || lower.ends_with("+json");
}

std::unexpected<http::Response> unsupported_format(std::string_view detail) {
    return std::unexpected(
        http::Problem(415, "unsupported-event-format", "Events come as CloudEvents 1.0 with JSON data")
            .detail(detail)
            .response());
}

std::unexpected<Error> invalid(std::string_view header, std::string_view rule) {
    return fail(ErrorCode::invalid_argument, fmt::format("CloudEvent: the header '{}' {}", header, rule));
}

constexpr std::string_view kPrefix = "ce-";

// The attribute for which a header stands, in lower case; nothing for another header.
std::string attribute_of(std::string_view header) {
    if (header.size() <= kPrefix.size() || !http::equal_ignoring_case(header.substr(0, kPrefix.size()), kPrefix))
        return {};
    return lowered(header.substr(kPrefix.size()));
}

class BinaryEvent {
  public:
    Result<CloudEvent> read(const http::Request& request) {
        std::vector<std::string> seen;
        for (const http::HeaderField& field : request.fields) {
            const std::string attribute = attribute_of(field.name);
            if (attribute.empty())
                continue;
            if (std::ranges::find(seen, attribute) != seen.end())
                return invalid(field.name, "is given twice");
            seen.push_back(attribute);
            auto value = decode_header_value(field.value);
            if (!value)
                return invalid(field.name, "has a value that is not percent-encoded UTF-8");
            LEFTFOLD_CHECK(take(field.name, attribute, *std::move(value)));
        }
        attributes_.datacontenttype = std::string(request.header("Content-Type").value_or("application/json"));
        if (!request.body.empty())
            attributes_.data = CloudEvent::Json{std::string(request.body)};
        return CloudEvent::create(std::move(attributes_));
    }

  private:
    Result<> take(std::string_view header, const std::string& attribute, std::string value) {
        if (attribute == "specversion") {
            if (value != CloudEvent::kSpecVersion)
                return invalid(header, "must be 1.0");
        } else if (attribute == "id") {
            attributes_.id = std::move(value);
        } else if (attribute == "source") {
            attributes_.source = std::move(value);
        } else if (attribute == "type") {
            attributes_.type = std::move(value);
        } else if (attribute == "subject") {
            attributes_.subject = std::move(value);
        } else if (attribute == "time") {
            const auto time = parse_rfc3339(value);
            if (!time)
                return invalid(header, "must be an RFC 3339 time");
            attributes_.time = *time;
        } else if (attribute == "dataschema") {
            attributes_.dataschema = std::move(value);
        } else if (attribute == "datacontenttype") {
            return invalid(header, "must not be there: it is the Content-Type");
        } else {
            attributes_.extensions.emplace_back(attribute, std::move(value));
        }
        return {};
    }

    CloudEvent::Attributes attributes_;
};

OrResponse<PostedEvents> read_batch(std::string_view body, json::Reader& reader) {
    auto value = json::Value::parse(body, reader);
    if (!value)
        return std::unexpected(bad_request("malformed-event", "The body holds no such event", value.error().message()));
    if (value->array() == nullptr)
        return std::unexpected(
            bad_request("malformed-event", "The body holds no such event", "a batch is a JSON array of CloudEvents"));
    if (value->array()->size() > kBatchEventsMax)
        return std::unexpected(
            http::Problem(413, "too-many-events", "The batch holds too many events")
                .detail(fmt::format("there are {}; send them in several batches", value->array()->size()))
                .member("limit_count", kBatchEventsMax)
                .response());
    PostedEvents posted{.events = {}, .is_batch = true};
    for (const json::Value& element : *value->array())
        posted.events.push_back(read_cloud_event(element.to_string(), reader));
    return posted;
}

}  // namespace

std::optional<std::string> decode_header_value(std::string_view value) {
    std::string unquoted;
    if (value.starts_with('"')) {
        if (value.size() < 2 || !value.ends_with('"'))
            return std::nullopt;
        const std::string_view inner = value.substr(1, value.size() - 2);
        for (std::size_t i = 0; i < inner.size(); ++i) {
            if (inner[i] == '"' || (inner[i] == '\\' && ++i == inner.size()))
                return std::nullopt;
            unquoted.push_back(inner[i]);
        }
        value = unquoted;
    }
    auto decoded = http::percent_decode(value);
    if (!decoded || !is_utf8(*decoded))
        return std::nullopt;
    return decoded;
}

OrResponse<PostedEvents> read_posted_events(const http::Request& request, json::Reader& reader) {
    const std::string_view content_type = request.header("Content-Type").value_or("");
    const std::string_view media = media_of(content_type);
    if (!is_utf8_charset(content_type))
        return unsupported_format("the charset of JSON is UTF-8");
    if (http::equal_ignoring_case(media, CloudEvent::kBatchMediaType))
        return read_batch(request.body, reader);
    PostedEvents posted;
    if (http::equal_ignoring_case(media, CloudEvent::kMediaType)) {
        posted.events.push_back(read_cloud_event(request.body, reader));
        return posted;
    }
    if (!request.header("ce-specversion") || lowered(media).starts_with("application/cloudevents"))
        return unsupported_format(
            "send application/cloudevents+json, application/cloudevents-batch+json, or JSON with the attributes in "
            "headers: "
            "ce-specversion, ce-id, ce-source, ce-type, ce-subject");
    if (!media.empty() && !is_json(media))
        return unsupported_format(fmt::format("the data of an event is JSON, not {}", media));
    posted.events.push_back(BinaryEvent().read(request));
    return posted;
}

}  // namespace leftfold::gateway
