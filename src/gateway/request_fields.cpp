#include "request_fields.hpp"

#include <algorithm>
#include <charconv>
#include <span>

#include <fmt/format.h>

#include "leftfold/base/utf8.hpp"
#include "leftfold/http/url.hpp"

#include "problems.hpp"

namespace leftfold::gateway {

namespace {

constexpr std::size_t kIdBytesMax = 200;

bool is_printable_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return c >= 0x21 && c <= 0x7E; });
}

constexpr std::string_view kUsableId = "one value of 1 to 200 printable ASCII characters without spaces";
bool is_usable_id(std::span<const std::string_view> values) noexcept {
    return values.size() == 1 && !values.front().empty() && values.front().size() <= kIdBytesMax &&
           is_printable_ascii(values.front());
}

std::optional<std::int64_t> parse_count(std::string_view text) noexcept {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0)
        return std::nullopt;
    return value;
}

// A strong entity tag that holds a version: "7".
std::optional<Version> parse_etag(std::string_view text) noexcept {
    if (text.size() < 3 || text.front() != '"' || text.back() != '"')
        return std::nullopt;
    const auto value = parse_count(text.substr(1, text.size() - 2));
    return value ? std::optional(Version(*value)) : std::nullopt;
}

// A bare date means the end of that day, UTC: its last microsecond.
Result<Timestamp> parse_inclusive_time(std::string_view text) {
    if (text.size() == std::string_view("1993-01-31").size()) {
        LEFTFOLD_TRY(day, parse_date(text));
        return day + std::chrono::days(1) - std::chrono::microseconds(1);
    }
    return parse_rfc3339(text);
}

// JSON by its name, or no statement: none at all, or the type that curl -d and Python's urllib put on any body.
bool may_be_json(std::optional<std::string_view> content_type) {
    if (!content_type)
        return true;
    std::string_view media = content_type->substr(0, content_type->find(';'));
    media = media.substr(0, media.find_last_not_of(" \t") + 1);
    return http::equal_ignoring_case(media, http::content_type::kJson) ||
           http::equal_ignoring_case(media, "application/x-www-form-urlencoded");
}

// A browser says where a POST comes from (Fetch §3.2). A page of another site must not command for its visitor.
bool is_cross_origin(const http::Request& request) {
    const auto origin = request.header("Origin");
    if (!origin)
        return false;
    const std::size_t authority = origin->find("://");
    return authority == std::string_view::npos || origin->substr(authority + 3) != request.header("Host").value_or("");
}

std::unexpected<http::Response> bad_query(std::string_view detail) {
    return std::unexpected(bad_request("bad-query", "The query cannot be understood", detail));
}

}  // namespace

bool is_valid_key(std::string_view key) noexcept {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    return !key.empty() && key.size() <= kIdBytesMax && is_utf8(key) && std::ranges::none_of(key, is_control);
}

OrResponse<std::string_view> command_id_of(const http::Request& request) {
    const auto values = request.headers("Idempotency-Key");
    if (values.empty())
        return std::string_view();
    if (!is_usable_id(values))
        return std::unexpected(bad_request("bad-command-id", "The Idempotency-Key cannot be used", kUsableId));
    if (values.front().starts_with(kDerivedIdPrefix))
        return std::unexpected(
            bad_request("bad-command-id", "The Idempotency-Key cannot be used",
                        fmt::format("ids that begin with '{}' are given by processes", kDerivedIdPrefix)));
    return values.front();
}

OrResponse<log::ExpectedVersion> expected_version_of(const http::Request& request) {
    const auto if_match = request.headers("If-Match");
    const auto if_none_match = request.headers("If-None-Match");
    if (if_match.empty() && if_none_match.empty())
        return log::ExpectedVersion::any();
    if (if_match.size() == 1 && if_none_match.empty()) {
        if (if_match.front() == "*")
            return log::ExpectedVersion::exists();
        if (const auto version = parse_etag(if_match.front()))
            return log::ExpectedVersion::exactly(*version);
    }
    if (if_match.empty() && if_none_match.size() == 1 && if_none_match.front() == "*")
        return log::ExpectedVersion::none();
    return std::unexpected(
        bad_request("bad-condition", "The condition cannot be understood",
                    "If-Match takes one version as in an ETag, \"7\", or *; If-None-Match takes *; not both"));
}

OrResponse<std::optional<Timestamp>> time_of(const http::Request& request) {
    const auto values = request.headers("Leftfold-Time");
    if (values.empty())
        return std::nullopt;
    if (!request.on_loopback)
        return std::unexpected(http::Problem(403, "time-not-trusted", "A time is taken from trusted sources only")
                                   .detail("Leftfold-Time is accepted on a loopback listener only")
                                   .response());
    const auto time = parse_rfc3339(values.front());
    if (!time || values.size() > 1)
        return std::unexpected(bad_request("bad-time", "Leftfold-Time cannot be understood",
                                           time ? "there is more than one" : std::string_view(time.error().message())));
    return *time;
}

