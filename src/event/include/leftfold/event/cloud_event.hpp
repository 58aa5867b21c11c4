// CloudEvents 1.0.2 (https://github.com/cloudevents/spec): the envelope in which events leave Leftfold, and its JSON
// format, one event (application/cloudevents+json) or a batch (application/cloudevents-batch+json).
//
// A CloudEvent is valid from creation to end: create() and the readers refuse everything else, and nothing changes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/base/time.hpp"
#include "leftfold/event/json_reader.hpp"
#include "leftfold/event/record.hpp"

namespace leftfold {

class CloudEvent {
  public:
    struct Json {
        std::string text;
        friend bool operator==(const Json&, const Json&) = default;
    };
    struct Binary {
        std::string bytes;
        friend bool operator==(const Binary&, const Binary&) = default;
    };
    using Data = std::variant<std::monostate, Json, Binary>;
    using ExtensionValue = std::variant<std::string, bool, std::int32_t>;
    using Extension = std::pair<std::string, ExtensionValue>;

    struct Attributes {
        std::string id;                              // not empty
        std::string source;                          // a URI reference, not empty
        std::string type;                            // not empty
        std::optional<std::string> subject;          // not empty
        std::optional<Timestamp> time;               //
        std::optional<std::string> datacontenttype;  // a media type; absent means JSON
        std::optional<std::string> dataschema;       // an absolute URI
        std::vector<Extension> extensions;           // names of 1 to 20 characters a-z, 0-9, each once; any order
        Data data;
        friend bool operator==(const Attributes&, const Attributes&) = default;
    };

    static constexpr std::string_view kSpecVersion = "1.0";
    static constexpr std::string_view kMediaType = "application/cloudevents+json";
    static constexpr std::string_view kBatchMediaType = "application/cloudevents-batch+json";
    static constexpr std::size_t kExtensionNameMax = 20;

    static Result<CloudEvent> create(Attributes attributes);

    const Attributes& attributes() const noexcept { return attributes_; }
    const ExtensionValue* extension(std::string_view name) const noexcept;

    friend bool operator==(const CloudEvent&, const CloudEvent&) = default;

  private:
    explicit CloudEvent(Attributes attributes) : attributes_(std::move(attributes)) {}

    Attributes attributes_;
};

// The JSON format, appended. JSON data stands in it as it is; the batch is an array.
void write_cloud_event(std::string& out, const CloudEvent& event);
void write_cloud_event_batch(std::string& out, const std::vector<CloudEvent>& events);

Result<CloudEvent> read_cloud_event(std::string_view text, json::Reader& reader);
Result<std::vector<CloudEvent>> read_cloud_event_batch(std::string_view text, json::Reader& reader);

// A stored event in the JSON format, without detour. `source` must be a URI reference: "/bank/accounts". The stream's
// key is `subject` and `partitionkey`, its version `sequence`; the rest of the metadata are extensions, where present:
// recordedat, typeversion, commandid, correlationid, causationid, traceparent, actor, tenant.
void write_cloud_event(std::string& out, const Record& record, std::string_view source);

// The same as a value.
Result<CloudEvent> to_cloud_event(const Record& record, std::string_view source);

}  // namespace leftfold
