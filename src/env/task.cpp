#include "leftfold/env/task.hpp"

namespace leftfold {

void TaskPromise::keep_exception() {
    // Nobody awaits a root; terminating here still shows what was thrown.
    if (is_root_)
        std::terminate();
    exception_ = std::current_exception();
}

void TaskPromise::rethrow_exception() const {
    if (exception_)
        std::rethrow_exception(exception_);
}

void TaskPromise::finished(std::coroutine_handle<> self) noexcept {
    if (is_root_)
        scope_->scheduler().post([scope = scope_, self] { scope->reap(self); });
    else if (awaiting_)
        scope_->scheduler().post([awaiting = awaiting_] { awaiting.resume(); });
}

bool Wait::begin(TaskScope& scope, std::coroutine_handle<> task) {
    LEFTFOLD_ASSERT(!suspended());
    if (scope.stopping_)
        return false;
    scope_ = &scope;
    task_ = task;
    previous_ = nullptr;
    next_ = scope.waits_;
    if (next_ != nullptr)
        next_->previous_ = this;
    scope.waits_ = this;
    return true;
}

void Wait::end() {
    LEFTFOLD_ASSERT(suspended());
    (previous_ != nullptr ? previous_->next_ : scope_->waits_) = next_;
    if (next_ != nullptr)
        next_->previous_ = previous_;
    std::exchange(scope_, nullptr)->scheduler().post([task = task_] { task.resume(); });
}

void Sleep::cancelled() {
    cancelled_ = true;
    scheduler_.cancel(timer_);
    end();
}

TaskScope::~TaskScope() {
    LEFTFOLD_ASSERT(task_count_ == 0 && waits_ == nullptr);
}

void TaskScope::spawn(Task<void> task) {
    if (stopping_)
        return;
    ++task_count_;
    const auto root = std::exchange(task.handle_, nullptr);
    root.promise().scope_ = this;
    root.promise().is_root_ = true;
    scheduler_.post([root] { root.resume(); });
}

void TaskScope::stop(Step stopped) {
    LEFTFOLD_ASSERT(!stopping_);
    stopping_ = true;
    while (waits_ != nullptr)
        waits_->cancelled();
    if (task_count_ == 0)
        scheduler_.post(std::move(stopped));
    else
        stopped_ = std::move(stopped);
}

void TaskScope::reap(std::coroutine_handle<> root) {
    root.destroy();
    if (--task_count_ == 0 && stopping_)
        scheduler_.post(std::move(stopped_));
}

}  // namespace leftfold
