// CloudEvents over HTTP (the HTTP protocol binding, version 1.0.2): what a request holds of events, in any of its
// modes.
//
//   structured   Content-Type: application/cloudevents+json          one event
//   batched      Content-Type: application/cloudevents-batch+json    an array of events
//   binary       ce-id, ce-type … in headers, the data as the body
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/event/cloud_event.hpp"
#include "leftfold/event/json_reader.hpp"
#include "leftfold/http/message.hpp"

#include "request_fields.hpp"

namespace leftfold::gateway {

inline constexpr std::size_t kBatchEventsMax = 1'000;

struct PostedEvents {
    // Each a CloudEvent, or why it is none.
    std::vector<Result<CloudEvent>> events;
    bool is_batch = false;
};

// An error is the answer to a request that holds no events at all, or too many.
OrResponse<PostedEvents> read_posted_events(const http::Request& request, json::Reader& reader);

// Section 3.1.3.2: a quoted string is unquoted, then percent-encoding is taken off, once. nullopt: malformed, or not
// UTF-8.
std::optional<std::string> decode_header_value(std::string_view value);

}  // namespace leftfold::gateway
