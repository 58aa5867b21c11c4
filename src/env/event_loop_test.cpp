// RealEnv's scheduler, timers and workers.
#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <semaphore>
#include <string_view>
#include <thread>
#include <utility>
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

TEST(EventLoop, idle_step_waits_for_the_steps_that_others_post) {
    RealEnv real;
    Scheduler& scheduler = real.env().scheduler;
    std::vector<int> ran;
    scheduler.post_when_idle(
        [&] {
            ran.push_back(3);
            real.stop();
        },
        std::chrono::hours(1));
    scheduler.post([&] {
        ran.push_back(1);
        scheduler.post([&] { ran.push_back(2); });
    });
    real.run();
    EXPECT_EQ(ran, (std::vector{1, 2, 3}));
}

TEST(EventLoop, idle_step_comes_in_time_although_the_loop_is_never_idle) {
    RealEnv real;
    Scheduler& scheduler = real.env().scheduler;
    bool came = false;
    std::move_only_function<void()> busy = [&] {
        if (came)
            real.stop();
        else
            scheduler.post([&] { busy(); });
    };
    const MonotonicTime start = real.env().clock.monotonic();
    scheduler.post_when_idle([&] { came = true; }, milliseconds(3));
    busy();
    real.run();
    EXPECT_GE(real.env().clock.monotonic() - start, milliseconds(3));
}

// Where the jobs of one brief worker run, each submitted by the report of the one before.
struct BriefWorker {
    explicit BriefWorker(RealEnv& env, std::string_view name)
        : real(env), worker(real.env().workers.start(name, real.env().scheduler, JobLength::brief)) {}

    void run(std::vector<Job> jobs) {
        jobs_ = std::move(jobs);
        submit(0);
        real.run();
    }
    void submit(std::size_t index) {
        worker->submit(
            [this, index] {
                threads.push_back(std::this_thread::get_id());
                jobs_[index]();
            },
            [this, index] {
                if (index + 1 == jobs_.size())
                    real.stop();
                else
                    submit(index + 1);
            });
    }

    RealEnv& real;
    std::unique_ptr<Worker> worker;
    std::vector<std::thread::id> threads;

  private:
    std::vector<Job> jobs_;
};

std::vector<Job> two(std::move_only_function<void()> first) {
    std::vector<Job> jobs;
    jobs.push_back(std::move(first));
    jobs.emplace_back([] {});
    return jobs;
}

TEST(BriefJob, runs_on_the_loop_that_would_only_wait_for_it) {
    RealEnv real;
    BriefWorker brief(real, "brief");
    brief.run(two([] {}));
    EXPECT_EQ(brief.threads, std::vector(2, std::this_thread::get_id()));
}

TEST(BriefJob, after_a_long_one_the_next_runs_on_its_own_thread) {
    RealEnv real;
    BriefWorker brief(real, "brief");
    brief.run(two([&] {
        const MonotonicTime until = real.env().clock.monotonic() + milliseconds(2);
        while (real.env().clock.monotonic() < until) {
        }
    }));
    ASSERT_EQ(brief.threads.size(), 2U);
    EXPECT_EQ(brief.threads[0], std::this_thread::get_id());
    EXPECT_NE(brief.threads[1], std::this_thread::get_id());
}

TEST(BriefJob, runs_on_its_own_thread_while_the_loop_has_other_work) {
    RealEnv real;
    BriefWorker brief(real, "brief");
    bool ended = false;
    std::move_only_function<void()> busy = [&] {
        if (!ended)
            real.env().scheduler.post([&] { busy(); });
    };
    brief.worker->submit([&] { brief.threads.push_back(std::this_thread::get_id()); },
                         [&] {
                             ended = true;
                             real.stop();
                         });
    busy();
    real.run();
    ASSERT_EQ(brief.threads.size(), 1U);
    EXPECT_NE(brief.threads[0], std::this_thread::get_id());
}

TEST(BriefJob, those_of_several_workers_run_at_once) {
    RealEnv real;
    const auto a = real.env().workers.start("a", real.env().scheduler, JobLength::brief);
    const auto b = real.env().workers.start("b", real.env().scheduler, JobLength::brief);
    std::atomic<int> begun = 0;
    int ended = 0;
    // Each ends only once both have begun.
    const auto meet = [&] {
        ++begun;
        while (begun < 2)
            std::this_thread::yield();
    };
    const auto end = [&] {
        if (++ended == 2)
            real.stop();
    };
    a->submit(meet, end);
    b->submit(meet, end);
    real.run();
    EXPECT_EQ(ended, 2);
}

TEST(BriefJob, jobs_of_one_worker_keep_their_order) {
    RealEnv real;
    const auto worker = real.env().workers.start("brief", real.env().scheduler, JobLength::brief);
    std::vector<int> jobs;
    std::vector<int> reports;
    constexpr int kJobs = 100;
    for (int index = 0; index < kJobs; ++index)
        worker->submit([&, index] { jobs.push_back(index); },
                       [&, index] {
                           reports.push_back(index);
                           if (index == kJobs - 1)
                               real.stop();
                       });
    real.run();
    std::vector<int> expected(kJobs);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(jobs, expected);
    EXPECT_EQ(reports, expected);
}

TEST(BriefJob, is_done_before_its_worker_goes) {
    RealEnv real;
    int ran = 0;
    {
        const auto worker = real.env().workers.start("brief", real.env().scheduler, JobLength::brief);
        worker->submit([&] { ++ran; }, [] {});
    }
    EXPECT_EQ(ran, 1);
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
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(jobs, expected);
    EXPECT_EQ(reports, expected);
}

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
