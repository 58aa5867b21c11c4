// Server-sent events (WHATWG HTML §9.2), as they are written and as they are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "leftfold/base/error.hpp"
#include "leftfold/base/time.hpp"

namespace leftfold::http {

namespace content_type {
inline constexpr std::string_view kEventStream = "text/event-stream";
}

// "name: value\n"; a value of several lines becomes as many fields, which the reader of `data` puts together again. An
// event ends with an empty line, "\n". A comment has an empty name.
void append_sse_field(std::string& out, std::string_view name, std::string_view value);

// Bytes of an event stream in, events out; the same for every way of cutting the bytes.
class SseReader {
  public:
    struct Event {
        std::string_view type;  // "message" where the stream says nothing
        std::string_view data;
        std::string_view last_id;
    };
    static constexpr std::size_t kEventBytesMax = 16UL * 1024 * 1024;

    // An event beyond `event_bytes_max` is an error (too_large), and so is a line.
    explicit SseReader(std::size_t event_bytes_max = kEventBytesMax) noexcept : event_bytes_max_(event_bytes_max) {}

    // The views live during `receive`. After an error the reader is of no use.
    Result<> feed(std::string_view bytes, const std::function<void(const Event&)>& receive);

    // What a client sends as Last-Event-ID when it connects again; it moves on also where an id comes without data, of
    // which `receive` is not told (§9.2.6). Empty: none yet.
    const std::string& last_id() const noexcept { return last_id_; }
    // How long the server asks to wait before that, if it does.
    std::optional<Duration> retry() const noexcept { return retry_; }

  private:
    void end_line(const std::function<void(const Event&)>& receive);
    void take_field(std::string_view name, std::string_view value);
    void dispatch(const std::function<void(const Event&)>& receive);

    std::size_t event_bytes_max_;
    std::string line_;
    std::string type_;
    std::string data_;
    std::string id_;
    std::string last_id_;
    std::optional<Duration> retry_;
    bool has_begun_ = false;  // the first line is read, and with it a byte order mark
    bool after_return_ = false;
};

}  // namespace leftfold::http
