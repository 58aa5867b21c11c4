// Task, TaskScope: coroutines for waiting at the edges, where a chain of callbacks would hide the order of things.
//
//     Task<> greet(Scheduler& scheduler, std::string name) {        // parameters by value, never a capturing lambda
//         if (const auto slept = co_await sleep_for(scheduler, 1s); !slept)
//             co_return;                                            // cancelled: the scope stops
//         std::string text = co_await greeting_for(name);           // a Task<std::string>, run to its first wait at
//         once Completion<Reply> reply; client.ask(text, [completer = reply.completer()](Reply r) mutable {
//         completer.complete(std::move(r)); }); const Result<Reply> answer = co_await reply;
//     }
//     scope.spawn(greet(scheduler, "world"));
//
// Every wait ends: with what was waited for, or with `cancelled` once the scope stops. What was suspended is resumed by
// a step of the scheduler, never from within the call that ended the wait, so no depth of waits fills the stack. No
// suspended coroutine is ever destroyed. All of it happens on the scheduler's thread.
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/error.hpp"
#include "leftfold/env/scheduler.hpp"

namespace leftfold {

template <class T>
class Task;
class TaskScope;

// What all coroutines of this kind have in common. A task takes its scope from the one that awaits it.
class TaskPromise {
  public:
    TaskScope& scope() const noexcept { return *scope_; }

    std::suspend_always initial_suspend() const noexcept { return {}; }
    auto final_suspend() const noexcept { return FinalWait{}; }

  protected:
    void keep_exception();
    void rethrow_exception() const;

  private:
    template <class T>
    friend class Task;
    friend class TaskScope;

    struct FinalWait {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
            finished.promise().finished(finished);
        }
        void await_resume() const noexcept {}
    };
    void finished(std::coroutine_handle<> self) noexcept;

    TaskScope* scope_ = nullptr;
    std::coroutine_handle<> awaiting_;  // set only once it is suspended
    bool is_root_ = false;
    std::exception_ptr exception_;
};

// One suspension of a task, in the list of its scope while it lasts. Base of whatever a task can wait for.
class Wait {
  public:
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

  protected:
    Wait() = default;
    virtual ~Wait() { LEFTFOLD_ASSERT(!suspended()); }

    bool suspended() const noexcept { return scope_ != nullptr; }
    // Suspends `task` until end(); false, and it goes on, if its scope is stopping.
    bool begin(TaskScope& scope, std::coroutine_handle<> task);
    // Resumes the task, later. Once.
    void end();

  private:
    friend class TaskScope;
    // The scope stops: note it for the task, then end().
    virtual void cancelled() = 0;

    TaskScope* scope_ = nullptr;
    std::coroutine_handle<> task_;
    Wait* previous_ = nullptr;
    Wait* next_ = nullptr;
};

// Whose tasks stop together. The owner calls stop() and waits for its answer before destroying the scope.
class TaskScope {
  public:
    explicit TaskScope(Scheduler& scheduler) noexcept : scheduler_(scheduler) {}
    TaskScope(const TaskScope&) = delete;
    TaskScope& operator=(const TaskScope&) = delete;
    // Asserts that no task is left.
    ~TaskScope();

    // Begins the task by a later step. Once the scope stops, the task is destroyed instead, without being begun. An
    // exception that leaves it ends the process.
    void spawn(Task<void> task);

    // Cancels every wait, also those that begin later, and posts `stopped` once all tasks have ended. Once.
    void stop(Step stopped);
    bool stopping() const noexcept { return stopping_; }

    Scheduler& scheduler() const noexcept { return scheduler_; }

  private:
    friend class TaskPromise;
    friend class Wait;

    void reap(std::coroutine_handle<> root);

    Scheduler& scheduler_;
    Wait* waits_ = nullptr;
    std::size_t task_count_ = 0;
    bool stopping_ = false;
    Step stopped_;
};

template <class T>
class TaskResult : public TaskPromise {
  public:
    void return_value(T value) { value_.emplace(std::move(value)); }
    void unhandled_exception() { keep_exception(); }
    T take() {
        rethrow_exception();
        return std::move(*value_);
    }

  private:
    std::optional<T> value_;
};

template <>
class TaskResult<void> : public TaskPromise {
  public:
    void return_void() const noexcept {}
    void unhandled_exception() { keep_exception(); }
    void take() const { rethrow_exception(); }
};

// A coroutine that begins when it is awaited, or spawned. co_await gives its value or throws what it threw.
template <class T = void>
class [[nodiscard]] Task {
  public:
    struct promise_type : TaskResult<T> {
        Task get_return_object() noexcept { return Task(Handle::from_promise(*this)); }
    };

    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Task() {
        if (!handle_)
            return;
        const bool never_begun = handle_.promise().scope_ == nullptr;
        LEFTFOLD_ASSERT(never_begun || handle_.done());
        handle_.destroy();
    }

