#include "leftfold/http/sse.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace leftfold::http {

void append_sse_field(std::string& out, std::string_view name, std::string_view value) {
    for (bool more = true; more;) {
        const std::size_t end = std::min(value.find_first_of("\r\n"), value.size());
        out.append(name).append(": ").append(value.substr(0, end)).push_back('\n');
        more = end < value.size();
        const bool is_pair = value.substr(end).starts_with("\r\n");
        value.remove_prefix(std::min(value.size(), end + (is_pair ? 2 : 1)));
    }
}

Result<> SseReader::feed(std::string_view bytes, const std::function<void(const Event&)>& receive) {
    while (!bytes.empty()) {
        if (std::exchange(after_return_, false) && bytes.front() == '\n') {
            bytes.remove_prefix(1);
            continue;
        }
        const std::size_t end = bytes.find_first_of("\r\n");
        const std::string_view piece = bytes.substr(0, end);
        if (line_.size() + piece.size() + data_.size() > event_bytes_max_)
            return fail(ErrorCode::too_large, fmt::format("an event of over {} bytes in a stream", event_bytes_max_));
        line_.append(piece);
        if (end == std::string_view::npos)
            return {};
        after_return_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        end_line(receive);
    }
    return {};
}

void SseReader::end_line(const std::function<void(const Event&)>& receive) {
    std::string_view line = line_;
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (!std::exchange(has_begun_, true) && line.starts_with(kByteOrderMark))
        line.remove_prefix(kByteOrderMark.size());
    if (line.empty()) {
        dispatch(receive);
    } else if (const std::size_t colon = line.find(':'); colon != 0) {
        std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
        if (value.starts_with(' '))
            value.remove_prefix(1);
        take_field(line.substr(0, colon), value);
    }
    line_.clear();
}

void SseReader::take_field(std::string_view name, std::string_view value) {
    if (name == "event") {
        type_ = value;
    } else if (name == "data") {
        data_.append(value).push_back('\n');
    } else if (name == "id") {
        if (value.find('\0') == std::string_view::npos)
            id_ = value;
    } else if (name == "retry") {
        constexpr std::int64_t kRetryMsMax = 24LL * 60 * 60 * 1000;
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (error == std::errc() && end == value.data() + value.size() && number >= 0)
            retry_ = std::chrono::milliseconds(std::min(number, kRetryMsMax));
    }
}

void SseReader::dispatch(const std::function<void(const Event&)>& receive) {
    last_id_ = id_;
    if (!data_.empty()) {
        data_.pop_back();  // the last line feed
        receive({.type = type_.empty() ? std::string_view("message") : type_, .data = data_, .last_id = last_id_});
    }
    type_.clear();
    data_.clear();
}

}  // namespace leftfold::http
