#include "leftfold/event/cloud_event.hpp"

#include <algorithm>
#include <limits>
#include <ranges>

#include "leftfold/base/utf8.hpp"
#include "leftfold/event/json_value.hpp"
#include "leftfold/event/json_writer.hpp"

#include "base64.hpp"
#include "uri.hpp"

namespace leftfold {

namespace {

using json::Value;

constexpr std::string_view kCoreNames[] = {"id",   "source",          "specversion", "type", "subject",
                                           "time", "datacontenttype", "dataschema",  "data", "data_base64"};

bool is_core_name(std::string_view name) {
    return std::ranges::find(kCoreNames, name) != std::end(kCoreNames);
}

bool is_lower_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

std::unexpected<Error> invalid(std::string_view name, std::string_view rule) {
    return fail(ErrorCode::invalid_argument, "CloudEvent: '" + std::string(name) + "' " + std::string(rule));
}

// Type String of the specification, §3.1: no control characters.
bool is_text(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool c1_control = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (byte < 0x20 || byte == 0x7F || c1_control)
            return false;
    }
    return is_utf8(text);
}

Result<> check_text(std::string_view name, std::string_view text) {
    if (text.empty())
        return invalid(name, "must not be empty");
    if (!is_text(text))
        return invalid(name, "must be UTF-8 without control characters");
    return {};
}

// type "/" subtype *( ";" parameters ), RFC 2046.
bool is_media_type(std::string_view text) {
    const auto is_token = [](std::string_view part) {
        return !part.empty() && std::ranges::all_of(part, [](char c) {
            return c > 0x20 && c < 0x7F && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
        });
    };
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos)
        return false;
    std::string_view subtype = text.substr(slash + 1, text.substr(slash + 1).find(';'));
    while (subtype.ends_with(' '))
        subtype.remove_suffix(1);
    return is_token(text.substr(0, slash)) && is_token(subtype);
}

Result<> check_extensions(const std::vector<CloudEvent::Extension>& extensions) {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : extensions) {
        if (name.empty() || name.size() > CloudEvent::kExtensionNameMax ||
            !std::ranges::all_of(name, is_lower_alphanumeric))
            return invalid(name, "is no name for an extension: 1 to 20 characters a-z and 0-9");
        if (is_core_name(name))
            return invalid(name, "is an attribute of the specification, not an extension");
        if (const auto* const text = std::get_if<std::string>(&value); text != nullptr && !is_text(*text))
            return invalid(name, "must be UTF-8 without control characters");
        names.push_back(name);
    }
    std::ranges::sort(names);
    if (const auto repeated = std::ranges::adjacent_find(names); repeated != names.end())
        return invalid(*repeated, "is given twice");
    return {};
}

void write_text(std::string& out, std::string_view name, std::string_view text) {
    json::write_key(out, name);
    json::write_string(out, text);
}

void write_text_if(std::string& out, std::string_view name, std::string_view text) {
    if (!text.empty())
        write_text(out, name, text);
}

// Takes one field of the JSON format apart.
class EventReader {
  public:
    Result<> field(const std::string& name, Value& value) {
        if (value.kind() == json::Kind::null && name != "data")  // an unset attribute, JSON format §2.2
            return {};
        if (name == "data")
            return json_data(value);
        if (name == "data_base64")
            return binary_data(value);
        if (is_core_name(name))
            return attribute(name, value);
        return extension(name, value);
    }

    Result<CloudEvent> finish() {
        if (!specversion_)
            return invalid("specversion", "is required");
        return CloudEvent::create(std::move(attributes_));
    }

  private:
    Result<> json_data(const Value& value) {
        if (!std::holds_alternative<std::monostate>(attributes_.data))
            return invalid("data", "and 'data_base64' exclude each other");
        attributes_.data = CloudEvent::Json{value.to_string()};
        return {};
    }

    Result<> binary_data(const Value& value) {
        if (!std::holds_alternative<std::monostate>(attributes_.data))
            return invalid("data", "and 'data_base64' exclude each other");
        auto bytes = value.string() == nullptr ? std::nullopt : base64_decode(*value.string());
        if (!bytes)
            return invalid("data_base64", "must be a Base64 string");
        attributes_.data = CloudEvent::Binary{std::move(*bytes)};
        return {};
    }

