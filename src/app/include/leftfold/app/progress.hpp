// Progress: tells how far a long command is. A bar with rate and remaining time on a terminal, a plain line now and
// then in a pipe, nothing where a program reads the result (--json). It writes to Terminal::err, so results stay clean.
//
// Used from one thread. Cheap enough to call for every item: most calls read the clock and return.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "leftfold/app/terminal.hpp"
#include "leftfold/base/time.hpp"
#include "leftfold/env/clock.hpp"

namespace leftfold {

struct ProgressOptions {
    std::string what = {};                              // "import"
    std::string unit = {};                              // "transactions"
    std::optional<std::uint64_t> total = std::nullopt;  // nothing where it is not known
    bool silent = false;
    Duration bar_interval = std::chrono::milliseconds(100);
    Duration line_interval = std::chrono::seconds(5);
};

class Progress {
  public:
    Progress(const Clock& clock, Terminal& terminal, ProgressOptions options);
    // Ends the bar's line if finish() did not.
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void advance(std::uint64_t count = 1) { set(done_ + count); }
    void set(std::uint64_t done);
    // Shown beside the numbers until it is changed: "waiting for the server".
    void note(std::string text);
    // A line of its own, above the bar.
    void say(const std::string& line);
    // Shows the end state. Once.
    void finish();

    std::uint64_t done() const noexcept { return done_; }

  private:
    struct Mark {
        MonotonicTime time;
        std::uint64_t done = 0;
    };

    Duration interval() const noexcept;
    void show(MonotonicTime now);
    std::string numbers(MonotonicTime now) const;
    double rate(MonotonicTime now) const;
    void write_bar(const std::string& text);
    void end_bar();

    const Clock& clock_;
    Terminal& terminal_;
    ProgressOptions options_;
    MonotonicTime start_;
    MonotonicTime next_show_;
    // The rate shown is that of the last seconds, not of the whole run: two marks move along.
    Mark older_;
    Mark newer_;
    std::uint64_t done_ = 0;
    std::string note_ = {};
    bool bar_open_ = false;
    bool finished_ = false;
};

}  // namespace leftfold
