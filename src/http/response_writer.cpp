#include "response_writer.hpp"

#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold::http {

namespace {

// Status, Date, Content-Type, Content-Length and Connection lines together, with room to spare.
constexpr std::size_t kOwnLinesBytes = 256;

std::string_view status_line(int status) noexcept {
    switch (status) {
        case 200:
            return "HTTP/1.1 200 OK\r\n";
        case 201:
            return "HTTP/1.1 201 Created\r\n";
        case 404:
            return "HTTP/1.1 404 Not Found\r\n";
        case 409:
            return "HTTP/1.1 409 Conflict\r\n";
        default:
            return {};
    }
}

void append_number(std::string& out, std::uint64_t number, int base = 10) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
    out.append(digits.data(), end);
}

}  // namespace

void ResponseWriter::append(std::string& out, const Response& response, Form form) {
    LEFTFOLD_ASSERT(response.status >= 200 && response.status <= 599);
    // RFC 9110 §15.3.5, §15.4.5: neither has a body, and a 204 has no length either.
    const bool never_has_body = response.status == 204 || response.status == 304;
    const bool with_body = !form.without_body && !never_has_body && form.length == Length::known;
    LEFTFOLD_ASSERT(!never_has_body || form.length == Length::known);

    out.reserve(out.size() + kOwnLinesBytes + response.header_lines.size() + (with_body ? response.body.size() : 0));
    if (const std::string_view line = status_line(response.status); !line.empty()) {
        out.append(line);
    } else {
        out.append("HTTP/1.1 ");
        append_number(out, static_cast<std::uint64_t>(response.status));
        out.append(" ").append(reason_phrase(response.status)).append("\r\n");
    }
    out.append(date_line());
    if (!response.content_type.empty())
        out.append("Content-Type: ").append(response.content_type).append("\r\n");
    if (form.length == Length::chunked) {
        out.append("Transfer-Encoding: chunked\r\n");
    } else if (form.length == Length::known && !never_has_body) {
        out.append("Content-Length: ");
        append_number(out, response.body.size());
        out.append("\r\n");
    }
    out.append(response.header_lines);
    if (form.close)
        out.append("Connection: close\r\n");
    out.append("\r\n");
    if (with_body)
        out.append(response.body);
}

void ResponseWriter::append_chunk(std::string& out, std::string_view piece) {
    if (piece.empty())
        return;
    constexpr std::size_t kFrameBytes = 16 + 4;
    out.reserve(out.size() + piece.size() + kFrameBytes);
    append_number(out, piece.size(), 16);
    out.append("\r\n").append(piece).append("\r\n");
}

std::string_view ResponseWriter::date_line() {
    const Timestamp now = clock_.now();
    const std::int64_t second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    if (second != second_) {
        second_ = second;
        date_line_ = fmt::format("Date: {}\r\n", to_http_date(now));
    }
    return date_line_;
}

std::string to_http_date(Timestamp time) {
    constexpr std::array weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock_time(std::chrono::floor<std::chrono::seconds>(time - day));
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[std::chrono::weekday(day).c_encoding()],
                       static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                       static_cast<int>(date.year()), clock_time.hours().count(), clock_time.minutes().count(),
                       clock_time.seconds().count());
}

}  // namespace leftfold::http
