// Problem: builds problem documents (RFC 9457), the form of every answer that says no.
//
//     return Problem(409, "insufficient-funds", "The account does not hold that much")
//         .detail("balance 10.00, asked for 12.50")
//         .member("balance", "10.00")
//         .response();
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "leftfold/http/message.hpp"

namespace leftfold::http {

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so the result is always
// JSON.
void append_json_string(std::string& out, std::string_view text);

class Problem {
  public:
    // `name` is stable and made for programs: the type is "urn:leftfold:problem:<name>". `title` is the same for every
    // occurrence of a type.
    Problem(int status, std::string_view name, std::string_view title);

    // What is particular to this occurrence, for people. At most once.
    Problem& detail(std::string_view text);
    // Extension members (RFC 9457 §3.2); the caller does not repeat a name.
    Problem& member(std::string_view name, std::string_view text);
    Problem& member(std::string_view name, const char* text) { return member(name, std::string_view(text)); }
    // Exactly these types: an unsigned number must not become a bool.
    template <std::integral Value>
    Problem& member(std::string_view name, Value value) {
        if constexpr (std::same_as<Value, bool>)
            return json_member(name, value ? "true" : "false");
        else
            return json_member(name, std::to_string(value));
    }
    // `json` is a complete JSON value, taken as it is.
    Problem& json_member(std::string_view name, std::string_view json);

    // Each takes what was built; the builder is used up.
    std::string json();
    Response response();

  private:
    void name_of_member(std::string_view name);

    int status_;
    std::string json_;  // without the closing brace
};

}  // namespace leftfold::http