    Result<> attribute(std::string_view name, const Value& value) {
        if (value.string() == nullptr)
            return invalid(name, "must be a string");
        const std::string& text = *value.string();
        if (name == "specversion") {
            if (text != CloudEvent::kSpecVersion)
                return invalid(name, "must be \"1.0\"");
            specversion_ = true;
        } else if (name == "time") {
            const auto time = parse_rfc3339(text);
            if (!time)
                return invalid(name, "must be an RFC 3339 time");
            attributes_.time = *time;
        } else if (name == "id") {
            attributes_.id = text;
        } else if (name == "source") {
            attributes_.source = text;
        } else if (name == "type") {
            attributes_.type = text;
        } else if (name == "subject") {
            attributes_.subject = text;
        } else if (name == "datacontenttype") {
            attributes_.datacontenttype = text;
        } else {
            attributes_.dataschema = text;
        }
        return {};
    }

    Result<> extension(const std::string& name, Value& value) {
        const auto number = value.integer();
        if (value.string() != nullptr)
            attributes_.extensions.emplace_back(name, *value.string());
        else if (value.boolean() != nullptr)
            attributes_.extensions.emplace_back(name, *value.boolean());
        else if (number && *number >= std::numeric_limits<std::int32_t>::min() &&
                 *number <= std::numeric_limits<std::int32_t>::max())
            attributes_.extensions.emplace_back(name, static_cast<std::int32_t>(*number));
        else
            return invalid(name, "must be a string, a boolean or a whole number of 32 bits");
        return {};
    }

    CloudEvent::Attributes attributes_;
    bool specversion_ = false;
};

Result<CloudEvent> event_from(Value& value) {
    if (!value.is_object())
        return fail(ErrorCode::invalid_argument, "CloudEvent: expected an object");
    EventReader reader;
    for (auto& [name, field] : *value.fields())
        LEFTFOLD_CHECK(reader.field(name, field));
    return reader.finish();
}

Result<Value> parse(std::string_view text, json::Reader& reader) {
    auto value = Value::parse(text, reader);
    if (!value)
        return std::unexpected(value.error().to_error().with_context("CloudEvent"));
    return *std::move(value);
}

}  // namespace

Result<CloudEvent> CloudEvent::create(Attributes attributes) {
    LEFTFOLD_CHECK(check_text("id", attributes.id));
    LEFTFOLD_CHECK(check_text("source", attributes.source));
    LEFTFOLD_CHECK(check_text("type", attributes.type));
    if (!is_uri_reference(attributes.source))
        return invalid("source", "must be a URI reference (RFC 3986)");
    if (attributes.subject)
        LEFTFOLD_CHECK(check_text("subject", *attributes.subject));
    if (attributes.time && (*attributes.time < json::kRfc3339First || *attributes.time >= json::kRfc3339Behind))
        return invalid("time", "must lie in the years 0001 to 9999");
    if (attributes.datacontenttype && !is_media_type(*attributes.datacontenttype))
        return invalid("datacontenttype", "must be a media type such as application/json");
    if (attributes.dataschema && !is_absolute_uri(*attributes.dataschema))
        return invalid("dataschema", "must be an absolute URI (RFC 3986)");
    LEFTFOLD_CHECK(check_extensions(attributes.extensions));
    if (const auto* const data = std::get_if<Json>(&attributes.data)) {
        if (const auto value = Value::parse(data->text); !value)
            return invalid("data", "must be JSON: " + value.error().message());
    }
    return CloudEvent(std::move(attributes));
}

const CloudEvent::ExtensionValue* CloudEvent::extension(std::string_view name) const noexcept {
    const auto found = std::ranges::find(attributes_.extensions, name, &Extension::first);
    return found == attributes_.extensions.end() ? nullptr : &found->second;
}

