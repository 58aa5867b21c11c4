// Request and Response: what a Handler is given, and what it gives back.
//
// A Request is views into the connection's buffers: valid during Handler::handle only, copy what must live longer. The
// server has already refused what is malformed (README.md lists it), so a Handler sees only well-formed requests.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/env/network.hpp"

namespace leftfold::http {

// Others are answered with 501 before a Handler sees them.
enum class Method : std::uint8_t { get, head, post, put, patch, del, options };

std::string_view to_string(Method method) noexcept;  // "GET"
std::optional<Method> parse_method(std::string_view token) noexcept;

struct HeaderField {
    std::string_view name;   // as sent
    std::string_view value;  // without white space around it
};

// ASCII only, as header names are.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

// The first value of that name. nullopt: there is none; "" is a header without a value.
std::optional<std::string_view> find_header(std::span<const HeaderField> fields, std::string_view name) noexcept;

struct Request {
    Method method = Method::get;
    std::string_view target{};    // as sent
    std::string_view raw_path{};  // with valid percent-encoding. Split this at '/', then decode each part (url.hpp):
    std::string_view path{};      // decoded as a whole, where "%2F" can no longer be told from "/". Never holds a NUL.
    std::string_view query{};     // behind '?', not decoded (url.hpp)
    std::span<const HeaderField> fields{};  // in the order sent
    std::string_view body{};                // complete, without transfer coding
    const Endpoint* peer = nullptr;         // never null in a Handler
    bool on_loopback = false;               // the listener's address, not the peer's claim

    std::optional<std::string_view> header(std::string_view name) const noexcept { return find_header(fields, name); }
    // All values of that name, one for each line; a comma-separated list is not split.
    std::vector<std::string_view> headers(std::string_view name) const;
};

namespace content_type {
inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kProblem = "application/problem+json";
inline constexpr std::string_view kText = "text/plain; charset=utf-8";
}  // namespace content_type

// Date, Content-Length and Connection are the server's to add.
struct Response {
    int status = 200;
    std::string_view content_type{};  // of static storage: the response only points to it. Empty: no such line
    std::string header_lines{};       // whole lines, each "Name: value\r\n"
    std::string body{};

    // Control characters of the value (CR and LF above all) become spaces, so that no input can add a line of its own.
    Response& add_header(std::string_view name, std::string_view value);
};

inline Response json_response(int status, std::string body) {
    return Response{.status = status, .content_type = content_type::kJson, .body = std::move(body)};
}
inline Response text_response(int status, std::string body) {
    return Response{.status = status, .content_type = content_type::kText, .body = std::move(body)};
}

// "Not Found" for 404 (RFC 9110 §15); "Unknown" for what is not registered.
std::string_view reason_phrase(int status) noexcept;

}  // namespace leftfold::http
