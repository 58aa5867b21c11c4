// Logger: structured logs. A line is a level, a static event name and typed fields:
//
//     logger.info("server-started", {{"endpoint", text}, {"topics", 3}});
//
// An ERROR means that somebody must act. Names are checked when the code is compiled: kebab-case for events, snake_case
// for fields. Fields borrow what they are given until the call returns; below the level nothing is formatted or copied.
//
// Logger is passed by reference and may be used from any thread. A line is written by the caller's thread, under a
// lock. Every event name has a budget (LoggerOptions); what is over it is counted, and the count is told by the next
// line of that name, or by flush().
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/base/strong_id.hpp"
#include "leftfold/base/time.hpp"
#include "leftfold/env/clock.hpp"

namespace leftfold {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };

std::string_view to_string(LogLevel level) noexcept;

// A string literal in kebab-case.
class LogEventName {
  public:
    consteval LogEventName(const char* name)
        : name_(name) {  // NOLINT(google-explicit-constructor): written as a literal
        bool ok = !name_.empty() && name_.front() != '-' && name_.back() != '-';
        for (const char c : name_)
            ok = ok && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
        if (!ok)
            throw "an event name is kebab-case, such as server-started";
    }
    constexpr std::string_view name() const noexcept { return name_; }

  private:
    std::string_view name_;
};

// A string literal in snake_case, and not one of those that every line has.
class LogFieldName {
  public:
    consteval LogFieldName(const char* name) : name_(name) {  // NOLINT(google-explicit-constructor)
        bool ok = !name_.empty() && name_.front() >= 'a' && name_.front() <= 'z';
        for (const char c : name_)
            ok = ok && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
        if (!ok || name_ == "time" || name_ == "level" || name_ == "event" || name_ == "suppressed")
            throw "a field name is snake_case, and none of time, level, event, suppressed";
    }
    constexpr std::string_view name() const noexcept { return name_; }

  private:
    std::string_view name_;
};

// Something that is there but never shown: every sink writes ***. It holds no copy of what it stands for.
struct Secret {
    Secret() = default;
    explicit Secret(std::string_view) noexcept {}
};

// What a field holds. Durations are written as seconds in JSON, with a unit for people; an Error as code and message.
class LogValue {
  public:
    using Variant = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view, Duration, Timestamp,
                                 const Error*, Secret>;

    // NOLINTBEGIN(google-explicit-constructor): fields are written as {name, value}
    LogValue(const char* text) noexcept : value_(std::string_view(text)) {}
    LogValue(std::string_view text) noexcept : value_(text) {}
    LogValue(const std::string& text) noexcept : value_(std::string_view(text)) {}
    LogValue(std::same_as<bool> auto value) noexcept : value_(value) {}
    LogValue(std::signed_integral auto value) noexcept : value_(static_cast<std::int64_t>(value)) {}
    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool>)
    LogValue(T value) noexcept : value_(static_cast<std::uint64_t>(value)) {}
    LogValue(std::floating_point auto value) noexcept : value_(static_cast<double>(value)) {}
    template <class Tag, class Rep>
    LogValue(StrongId<Tag, Rep> id) noexcept : LogValue(id.value()) {}
    template <class Rep, class Period>
    LogValue(std::chrono::duration<Rep, Period> value) noexcept : value_(std::chrono::duration_cast<Duration>(value)) {}
    LogValue(Timestamp time) noexcept : value_(time) {}
    LogValue(const Error& error) noexcept : value_(&error) {}
    LogValue(Secret secret) noexcept : value_(secret) {}
    // NOLINTEND(google-explicit-constructor)

    const Variant& variant() const noexcept { return value_; }

  private:
    Variant value_;
};

struct LogField {
    LogFieldName name;
    LogValue value;
};

// One line, valid during LogSink::write only.
struct LogLine {
    Timestamp time;
    LogLevel level = LogLevel::info;
    std::string_view event;
    std::span<const LogField> fields;
    std::uint64_t suppressed = 0;  // lines of this event left out since the last one
};

// Text longer than this is cut, and ends in "…".
inline constexpr std::size_t kLogTextBytesMax = 4096;

// {"time":"…","level":"info","event":"server-started","endpoint":"…"}, valid UTF-8 whatever the fields hold.
std::string format_json(const LogLine& line);
// 12:00:00.123 INFO  server-started endpoint=… , with control characters escaped.
std::string format_readable(const LogLine& line, bool colours);

// Called by one thread at a time.
class LogSink {
  public:
    virtual ~LogSink() = default;
    virtual void write(const LogLine& line) = 0;
};

enum class LogForm : std::uint8_t { automatic, json, readable };

// Lines on standard error; `automatic` is readable on a terminal, else JSON.
std::unique_ptr<LogSink> make_standard_error_sink(LogForm form = LogForm::automatic);

// Keeps the last lines as JSON, for tests.
class MemoryLogSink final : public LogSink {
  public:
    static constexpr std::size_t kLinesMax = 10'000;

    void write(const LogLine& line) override;
    const std::vector<std::string>& lines() const noexcept { return lines_; }

  private:
    std::vector<std::string> lines_;
};

struct LoggerOptions {
    LogLevel level = LogLevel::info;
    // Per event name: so many lines at once, then so many per second.
    std::uint32_t burst_lines = 50;
    std::uint32_t lines_per_second = 5;
};

class Logger {
  public:
    // Borrows both.
    Logger(const Clock& clock, LogSink& sink, LoggerOptions options = {});
    ~Logger();
    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;

    bool enabled(LogLevel level) const noexcept { return level >= level_.load(std::memory_order_relaxed); }
    void set_level(LogLevel level) noexcept;

    void debug(LogEventName event, std::initializer_list<LogField> fields = {}) { log(LogLevel::debug, event, fields); }
    void info(LogEventName event, std::initializer_list<LogField> fields = {}) { log(LogLevel::info, event, fields); }
    void warning(LogEventName event, std::initializer_list<LogField> fields = {}) {
        log(LogLevel::warning, event, fields);
    }
    void error(LogEventName event, std::initializer_list<LogField> fields = {}) { log(LogLevel::error, event, fields); }

    void log(LogLevel level, LogEventName event, std::span<const LogField> fields) {
        if (enabled(level))
            write(level, event, fields);
    }
    void log(LogLevel level, LogEventName event, std::initializer_list<LogField> fields) {
        log(level, event, std::span(fields.begin(), fields.size()));
    }

    // Writes how many lines were left out and not yet told. The destructor does so too.
    void flush();

  protected:
    Logger() noexcept;

  private:
    struct Budget {
        MonotonicTime spent_until;  // generic cell rate: the time at which the bucket will be full again
        std::uint64_t suppressed = 0;
        LogLevel level = LogLevel::info;
    };

    void write(LogLevel level, LogEventName event, std::span<const LogField> fields);
    bool take(Budget& budget) const noexcept;

    const Clock* clock_ = nullptr;
    LogSink* sink_ = nullptr;
    LoggerOptions options_;
    std::atomic<LogLevel> level_;
    std::mutex mutex_;
    std::map<std::string_view, Budget> budgets_;  // as many as the program has event names
};

// Takes everything and writes nothing.
class NullLogger final : public Logger {
  public:
    NullLogger() noexcept = default;
};

}  // namespace leftfold