void write_cloud_event(std::string& out, const CloudEvent& event) {
    const CloudEvent::Attributes& attributes = event.attributes();
    out.push_back('{');
    write_text(out, "specversion", CloudEvent::kSpecVersion);
    write_text(out, "id", attributes.id);
    write_text(out, "source", attributes.source);
    write_text(out, "type", attributes.type);
    if (attributes.subject)
        write_text(out, "subject", *attributes.subject);
    if (attributes.time) {
        json::write_key(out, "time");
        json::write_timestamp(out, *attributes.time);
    }
    if (attributes.datacontenttype)
        write_text(out, "datacontenttype", *attributes.datacontenttype);
    if (attributes.dataschema)
        write_text(out, "dataschema", *attributes.dataschema);
    for (const auto& [name, value] : attributes.extensions) {
        json::write_key(out, name);
        if (const auto* const text = std::get_if<std::string>(&value))
            json::write_string(out, *text);
        else if (const auto* const flag = std::get_if<bool>(&value))
            out += *flag ? "true" : "false";
        else
            json::write_integer(out, std::int64_t{std::get<std::int32_t>(value)});
    }
    if (const auto* const text = std::get_if<CloudEvent::Json>(&attributes.data)) {
        json::write_key(out, "data");
        out += text->text;
    } else if (const auto* const binary = std::get_if<CloudEvent::Binary>(&attributes.data)) {
        write_text(out, "data_base64", base64_encode(binary->bytes));
    }
    out.push_back('}');
}

void write_cloud_event_batch(std::string& out, const std::vector<CloudEvent>& events) {
    out.push_back('[');
    for (const CloudEvent& event : events) {
        if (out.back() != '[')
            out.push_back(',');
        write_cloud_event(out, event);
    }
    out.push_back(']');
}

Result<CloudEvent> read_cloud_event(std::string_view text, json::Reader& reader) {
    LEFTFOLD_TRY(value, parse(text, reader));
    return event_from(value);
}

Result<std::vector<CloudEvent>> read_cloud_event_batch(std::string_view text, json::Reader& reader) {
    LEFTFOLD_TRY(value, parse(text, reader));
    if (value.array() == nullptr)
        return fail(ErrorCode::invalid_argument, "CloudEvent: a batch is an array");
    std::vector<CloudEvent> events;
    for (Value& element : *value.array()) {
        auto event = event_from(element);
        if (!event)
            return std::unexpected(std::move(event).error().with_context("event " + std::to_string(events.size())));
        events.push_back(*std::move(event));
    }
    return events;
}

void write_cloud_event(std::string& out, const Record& record, std::string_view source) {
    const EventMeta& meta = record.meta;
    out += R"({"specversion":"1.0","id":)";
    json::write_uuid(out, meta.id);
    write_text(out, "source", source);
    write_text(out, "type", meta.type);
    write_text_if(out, "subject", meta.key);
    out += R"(,"time":)";
    json::write_timestamp(out, meta.time);
    out += R"(,"datacontenttype":"application/json","sequence":")";
    json::write_integer(out, meta.version.value());
    out.push_back('"');
    write_text_if(out, "partitionkey", meta.key);
    out += R"(,"recordedat":)";
    json::write_timestamp(out, meta.recorded_at);
    out += R"(,"typeversion":)";
    json::write_integer(out, std::uint64_t{meta.type_version});
    write_text_if(out, "commandid", meta.command_id);
    write_text_if(out, "correlationid", meta.correlation_id);
    write_text_if(out, "causationid", meta.causation_id);
    write_text_if(out, "traceparent", meta.traceparent);
    write_text_if(out, "actor", meta.actor);
    write_text_if(out, "tenant", meta.tenant);
    if (!record.payload.empty()) {
        out += R"(,"data":)";
        out += record.payload;
    }
    out.push_back('}');
}

Result<CloudEvent> to_cloud_event(const Record& record, std::string_view source) {
    const EventMeta& meta = record.meta;
    CloudEvent::Attributes attributes;
    attributes.id = meta.id.to_string();
    attributes.source = source;
    attributes.type = meta.type;
    if (!meta.key.empty())
        attributes.subject = meta.key;
    attributes.time = meta.time;
    attributes.datacontenttype = "application/json";
    const auto extend = [&](std::string_view name, std::string_view text) {
        if (!text.empty())
            attributes.extensions.emplace_back(name, std::string(text));
    };
    extend("sequence", std::to_string(meta.version.value()));
    extend("partitionkey", meta.key);
    extend("recordedat", to_rfc3339(meta.recorded_at));
    attributes.extensions.emplace_back("typeversion", static_cast<std::int32_t>(meta.type_version));
    extend("commandid", meta.command_id);
    extend("correlationid", meta.correlation_id);
    extend("causationid", meta.causation_id);
    extend("traceparent", meta.traceparent);
    extend("actor", meta.actor);
    extend("tenant", meta.tenant);
    if (!record.payload.empty())
        attributes.data = CloudEvent::Json{std::string(record.payload)};
    return CloudEvent::create(std::move(attributes));
}

}  // namespace leftfold
