#include "leftfold/app/progress.hpp"

#include <algorithm>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold {

namespace {

constexpr Duration kRateWindow = std::chrono::seconds(3);

double seconds_of(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

// 32,845
std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t i = digits.size(); i > 3; i -= 3)
        digits.insert(i - 3, 1, ',');
    return digits;
}

// 0:05, 12:30, 1:00:00
std::string clock_text(double seconds) {
    constexpr double kTooLong = 100.0 * 3600;
    if (!(seconds < kTooLong))
        return "long";
    const auto total = static_cast<std::uint64_t>(seconds + 0.5);
    const std::uint64_t hours = total / 3600;
    const std::uint64_t minutes = total / 60 % 60;
    return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, total % 60)
                     : fmt::format("{}:{:02}", minutes, total % 60);
}

std::string rate_text(double per_second) {
    return per_second >= 10 ? grouped(static_cast<std::uint64_t>(per_second + 0.5)) + "/s"
                            : fmt::format("{:.1f}/s", per_second);
}

}  // namespace

Progress::Progress(const Clock& clock, Terminal& terminal, ProgressOptions options)
    : clock_(clock),
      terminal_(terminal),
      options_(std::move(options)),
      start_(clock.monotonic()),
      next_show_(start_ + interval()),
      older_{start_, 0},
      newer_{start_, 0} {}

Progress::~Progress() {
    end_bar();
}

Duration Progress::interval() const noexcept {
    return terminal_.err_is_terminal ? options_.bar_interval : options_.line_interval;
}

void Progress::set(std::uint64_t done) {
    done_ = done;
    if (options_.silent)
        return;
    if (const MonotonicTime now = clock_.monotonic(); now >= next_show_)
        show(now);
}

void Progress::note(std::string text) {
    if (text == note_)
        return;
    note_ = std::move(text);
    if (!options_.silent)
        show(clock_.monotonic());
}

void Progress::say(const std::string& line) {
    if (options_.silent)
        return;
    if (bar_open_)
        terminal_.err << "\r\x1b[K";
    bar_open_ = false;
    terminal_.err << line << '\n';
    if (terminal_.err_is_terminal)
        show(clock_.monotonic());
}

void Progress::finish() {
    LEFTFOLD_ASSERT(!finished_);
    finished_ = true;
    if (options_.silent)
        return;
    const double seconds = seconds_of(clock_.monotonic() - start_);
    if (bar_open_)
        terminal_.err << "\r\x1b[K";
    bar_open_ = false;
    terminal_.err << fmt::format("{}: {} {} in {:.1f} s", options_.what, grouped(done_), options_.unit, seconds);
    if (seconds > 0)
        terminal_.err << ", " << rate_text(static_cast<double>(done_) / seconds);
    terminal_.err << std::endl;
}

double Progress::rate(MonotonicTime now) const {
    const double seconds = seconds_of(now - older_.time);
    return seconds > 0 && done_ > older_.done ? static_cast<double>(done_ - older_.done) / seconds : 0;
}

std::string Progress::numbers(MonotonicTime now) const {
    std::string text = grouped(done_);
    if (options_.total)
        text += " of " + grouped(*options_.total);
    text += " " + options_.unit;
    const double per_second = rate(now);
    text += ", " + rate_text(per_second);
    if (options_.total && *options_.total > done_ && per_second > 0)
        text += ", " + clock_text(static_cast<double>(*options_.total - done_) / per_second) + " left";
    if (!note_.empty())
        text += ", " + note_;
    return text;
}

void Progress::show(MonotonicTime now) {
    next_show_ = now + interval();
    const std::uint64_t percent =
        options_.total && *options_.total > 0
            ? static_cast<std::uint64_t>(100.0 * static_cast<double>(std::min(done_, *options_.total)) /
                                         static_cast<double>(*options_.total))
            : 0;
    if (!terminal_.err_is_terminal) {
        terminal_.err << options_.what << ": ";
        if (options_.total)
            terminal_.err << percent << " %, ";
        terminal_.err << numbers(now) << std::endl;
    } else {
        constexpr std::size_t kBarWidth = 25;
        std::string text = options_.what + " ";
        if (options_.total) {
            const std::size_t full = kBarWidth * percent / 100;
            text += fmt::format("[{}{}] {:3} %  ", std::string(full, '#'), std::string(kBarWidth - full, '.'), percent);
        }
        write_bar(text + numbers(now));
    }
    if (now - newer_.time >= kRateWindow)
        older_ = std::exchange(newer_, {now, done_});
}

void Progress::write_bar(const std::string& text) {
    const auto columns = static_cast<std::size_t>(std::max(terminal_.columns, 20));
    terminal_.err << '\r' << text.substr(0, columns - 1) << "\x1b[K" << std::flush;
    bar_open_ = true;
}

void Progress::end_bar() {
    if (bar_open_)
        terminal_.err << std::endl;
    bar_open_ = false;
}

}  // namespace leftfold
