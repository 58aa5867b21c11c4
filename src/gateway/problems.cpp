#include "problems.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace leftfold::gateway {

namespace {

struct ProblemKind {
    int status;
    std::string_view name;
    std::string_view title;
};

ProblemKind kind_of(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::not_found:
            return {404, "not-found", "There is no such thing"};
        case ErrorCode::invalid_argument:
            return {400, "bad-request", "The request cannot be understood"};
        case ErrorCode::too_large:
            return {413, "too-large", "Too large"};
        case ErrorCode::overloaded:
            return {429, "overloaded", "Too many requests wait for this aggregate"};
        case ErrorCode::conflict:
            return {409, "conflict", "Another request was faster"};
        case ErrorCode::no_space:
            return {503, "no-space", "The disk is full"};
        case ErrorCode::read_only:
            return {503, "read-only", "The log takes no writes"};
        case ErrorCode::unavailable:
        case ErrorCode::cancelled:
        case ErrorCode::closed:
        case ErrorCode::timed_out:
            return {503, "unavailable", "Not answered; the same request with the same id may be sent again"};
        case ErrorCode::user_code:
            return {500, "service-failed", "The service failed"};
        case ErrorCode::corrupt:
            return {500, "stored-data-damaged", "Stored data is damaged"};
        default:
            return {500, "internal", "Internal error"};
    }
}

std::string title_from(std::string_view reason) {
    std::string title(reason);
    std::ranges::replace(title, '-', ' ');
    return title;
}

}  // namespace

http::Response problem_of(const Error& error) {
    const ProblemKind kind = kind_of(error.code());
    http::Response response = http::Problem(kind.status, kind.name, kind.title).detail(error.message()).response();
    if (kind.status == 429 || kind.status == 503)
        response.add_header("Retry-After", "1");
    return response;
}

http::Response problem_of(const CommandMalformed& malformed) {
    std::string errors = "[{\"path\":";
    http::append_json_string(errors, malformed.error.path);
    errors += ",\"problem\":";
    http::append_json_string(errors, malformed.error.problem);
    errors += "}]";
    return http::Problem(400, "malformed-command", "The body is not such a command")
        .detail(fmt::format("{}: {}", malformed.error.path, malformed.error.problem))
        .json_member("errors", errors)
        .response();
}

http::Response problem_of(const CommandRejected& rejected, std::string_view scope) {
    const std::string& reason = rejected.rejection.reason();
    http::Problem problem(409, fmt::format("{}.{}", scope, reason), title_from(reason));
    problem.member("reason", reason).member("version", rejected.version.value());
    if (!rejected.rejection.details().empty())
        problem.json_member("details", "{" + rejected.rejection.details() + "}");
    http::Response response = problem.response();
    add_etag(response, rejected.version);
    return response;
}

http::Response problem_of(const CommandConflict& conflict) {
    http::Response response = http::Problem(412, "version-conflict", "The expected version does not hold")
                                  .detail(fmt::format("the current version is {}", conflict.current.value()))
                                  .member("current_version", conflict.current.value())
                                  .response();
    add_etag(response, conflict.current);
    return response;
}

http::Response problem_of(const CommandIdReused&) {
    return http::Problem(422, "command-id-reused", "This Idempotency-Key came before with another command")
        .detail("a command id stands for one command with one content; send a new id with a new command")
        .response();
}

http::Response bad_request(std::string_view name, std::string_view title, std::string_view detail) {
    return http::Problem(400, name, title).detail(detail).response();
}

void add_etag(http::Response& response, Version version) {
    constexpr std::size_t kUsualHeaderBytes = 128;  // with the position that follows
    const fmt::format_int digits(version.value());
    response.header_lines.reserve(kUsualHeaderBytes);
    response.header_lines.append("ETag: \"").append(digits.data(), digits.size()).append("\"\r\n");
}

}  // namespace leftfold::gateway
