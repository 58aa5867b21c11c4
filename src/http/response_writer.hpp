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

    struct Form {
        bool without_body = false;  // the answer to HEAD
        bool close = false;         // no other answer follows
    };

    // A status below 200 or over 599 is a bug of the caller.
    void append(std::string& out, const Response& response, Form form);

  private:
    std::string_view date_line();

    const Clock& clock_;
    std::int64_t second_ = -1;
    std::string date_line_;
};

// IMF-fixdate (RFC 9110 §5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::string to_http_date(Timestamp time);

}  // namespace leftfold::http
