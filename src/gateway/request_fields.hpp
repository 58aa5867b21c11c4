// What a request says beside its body: ids, expected versions, times, positions. Each error is the answer to send.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "leftfold/aggregate/runtime.hpp"
#include "leftfold/http/message.hpp"
#include "leftfold/log/position_token.hpp"

namespace leftfold::gateway {

template <class T>
using OrResponse = std::expected<T, http::Response>;

// An aggregate's id: 1 to 200 bytes of UTF-8 without control characters.
bool is_valid_key(std::string_view key) noexcept;

// Idempotency-Key: 1 to 200 printable ASCII characters; empty if there is none.
OrResponse<std::string_view> command_id_of(const http::Request& request);
// If-Match and If-None-Match of a command.
OrResponse<log::ExpectedVersion> expected_version_of(const http::Request& request);
// Leftfold-Time, from a trusted source only.
OrResponse<std::optional<Timestamp>> time_of(const http::Request& request);
bool is_traceparent(std::string_view text) noexcept;
// A page of another site must not command for its visitor.
OrResponse<void> same_origin(const http::Request& request);
// A well-formed W3C traceparent, else empty: a bad one is ignored, as Trace Context §3.3 asks.
std::string_view traceparent_of(const http::Request& request) noexcept;
// Leftfold-Correlation-Id: empty if there is none.
OrResponse<std::string_view> correlation_id_of(const http::Request& request);

// All of the above and the body, from a page of its own origin only; views of the request. Key and command are for the
// caller.
OrResponse<CommandRequest> command_request_of(const http::Request& request);

// ?at_version=, ?at_time=, ?recorded_at=: at most one, and nothing else.
OrResponse<AsOf> as_of_query(std::string_view query);

struct EventsPage {
    Version from = Version(1);
    std::int64_t limit = 100;
};
inline constexpr std::int64_t kEventsPageMax = 1000;
inline constexpr std::size_t kEventsPageBytesMax = 4 * 1024 * 1024;  // a page ends behind the event that passes it
// ?from=, ?limit=
OrResponse<EventsPage> events_page_query(std::string_view query);

// Every Leftfold-Position of the request, merged; nullopt if there is none. 400 for a malformed one, 409 for one of
// another incarnation than the log's.
OrResponse<std::optional<log::PositionToken>> positions_of(const http::Request& request, const Uuid& incarnation);

}  // namespace leftfold::gateway
