#include "leftfold/env/task.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "leftfold/env/real_env.hpp"

namespace leftfold {
namespace {

using namespace std::chrono_literals;

struct World {
    RealEnv real;
    TaskScope scope{real.env().scheduler};

    Scheduler& scheduler() { return real.env().scheduler; }
    // Cancels all waits and runs until every task has ended.
    void run_and_stop() {
        scope.stop([this] { real.stop(); });
        real.run();
    }
    void run_until_stop() { real.run(); }
};

Task<int> value_of(int value) {
    co_return value;
}

Task<int> sleep_and_add(Scheduler& scheduler, int left, int right) {
    if (const auto slept = co_await sleep_for(scheduler, 1ms); !slept)
        co_return -1;
    const int first = co_await value_of(left);
    co_return first + right;
}

Task<> store_sum(Scheduler& scheduler, int& out, RealEnv& real) {
    out = co_await sleep_and_add(scheduler, 2, 3);
    real.stop();
}

TEST(Task, values_come_back_through_waits) {
    World world;
    int sum = 0;
    world.scope.spawn(store_sum(world.scheduler(), sum, world.real));
    EXPECT_EQ(sum, 0);
    world.run_until_stop();
    EXPECT_EQ(sum, 5);
    world.run_and_stop();
}

Task<> note(std::vector<int>& order, int name) {
    order.push_back(name);
    co_return;
}

TEST(Task, spawned_tasks_begin_later_in_order) {
    World world;
    std::vector<int> order;
    world.scope.spawn(note(order, 1));
    world.scope.spawn(note(order, 2));
    EXPECT_TRUE(order.empty());
    world.run_and_stop();
    EXPECT_EQ(order, (std::vector{1, 2}));
}

Task<> never_begun(std::shared_ptr<int> parameter) {
    ++*parameter;
    co_return;
}

TEST(Task, one_that_is_never_begun_is_destroyed_with_its_parameters) {
    World world;
    const auto counted = std::make_shared<int>(0);
    {
        const auto task = never_begun(counted);
    }
    world.scope.stop([&] { world.real.stop(); });
    world.scope.spawn(never_begun(counted));
    world.run_until_stop();
    EXPECT_EQ(counted.use_count(), 1);
    EXPECT_EQ(*counted, 0);
}

Task<int> throw_after_wait(Scheduler& scheduler, bool wait) {
    if (wait)
        static_cast<void>(co_await sleep_for(scheduler, 0ms));
    throw std::runtime_error("thrown");
    co_return 0;
}

Task<> catch_it(Scheduler& scheduler, bool wait, std::string& caught, RealEnv& real) {
    try {
        static_cast<void>(co_await throw_after_wait(scheduler, wait));
    } catch (const std::exception& thrown) {
        caught = thrown.what();
    }
    real.stop();
}

TEST(Task, exception_reaches_the_one_that_awaits) {
    for (const bool wait : {false, true}) {
        World world;
        std::string caught;
        world.scope.spawn(catch_it(world.scheduler(), wait, caught, world.real));
        world.run_until_stop();
        EXPECT_EQ(caught, "thrown");
        world.run_and_stop();
    }
}

constexpr int kManyWaits = 3'000'000;

Task<> await_many_tasks(std::int64_t& sum) {
    for (int index = 0; index < kManyWaits; ++index)
        sum += co_await value_of(1);
}

// Each of these would add a frame to the stack if an await resumed by a call, or by a tail call that is none.
TEST(Task, three_million_synchronous_awaits_do_not_fill_the_stack) {
    World world;
    std::int64_t sum = 0;
    world.scope.spawn(await_many_tasks(sum));
    world.run_and_stop();
    EXPECT_EQ(sum, kManyWaits);
}

Task<> await_many_completions(std::int64_t& sum) {
    for (int index = 0; index < kManyWaits; ++index) {
        Completion<int> completion;
        completion.completer().complete(1);
        const auto value = co_await completion;
        sum += *value;
    }
}

TEST(Task, three_million_completed_completions_do_not_fill_the_stack) {
    World world;
    std::int64_t sum = 0;
    world.scope.spawn(await_many_completions(sum));
    world.run_and_stop();
    EXPECT_EQ(sum, kManyWaits);
}

Task<> pass_on(std::vector<Completion<>::Completer>& completers, std::size_t index, int& passed) {
    Completion<> completion;
    completers.push_back(completion.completer());
    static_cast<void>(co_await completion);
    ++passed;
    if (index > 0)
        completers[index - 1].complete({});
}

// If complete() resumed the task that waits, the whole chain would lie on the stack.
TEST(Task, long_chain_of_tasks_that_complete_each_other_does_not_fill_the_stack) {
    constexpr std::size_t kTasks = 100'000;
    World world;
    std::vector<Completion<>::Completer> completers;
    int passed = 0;
    for (std::size_t index = 0; index < kTasks; ++index)
        world.scope.spawn(pass_on(completers, index, passed));
    world.scheduler().post([&] {
        ASSERT_EQ(completers.size(), kTasks);
        completers.back().complete({});
        EXPECT_EQ(passed, 0);
        world.real.stop();
    });
    world.run_until_stop();
    while (passed < static_cast<int>(kTasks)) {
        world.scheduler().post([&] { world.real.stop(); });
        world.run_until_stop();
    }
    world.run_and_stop();
}

Task<> await_worker(Worker& worker, Result<std::string>& out, RealEnv& real) {
    Completion<std::string> completion;
    worker.submit([] {}, [completer = completion.completer()]() mutable { completer.complete("done"); });
    out = co_await completion;
    real.stop();
}

TEST(Completion, callback_completes_it) {
    World world;
    const auto worker = world.real.env().workers.start("task", world.scheduler());
    Result<std::string> out;
    world.scope.spawn(await_worker(*worker, out, world.real));
    world.run_until_stop();
    EXPECT_EQ(out.value(), "done");
    world.run_and_stop();
}

using Kept = std::optional<Completion<std::string>::Completer>;

Task<> await_kept(Kept& kept, std::vector<Result<std::string>>& out) {
    Completion<std::string> completion;
    kept.emplace(completion.completer());
    auto result = co_await completion;
    out.push_back(std::move(result));
}

TEST(Completion, completer_dropped_unused_cancels) {
    World world;
    Kept kept;
    std::vector<Result<std::string>> out;
    world.scope.spawn(await_kept(kept, out));
    world.scheduler().post([&] {
        kept.reset();
        EXPECT_TRUE(out.empty());
        world.scheduler().post([&] { world.real.stop(); });
    });
    world.run_until_stop();
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(out[0].error().code(), ErrorCode::cancelled);
    world.run_and_stop();
}

TEST(Completion, answer_after_the_stop_is_ignored) {
    World world;
    Kept kept;
    std::vector<Result<std::string>> out;
    world.scope.spawn(await_kept(kept, out));
    world.scheduler().post([&] { world.real.stop(); });
    world.run_until_stop();
    world.run_and_stop();
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(out[0].error().code(), ErrorCode::cancelled);
    ASSERT_TRUE(kept.has_value());
    kept->complete("too late");
}

TEST(Completion, answer_given_before_the_stop_is_kept) {
    World world;
    Kept kept;
    std::vector<Result<std::string>> out;
    world.scope.spawn(await_kept(kept, out));
    world.scheduler().post([&] {
        kept->complete("in time");
        world.scope.stop([&] { world.real.stop(); });
    });
    world.run_until_stop();
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(out[0].value(), "in time");
}

Task<int> sleep_long_twice(Scheduler& scheduler) {
    int cancelled_count = 0;
    for (int round = 0; round < 2; ++round)
        if (const auto slept = co_await sleep_for(scheduler, 1h); !slept)
            cancelled_count += slept.error().code() == ErrorCode::cancelled;
    co_return cancelled_count;
}

Task<> clean_up(Scheduler& scheduler, std::vector<int>& out) {
    const int cancelled_count = co_await sleep_long_twice(scheduler);
    out.push_back(cancelled_count);
}

// The second sleep of each begins after the stop, and ends at once too.
TEST(TaskScope, stop_cancels_all_waits_and_answers_once_all_tasks_have_ended) {
    World world;
    std::vector<int> out;
    for (int index = 0; index < 100; ++index)
        world.scope.spawn(clean_up(world.scheduler(), out));
    world.scheduler().post([&] {
        world.scope.stop([&] {
            EXPECT_EQ(out, std::vector<int>(100, 2));
            world.real.stop();
        });
        EXPECT_TRUE(out.empty());
    });
    world.run_until_stop();
    EXPECT_EQ(out.size(), 100U);
}

TEST(TaskScopeDeathTest, destruction_with_tasks_left_asserts) {
    EXPECT_DEATH(
        {
            RealEnv real;
            std::vector<int> out;
            TaskScope scope(real.env().scheduler);
            scope.spawn(clean_up(real.env().scheduler, out));
        },
        "task_count_ == 0");
}

Task<> throw_alone() {
    throw std::runtime_error("nobody awaits me");
    co_return;
}

TEST(TaskScopeDeathTest, exception_that_leaves_a_spawned_task_ends_the_process) {
    EXPECT_DEATH(
        {
            World world;
            world.scope.spawn(throw_alone());
            world.run_and_stop();
        },
        "nobody awaits me");
}

Task<Result<int>> doubled(Result<int> given) {
    LEFTFOLD_CO_TRY(value, std::move(given));
    co_return 2 * value;
}

Task<Result<int>> checked(Result<int> given) {
    auto task = doubled(std::move(given));
    auto result = co_await std::move(task);
    LEFTFOLD_CO_CHECK(result);
    co_return *result + 1;
}

Task<> both_ways(std::vector<Result<int>>& out) {
    out.push_back(co_await checked(4));
    out.push_back(co_await checked(fail(ErrorCode::too_large, "x")));
}

TEST(Task, results_pass_through_the_macros) {
    World world;
    std::vector<Result<int>> out;
    world.scope.spawn(both_ways(out));
    world.run_and_stop();
    ASSERT_EQ(out.size(), 2U);
    EXPECT_EQ(out[0].value(), 9);
    EXPECT_EQ(out[1].error().code(), ErrorCode::too_large);
}

}  // namespace
}  // namespace leftfold