    bool await_ready() const noexcept { return false; }
    template <std::derived_from<TaskPromise> Awaiting>
    bool await_suspend(std::coroutine_handle<Awaiting> awaiting) {
        TaskPromise& promise = handle_.promise();
        promise.scope_ = &awaiting.promise().scope();
        handle_.resume();
        if (handle_.done())
            return false;  // it never waited, so neither does the one that awaits it
        promise.awaiting_ = awaiting;
        return true;
    }
    T await_resume() { return handle_.promise().take(); }

  private:
    friend class TaskScope;
    using Handle = std::coroutine_handle<promise_type>;

    explicit Task(Handle handle) noexcept : handle_(handle) {}

    Handle handle_;
};

// The bridge from calls that answer by callback. The task owns the Completion and awaits it, once; the callback owns
// its Completer and completes it, once. Neither minds if the other is gone; a Completer destroyed unused completes with
// `cancelled`.
template <class T = void>
class Completion final : private Wait {
  public:
    class Completer {
      public:
        Completer(Completer&& other) noexcept : completion_(std::exchange(other.completion_, nullptr)) {
            if (completion_ != nullptr)
                completion_->completer_ = this;
        }
        Completer& operator=(Completer&&) = delete;
        ~Completer() {
            if (completion_ != nullptr)
                complete(fail(ErrorCode::cancelled, "dropped without an answer"));
        }
        void complete(Result<T> result) {
            if (Completion* completion = std::exchange(completion_, nullptr); completion != nullptr)
                completion->set(std::move(result));
        }

      private:
        friend class Completion;
        explicit Completer(Completion& completion) noexcept : completion_(&completion) { completion.completer_ = this; }

        Completion* completion_;
    };

    Completion() = default;
    ~Completion() override { detach(); }

    Completer completer() {
        LEFTFOLD_ASSERT(!std::exchange(has_completer_, true));
        return Completer(*this);
    }

    bool await_ready() const noexcept {
        LEFTFOLD_ASSERT(has_completer_);
        return result_.has_value();
    }
    template <std::derived_from<TaskPromise> Awaiting>
    bool await_suspend(std::coroutine_handle<Awaiting> awaiting) {
        if (begin(awaiting.promise().scope(), awaiting))
            return true;
        set_cancelled();
        return false;
    }
    Result<T> await_resume() { return std::move(*result_); }

  private:
    void set(Result<T> result) {
        completer_ = nullptr;
        result_.emplace(std::move(result));
        if (suspended())
            end();
    }
    void set_cancelled() {
        detach();
        result_.emplace(fail(ErrorCode::cancelled, "stopped while waiting"));
    }
    void detach() noexcept {
        if (completer_ != nullptr)
            std::exchange(completer_, nullptr)->completion_ = nullptr;
    }
    void cancelled() override {
        set_cancelled();
        end();
    }

    Completer* completer_ = nullptr;
    bool has_completer_ = false;
    std::optional<Result<T>> result_;
};

class Sleep final : private Wait {
  public:
    Sleep(Scheduler& scheduler, Duration delay) noexcept : scheduler_(scheduler), delay_(delay) {}

    bool await_ready() const noexcept { return false; }
    template <std::derived_from<TaskPromise> Awaiting>
    bool await_suspend(std::coroutine_handle<Awaiting> awaiting) {
        cancelled_ = !begin(awaiting.promise().scope(), awaiting);
        if (!cancelled_)
            timer_ = scheduler_.call_after(delay_, [this] { end(); });
        return !cancelled_;
    }
    Result<> await_resume() const {
        if (cancelled_)
            return fail(ErrorCode::cancelled, "stopped while sleeping");
        return {};
    }

  private:
    void cancelled() override;

    Scheduler& scheduler_;
    Duration delay_;
    TimerId timer_;
    bool cancelled_ = false;
};

// co_await sleep_for(scheduler, 5s) gives a Result<>, which fails only with `cancelled`.
inline Sleep sleep_for(Scheduler& scheduler, Duration delay) noexcept {
    return Sleep(scheduler, delay);
}

}  // namespace leftfold

// LEFTFOLD_TRY and LEFTFOLD_CHECK within a coroutine.
#define LEFTFOLD_CO_TRY(declaration, ...)                                                                              \
    auto LEFTFOLD_CONCAT(leftfold_try_, __LINE__) = (__VA_ARGS__);                                                     \
    if (!LEFTFOLD_CONCAT(leftfold_try_, __LINE__))                                                                     \
        co_return ::std::unexpected<::leftfold::Error>(::std::move(LEFTFOLD_CONCAT(leftfold_try_, __LINE__)).error()); \
    auto declaration = ::std::move(*LEFTFOLD_CONCAT(leftfold_try_, __LINE__))

#define LEFTFOLD_CO_CHECK(...)                                                                   \
    do {                                                                                         \
        if (auto leftfold_check = (__VA_ARGS__); !leftfold_check)                                \
            co_return ::std::unexpected<::leftfold::Error>(::std::move(leftfold_check).error()); \
    } while (false)
