// RealEnv's scheduler, timers and workers.
#include <atomic>
#include <functional>
#include <semaphore>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "leftfold/env/real_env.hpp"

namespace leftfold {
namespace {

using std::chrono::milliseconds;

TEST(EventLoop, posted_steps_run_in_order_and_not_within_post) {
    RealEnv real;
    Scheduler& scheduler = real.env().scheduler;
    std::vector<int> ran;
    scheduler.post([&] {
        scheduler.post([&] { ran.push_back(3); });
        ran.push_back(1);
    });
    scheduler.post([&] { ran.push_back(2); });
    EXPECT_TRUE(ran.empty());
    scheduler.post([&] { scheduler.post([&] { real.stop(); }); });
    real.run();
    EXPECT_EQ(ran, (std::vector{1, 2, 3}));
}

TEST(EventLoop, steps_of_other_threads_each_keep_their_order) {
    constexpr int kThreads = 4;
    constexpr int kSteps = 20'000;
    RealEnv real;
    std::vector<int> next(kThreads, 0);
    int out_of_order = 0;
    int left = kThreads * kSteps;
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&, thread] {
            for (int index = 0; index < kSteps; ++index)
                real.env().scheduler.post([&, thread, index] {
                    out_of_order += next[thread]++ != index;
                    if (--left == 0)
                        real.stop();
                });
        });
    real.run();
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(left, 0);
    EXPECT_EQ(out_of_order, 0);
}

TEST(EventLoop, a_post_wakes_the_sleeping_loop_every_time) {
    RealEnv real;
    const auto worker = real.env().workers.start("ping", real.env().scheduler);
    int left = 5'000;
    std::move_only_function<void()> again;
    again = [&] {
        if (--left == 0)
            real.stop();
        else
            worker->submit([] {}, [&] { again(); });
    };
    again();
    real.run();
    EXPECT_EQ(left, 0);
}

TEST(EventLoop, timers_fire_by_time_then_by_order_of_setting) {
    RealEnv real;
    Scheduler& scheduler = real.env().scheduler;
    std::vector<int> fired;
    const auto set = [&](int delay_ms, int name) {
        return scheduler.call_after(milliseconds(delay_ms), [&fired, name] { fired.push_back(name); });
    };
    set(6, 4);
    set(0, 1);
    set(3, 2);
    const TimerId cancelled = set(2, 100);
    set(3, 3);
    scheduler.cancel(cancelled);
    scheduler.call_after(milliseconds(9), [&] { real.stop(); });
    const MonotonicTime start = real.env().clock.monotonic();
    real.run();
    EXPECT_EQ(fired, (std::vector{1, 2, 3, 4}));
    EXPECT_GE(real.env().clock.monotonic() - start, milliseconds(8));
}

TEST(EventLoop, stop_returns_after_the_running_step_and_run_goes_on_with_the_rest) {
    RealEnv real;
    std::vector<int> ran;
    real.env().scheduler.post([&] {
        ran.push_back(1);
        real.stop();
    });
    real.env().scheduler.post([&] {
        ran.push_back(2);
        real.stop();
    });
    real.run();
    EXPECT_EQ(ran, (std::vector{1}));
    real.run();
    EXPECT_EQ(ran, (std::vector{1, 2}));
}

TEST(Worker, jobs_and_their_reports_keep_the_order_of_submission) {
    RealEnv real;
    const auto worker = real.env().workers.start("a-name-longer-than-fifteen", real.env().scheduler);
    std::vector<int> jobs;
    std::vector<int> reports;
    constexpr int kJobs = 1'000;
    for (int index = 0; index < kJobs; ++index)
        worker->submit([&, index] { jobs.push_back(index); },
                       [&, index] {
                           reports.push_back(index);
                           if (index == kJobs - 1)
                               real.stop();
                       });
    real.run();
    std::vector<int> expected(kJobs);
    for (int index = 0; index < kJobs; ++index)
        expected[static_cast<std::size_t>(index)] = index;
    EXPECT_EQ(jobs, expected);
    EXPECT_EQ(reports, expected);
}

// The loop awaits a lone job awake, then asleep: in both it must go on with what else there is.
TEST(Worker, timers_and_posts_come_while_a_lone_job_takes_long) {
    RealEnv real;
    Scheduler& scheduler = real.env().scheduler;
    const auto worker = real.env().workers.start("slow", scheduler);
    constexpr int kJobs = 3;
    int reports = 0;
    std::binary_semaphore released(0);
    std::move_only_function<void()> submit = [&] {
        worker->submit(
            [&] {
                scheduler.post([&] { scheduler.call_after(milliseconds(1), [&] { released.release(); }); });
                released.acquire();
            },
            [&] {
                if (++reports == kJobs)
                    real.stop();
                else
                    submit();
            });
    };
    scheduler.post([&] { submit(); });
    real.run();
    EXPECT_EQ(reports, kJobs);
}

TEST(Worker, destructor_waits_for_what_was_submitted) {
    RealEnv real;
    std::atomic<int> ran = 0;
    {
        const auto worker = real.env().workers.start("short", real.env().scheduler);
        for (int index = 0; index < 100; ++index)
            worker->submit([&] { ++ran; }, [] {});
    }
    EXPECT_EQ(ran, 100);
}

}  // namespace
}  // namespace leftfold