bool is_traceparent(std::string_view text) noexcept {
    constexpr std::size_t kSize = 55;  // version 00: 2-32-16-2 hexadecimal digits
    if (text.size() != kSize)
        return false;
    for (std::size_t i = 0; i < kSize; ++i) {
        const bool dash = i == 2 || i == 35 || i == 52;
        const bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (dash ? text[i] != '-' : !hex)
            return false;
    }
    return true;
}

std::string_view traceparent_of(const http::Request& request) noexcept {
    const std::string_view text = request.header("traceparent").value_or("");
    return is_traceparent(text) ? text : std::string_view();
}

OrResponse<void> same_origin(const http::Request& request) {
    if (!is_cross_origin(request))
        return {};
    return std::unexpected(http::Problem(403, "cross-origin", "A page of another origin may not send commands")
                               .detail("the Origin of the request is not the host that it is sent to")
                               .response());
}

OrResponse<std::string_view> correlation_id_of(const http::Request& request) {
    const auto values = request.headers("Leftfold-Correlation-Id");
    if (values.empty())
        return std::string_view();
    if (!is_usable_id(values))
        return std::unexpected(
            bad_request("bad-correlation-id", "The Leftfold-Correlation-Id cannot be used", kUsableId));
    return values.front();
}

OrResponse<CommandRequest> command_request_of(const http::Request& request) {
    if (!may_be_json(request.header("Content-Type")))
        return std::unexpected(http::Problem(415, "not-json", "A command is JSON")
                                   .detail("send Content-Type: application/json")
                                   .response());
    if (auto same = same_origin(request); !same)
        return std::unexpected(std::move(same).error());
    auto id = command_id_of(request);
    if (!id)
        return std::unexpected(std::move(id).error());
    auto expected = expected_version_of(request);
    if (!expected)
        return std::unexpected(std::move(expected).error());
    auto time = time_of(request);
    if (!time)
        return std::unexpected(std::move(time).error());
    auto correlation_id = correlation_id_of(request);
    if (!correlation_id)
        return std::unexpected(std::move(correlation_id).error());
    return CommandRequest{.key = {},
                          .command = 0,
                          .json = request.body,
                          .command_id = *id,
                          .expected = *expected,
                          .time = *time,
                          .correlation_id = *correlation_id,
                          .causation_id = {},
                          .traceparent = traceparent_of(request),
                          .actor = {},
                          .tenant = {}};
}

OrResponse<AsOf> as_of_query(std::string_view query) {
    if (query.empty())
        return AsOf();
    const auto parameters = http::parse_query(query);
    if (!parameters)
        return bad_query(parameters.error().message());
    if (parameters->size() != 1)
        return bad_query("one of at_version, at_time and recorded_at, once");
    const auto& [name, value] = parameters->front();
    if (name == "at_version") {
        const auto version = parse_count(value);
        if (!version || *version == 0)
            return bad_query(fmt::format("at_version: '{}' is not a version: 1, 2, 3 …", value));
        return AsOfVersion{Version(*version)};
    }
    if (name != "at_time" && name != "recorded_at")
        return bad_query(fmt::format("unknown parameter '{}'; known are at_version, at_time and recorded_at", name));
    const auto time = parse_inclusive_time(value);
    if (!time)
        return bad_query(fmt::format("{}: {}", name, time.error().message()));
    return name == "at_time" ? AsOf(AsOfTime{*time}) : AsOf(AsOfRecorded{*time});
}

OrResponse<EventsPage> events_page_query(std::string_view query) {
    EventsPage page;
    const auto parameters = http::parse_query(query);
    if (!parameters)
        return bad_query(parameters.error().message());
    for (const auto& [name, value] : *parameters) {
        const auto number = parse_count(value);
        if (name == "from" && number && *number > 0)
            page.from = Version(*number);
        else if (name == "limit" && number && *number > 0 && *number <= kEventsPageMax)
            page.limit = *number;
        else
            return bad_query(fmt::format("'{}={}': known are from (a version: 1, 2, 3 …) and limit (1 to {})", name,
                                         value, kEventsPageMax));
    }
    return page;
}

OrResponse<std::optional<log::PositionToken>> positions_of(const http::Request& request, const Uuid& incarnation) {
    std::optional<log::PositionToken> merged;
    for (const std::string_view text : request.headers("Leftfold-Position")) {
        const auto token = log::PositionToken::parse(text);
        if (!token)
            return std::unexpected(
                bad_request("bad-position", "Leftfold-Position cannot be understood", token.error().message()));
        if (token->incarnation() != incarnation)
            return std::unexpected(
                http::Problem(409, "foreign-position", "The position is of another log")
                    .detail("Leftfold-Position names another incarnation of the log; drop it and read anew")
                    .response());
        if (!merged)
            merged = *token;
        else if (const auto both = merged->merge(*token); !both)
            return std::unexpected(
                bad_request("bad-position", "Leftfold-Position cannot be understood", both.error().message()));
    }
    return merged;
}

}  // namespace leftfold::gateway
