// json::Reader: pulls one JSON text apart, value by value, and remembers where it went wrong.
//
//   Reader in;
//   in.start(text, Strictness::strict);
//   if (in.begin_object())
//       for (std::string_view key; in.next_field(key);) …  // in.string(…), in.integer(…), in.skip() …
//   if (!in.finish()) … in.error() …
//
// There is one current value: the root after start(), then what next_field() and next_element() move to. It is consumed
// once. The first failure sticks: every later call returns false. Views given out live until the next start().
//
// Whatever the strictness, the text must be well-formed JSON in UTF-8, nothing behind it, nested no deeper than
// kDepthMax, and no larger than the limit. One Reader serves one thread at a time; kept and used again, it does not
// allocate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "leftfold/base/error.hpp"

namespace leftfold::json {

enum class Strictness : std::uint8_t {
    strict,   // commands: an unknown field is an error
    lenient,  // stored events: unknown fields pass
};

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

struct ReadError {
    std::string path;     // JSON pointer (RFC 6901) of the value: "/amount"; empty for the whole text
    std::string problem;  // "expected a decimal string such as \"12.50\""

    // "/amount: expected …"
    std::string message() const;
    Error to_error() const;
};

inline constexpr std::size_t kDepthMax = 32;

struct ReadLimits {
    std::size_t strict_bytes_max = std::size_t{1} << 20;
    std::size_t lenient_bytes_max = std::size_t{64} << 20;
};

class Reader {
  public:
    explicit Reader(ReadLimits limits = {});
    ~Reader();
    Reader(Reader&&) noexcept;
    Reader& operator=(Reader&&) noexcept;

    // Copies the text. The root becomes the current value.
    bool start(std::string_view text, Strictness strictness);
    // True if the root was consumed without a failure, and nothing but white space follows it.
    bool finish();

    Strictness strictness() const noexcept;
    bool ok() const noexcept;
    // Of the first failure. Call only after one.
    ReadError error() const;

    // Of the current value, without consuming it. Kind::null after a failure.
    Kind kind();

    // Consume the current value. False, and a failure, if it is of another kind or outside of the range.
    bool null();
    bool boolean(bool& out);
    bool integer(std::int64_t& out, std::int64_t lowest, std::int64_t highest);
    bool integer(std::uint64_t& out, std::uint64_t lowest, std::uint64_t highest);
    bool string(std::string_view& out);
    // Any JSON number, as it is written.
    bool number_text(std::string_view& out);
    // A string, where `problem` says better than "expected a string" what was expected.
    bool string(std::string_view& out, std::string_view problem);
    // Anything; it is checked as if it were read.
    bool skip();

    bool begin_object();
    // Moves to the next field of the innermost object; false at its end (which is consumed) or after a failure: ask
    // ok().
    bool next_field(std::string_view& key);
    // The string value of this field of the object just begun, wherever it stands; empty if there is none. A tag with
    // escapes in its name or value is not found. Nothing is consumed.
    std::string_view peek_tag(std::string_view name);

    bool begin_array();
    bool next_element();

    // Failures that only the caller can see, at the current value. Always return false.
    bool fail(std::string problem);
    // At this field of the object that holds the current value.
    bool fail_at(std::string_view field, std::string problem);
    bool fail_unknown_field(std::span<const std::string_view> known);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace leftfold::json
