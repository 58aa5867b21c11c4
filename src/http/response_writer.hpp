// ResponseWriter: answers as bytes. Keeps the Date line, which changes once a second.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "leftfold/env/clock.hpp"
#include "leftfold/http/message.hpp"

namespace leftfold::http {

class ResponseWriter {
  public:
    explicit ResponseWriter(const Clock& clock) noexcept : clock_(clock) {}

    // How the client finds the end of the body.
    enum class Length : std::uint8_t { known, chunked, until_close };

    struct Form {
        bool without_body = false;  // the answer to HEAD
        bool close = false;         // no other answer follows
        Length length = Length::known;
    };

    // A status below 200 or over 599 is a bug of the caller. Where the length is not known, the body of the response is
    // left out: it is given piece by piece.
    void append(std::string& out, const Response& response, Form form);
    // A piece of a chunked body. Nothing for an empty one, which would be the last.
    static void append_chunk(std::string& out, std::string_view piece);
    static void append_last_chunk(std::string& out) { out.append("0\r\n\r\n"); }

  private:
    std::string_view date_line();

    const Clock& clock_;
    std::int64_t second_ = -1;
    std::string date_line_;
};

// IMF-fixdate (RFC 9110 §5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::string to_http_date(Timestamp time);

}  // namespace leftfold::http
