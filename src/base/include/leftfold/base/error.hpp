// Error and Result: how every fallible call of Leftfold answers.
//
// A Result carries a value or an Error. It is [[nodiscard]]; who cannot handle an Error passes it on, adding context
// once per layer ("what was tried"). Exceptions are for configuration at start and for user code only.
#pragma once

#include <cstdint>
#include <expected>
#include <source_location>
#include <string>
#include <string_view>

namespace leftfold {

// What kind of failure it is: a caller decides by this, a person reads the message.
enum class ErrorCode : std::uint8_t {
    invalid_argument,   // the caller's input is wrong, and stays wrong
    not_found,          // what was named does not exist
    already_exists,     // what was to be made exists
    conflict,           // an expected version did not hold
    corrupt,            // stored bytes are damaged: a person must act
    unsupported,        // a format, version or option this build does not know
    permission_denied,  // the operating system or a policy refused
    no_space,           // the disk or a quota is full
    read_only,          // the disk or partition takes no writes
    io,                 // another failure of disk or network
    closed,             // the peer, the file or the component is closed
    cancelled,          // stopped on purpose before it was done
    timed_out,          // a deadline passed
    overloaded,         // a named bound was reached: come again later
    too_large,          // over a named limit
    unavailable,        // cannot be served now, perhaps later
    user_code,          // a function of the user's service threw
};

std::string_view to_string(ErrorCode code) noexcept;

enum class Retry : bool { no, yes };

class [[nodiscard]] Error {
  public:
    Error(ErrorCode code, std::string message, Retry retry = Retry::no,
          std::source_location where = std::source_location::current())
        : message_(std::move(message)), where_(where), code_(code), retry_(retry) {}

    // From an errno value: "<what>: <description of errno>", the code by its meaning.
    static Error from_errno(int error_number, std::string_view what,
                            std::source_location where = std::source_location::current());

    ErrorCode code() const noexcept { return code_; }
    bool retryable() const noexcept { return retry_ == Retry::yes; }
    const std::string& message() const noexcept { return message_; }
    const std::source_location& where() const noexcept { return where_; }

    // "context: message", once per layer.
    Error with_context(std::string_view context) &&;

  private:
    std::string message_;
    std::source_location where_;
    ErrorCode code_;
    Retry retry_;
};

template <class T = void>
using Result = std::expected<T, Error>;

// A Result that failed: return fail(ErrorCode::not_found, "no such topic 'x'");
inline std::unexpected<Error> fail(ErrorCode code, std::string message, Retry retry = Retry::no,
                                   std::source_location where = std::source_location::current()) {
    return std::unexpected<Error>(Error(code, std::move(message), retry, where));
}

}  // namespace leftfold

#define LEFTFOLD_CONCAT_INNER(a, b) a##b
#define LEFTFOLD_CONCAT(a, b) LEFTFOLD_CONCAT_INNER(a, b)

// LEFTFOLD_TRY(file, files.open(path)); declares `file` with the value, or returns the error from the function around
// it.
#define LEFTFOLD_TRY(declaration, ...)                                                                              \
    auto LEFTFOLD_CONCAT(leftfold_try_, __LINE__) = (__VA_ARGS__);                                                  \
    if (!LEFTFOLD_CONCAT(leftfold_try_, __LINE__))                                                                  \
        return ::std::unexpected<::leftfold::Error>(::std::move(LEFTFOLD_CONCAT(leftfold_try_, __LINE__)).error()); \
    auto declaration = ::std::move(*LEFTFOLD_CONCAT(leftfold_try_, __LINE__))

// LEFTFOLD_CHECK(file.sync()); returns the error from the function around it, if there is one.
#define LEFTFOLD_CHECK(...)                                                                   \
    do {                                                                                      \
        if (auto leftfold_check = (__VA_ARGS__); !leftfold_check)                             \
            return ::std::unexpected<::leftfold::Error>(::std::move(leftfold_check).error()); \
    } while (false)
