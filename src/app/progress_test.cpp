#include "leftfold/app/progress.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leftfold {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class HandClock final : public Clock {
  public:
    Timestamp now() const noexcept override { return Timestamp(); }
    MonotonicTime monotonic() const noexcept override { return MonotonicTime(passed); }

    Duration passed{};
};

struct ProgressTest : ::testing::Test {
    HandClock clock;
    std::ostringstream out;
    std::ostringstream err;
    Terminal pipe{out, err};
    Terminal screen{out, err, true, true, 100};

    static ProgressOptions import(std::uint64_t total) {
        return {.what = "import", .unit = "transactions", .total = total};
    }
    void pass(Duration duration) { clock.passed += duration; }
};

TEST_F(ProgressTest, pipe_gets_lines_at_intervals) {
    {
        Progress progress(clock, pipe, import(32'845));
        for (int second = 0; second < 10; ++second) {
            pass(seconds(1));
            progress.advance(2'000);
        }
        progress.set(32'845);
        progress.finish();
    }
    EXPECT_EQ(err.str(),
              "import: 30 %, 10,000 of 32,845 transactions, 2,000/s, 0:11 left\n"
              "import: 60 %, 20,000 of 32,845 transactions, 2,000/s, 0:06 left\n"
              "import: 32,845 transactions in 10.0 s, 3,285/s\n");
    EXPECT_EQ(out.str(), "");
}

TEST_F(ProgressTest, screen_gets_one_line_drawn_again) {
    {
        Progress progress(clock, screen, import(1'000));
        progress.advance();
        EXPECT_EQ(err.str(), "") << "a short command does not flicker";
        pass(milliseconds(100));
        progress.set(400);
        EXPECT_EQ(err.str(),
                  "\rimport [##########...............]  40 %  400 of 1,000 transactions, 4,000/s, 0:00 left\x1b[K");
        pass(milliseconds(50));
        progress.set(500);
        EXPECT_EQ(std::ranges::count(err.str(), '\r'), 1) << "drawn ten times a second at most";
        pass(milliseconds(50));
        progress.set(1'000);
        progress.finish();
    }
    EXPECT_THAT(err.str(), EndsWith("\r\x1b[Kimport: 1,000 transactions in 0.2 s, 5,000/s\n"));
}

TEST_F(ProgressTest, narrow_screen_is_not_overrun) {
    screen.columns = 30;
    Progress progress(clock, screen, import(1'000));
    pass(seconds(1));
    progress.set(400);
    EXPECT_EQ(err.str(), "\rimport [##########...........\x1b[K");
}

TEST_F(ProgressTest, rate_is_that_of_the_last_seconds) {
    Progress progress(clock, pipe, import(1'000'000));
    for (int second = 0; second < 60; ++second) {
        pass(seconds(1));
        progress.advance(second < 30 ? 10'000 : 100);
    }
    const std::string text = err.str();
    EXPECT_THAT(text.substr(text.rfind("import:")), HasSubstr(" 100/s, "));
}

TEST_F(ProgressTest, standstill_promises_no_end) {
    Progress progress(clock, pipe, import(10));
    pass(seconds(6));
    progress.set(0);
    EXPECT_EQ(err.str(), "import: 0 %, 0 of 10 transactions, 0.0/s\n");
}

TEST_F(ProgressTest, unknown_total_shows_no_share) {
    Progress progress(clock, screen, {.what = "replay", .unit = "events"});
    pass(seconds(2));
    progress.set(1'234);
    EXPECT_EQ(err.str(), "\rreplay 1,234 events, 617/s\x1b[K");
}

TEST_F(ProgressTest, note_is_shown_at_once) {
    Progress progress(clock, pipe, import(10));
    progress.note("waiting for the server");
    progress.note("waiting for the server");
    EXPECT_EQ(err.str(), "import: 0 %, 0 of 10 transactions, 0.0/s, waiting for the server\n");
}

TEST_F(ProgressTest, silent_is_silent) {
    Progress progress(clock, screen, {.what = "import", .unit = "x", .silent = true});
    pass(seconds(60));
    progress.advance(5);
    progress.note("n");
    progress.say("s");
    progress.finish();
    EXPECT_EQ(err.str() + out.str(), "");
    EXPECT_EQ(progress.done(), 5u);
}

TEST_F(ProgressTest, line_between_leaves_the_bar_whole) {
    {
        Progress progress(clock, screen, import(10));
        pass(seconds(1));
        progress.set(5);
        progress.say("account 7: overdraft");
        EXPECT_THAT(err.str(), HasSubstr("\r\x1b[Kaccount 7: overdraft\n\rimport ["));
        EXPECT_THAT(err.str(), Not(EndsWith("\n")));
    }
    EXPECT_THAT(err.str(), EndsWith("\n")) << "an early end leaves the prompt on its own line";
}

}  // namespace
}  // namespace leftfold
