#include "leftfold/telemetry/log.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include "leftfold/base/assert.hpp"

namespace leftfold {

std::string_view to_string(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warning:
            return "warning";
        case LogLevel::error:
            return "error";
        case LogLevel::off:
            return "off";
    }
    return "unknown";
}

namespace {

class StandardErrorSink final : public LogSink {
  public:
    StandardErrorSink(bool readable, bool colours) noexcept : readable_(readable), colours_(colours) {}

    void write(const LogLine& line) override {
        std::string text = readable_ ? format_readable(line, colours_) : format_json(line);
        text.push_back('\n');
        // In one piece, so that lines of several processes on one pipe do not mix. Where standard error is gone there
        // is nobody left to tell.
        (void)std::fwrite(text.data(), 1, text.size(), stderr);
    }

  private:
    bool readable_;
    bool colours_;
};

}  // namespace

std::unique_ptr<LogSink> make_standard_error_sink(LogForm form) {
    const bool terminal = ::isatty(STDERR_FILENO) == 1;
    const bool readable = form == LogForm::readable || (form == LogForm::automatic && terminal);
    return std::make_unique<StandardErrorSink>(readable, terminal);
}

void MemoryLogSink::write(const LogLine& line) {
    if (lines_.size() == kLinesMax)
        lines_.erase(lines_.begin());
    lines_.push_back(format_json(line));
}

Logger::Logger(const Clock& clock, LogSink& sink, LoggerOptions options)
    : clock_(&clock), sink_(&sink), options_(options), level_(options.level) {
    LEFTFOLD_ASSERT(options.burst_lines > 0 && options.lines_per_second > 0);
}

Logger::Logger() noexcept : level_(LogLevel::off) {}

Logger::~Logger() {
    flush();
}

void Logger::set_level(LogLevel level) noexcept {
    LEFTFOLD_ASSERT(sink_ != nullptr || level == LogLevel::off);
    level_.store(level, std::memory_order_relaxed);
}

bool Logger::take(Budget& budget) const noexcept {
    const Duration per_line = std::chrono::seconds(1) / static_cast<std::int64_t>(options_.lines_per_second);
    const MonotonicTime now = clock_->monotonic();
    const MonotonicTime spent_until = std::max(budget.spent_until, now) + per_line;
    if (spent_until - now > per_line * static_cast<std::int64_t>(options_.burst_lines))
        return false;
    budget.spent_until = spent_until;
    return true;
}

void Logger::write(LogLevel level, LogEventName event, std::span<const LogField> fields) {
    LEFTFOLD_ASSERT(level != LogLevel::off);
    const std::lock_guard lock(mutex_);
    Budget& budget = budgets_[event.name()];
    budget.level = level;
    if (!take(budget)) {
        ++budget.suppressed;
        return;
    }
    sink_->write({clock_->now(), level, event.name(), fields, std::exchange(budget.suppressed, 0)});
}

void Logger::flush() {
    const std::lock_guard lock(mutex_);
    for (auto& [event, budget] : budgets_)
        if (budget.suppressed != 0)
            sink_->write({clock_->now(), budget.level, event, {}, std::exchange(budget.suppressed, 0)});
}

}  // namespace leftfold
