// The canonical form of JSON's scalars, appended to a string that the caller owns: no spaces, only the escapes that
// RFC 8259 demands. What is written is always valid UTF-8: bytes that are not become U+FFFD.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "leftfold/base/time.hpp"
#include "leftfold/base/uuid.hpp"

namespace leftfold::json {

void write_string(std::string& out, std::string_view text);
void write_integer(std::string& out, std::int64_t value);
void write_integer(std::string& out, std::uint64_t value);
// A Decimal's minor units, as a string.
void write_decimal(std::string& out, std::int64_t minor, unsigned digits);
// What RFC 3339 can write: the years 0001 to 9999.
inline constexpr Timestamp kRfc3339First = std::chrono::sys_days(std::chrono::year(1) / 1 / 1);
inline constexpr Timestamp kRfc3339Behind = std::chrono::sys_days(std::chrono::year(10000) / 1 / 1);

// Throws std::range_error outside of these years.
void write_timestamp(std::string& out, Timestamp time);
void write_uuid(std::string& out, const Uuid& id);

// An enumerator's name; throws std::range_error if it is empty, that is, if the value has none.
void write_enumerator(std::string& out, std::string_view name, std::string_view type);

// `"key":`, behind a comma unless it is the first since the opening '{'.
inline void write_key(std::string& out, std::string_view key) {
    if (out.back() != '{')
        out.push_back(',');
    out.push_back('"');
    out.append(key);
    out.append("\":", 2);
}

}  // namespace leftfold::json
