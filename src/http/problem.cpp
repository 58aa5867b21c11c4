#include "leftfold/http/problem.hpp"

#include <utility>

#include "leftfold/base/utf8.hpp"

namespace leftfold::http {

namespace {

void append_escaped(std::string& out, char c) {
    switch (c) {
        case '"':
            out.append("\\\"");
            return;
        case '\\':
            out.append("\\\\");
            return;
        case '\n':
            out.append("\\n");
            return;
        case '\r':
            out.append("\\r");
            return;
        case '\t':
            out.append("\\t");
            return;
        default:
            break;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    out.append("\\u00");
    out.push_back(digits[static_cast<unsigned char>(c) >> 4U]);
    out.push_back(digits[static_cast<unsigned char>(c) & 0xFU]);
}

constexpr bool is_plain(char c) noexcept {
    return static_cast<signed char>(c) >= ' ' && c != '"' && c != '\\' && c != 0x7F;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out.push_back('"');
    while (!text.empty()) {
        std::size_t plain = 0;
        while (plain < text.size() && is_plain(text[plain]))
            ++plain;
        out.append(text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.empty())
            break;
        const std::size_t size = utf8_sequence_size(text);
        if (size == 0)
            out.append("\xEF\xBF\xBD");
        else if (size == 1)
            append_escaped(out, text.front());
        else
            out.append(text.substr(0, size));
        text.remove_prefix(size == 0 ? 1 : size);
    }
    out.push_back('"');
}

Problem::Problem(int status, std::string_view name, std::string_view title) : status_(status) {
    json_.reserve(256);
    json_.append(R"({"type":)");
    append_json_string(json_, std::string("urn:leftfold:problem:").append(name));
    name_of_member("title");
    append_json_string(json_, title);
    member("status", status);
}

Problem& Problem::detail(std::string_view text) {
    return member("detail", text);
}

Problem& Problem::member(std::string_view name, std::string_view text) {
    name_of_member(name);
    append_json_string(json_, text);
    return *this;
}

Problem& Problem::json_member(std::string_view name, std::string_view json) {
    name_of_member(name);
    json_.append(json);
    return *this;
}

void Problem::name_of_member(std::string_view name) {
    json_.push_back(',');
    append_json_string(json_, name);
    json_.push_back(':');
}

std::string Problem::json() {
    json_.push_back('}');
    return std::exchange(json_, {});
}

Response Problem::response() {
    return Response{.status = status_, .content_type = content_type::kProblem, .body = json()};
}

}  // namespace leftfold::http
