// Any bytes as the headers and the body of a POST /events: what is taken for an event is a valid one, and reads the
// same when it is written as JSON. Lines "Name: value" up to an empty line are the headers, the rest is the body.
#include "../cloud_event_binding.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace leftfold;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    std::vector<http::HeaderField> fields;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.empty())
            break;
        const std::size_t colon = line.find(": ");
        if (colon == std::string_view::npos || colon == 0)
            continue;
        fields.push_back({line.substr(0, colon), line.substr(colon + 2)});
        if (const auto decoded = gateway::decode_header_value(fields.back().value))
            LEFTFOLD_ASSERT(is_utf8(*decoded) && decoded->size() <= fields.back().value.size());
    }
    http::Request request;
    request.method = http::Method::post;
    request.fields = fields;
    request.body = rest;
    static json::Reader reader;
    const auto posted = gateway::read_posted_events(request, reader);
    if (!posted) {
        LEFTFOLD_ASSERT(posted.error().status >= 400);
        return 0;
    }
    LEFTFOLD_ASSERT(posted->is_batch || posted->events.size() == 1);
    for (const auto& event : posted->events) {
        if (!event)
            continue;
        std::string text;
        write_cloud_event(text, *event);
        const auto again = read_cloud_event(text, reader);
        LEFTFOLD_ASSERT(again && *again == *event);
    }
    return 0;
}
