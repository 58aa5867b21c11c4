#include "attempts.hpp"

#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold::reaction {

namespace {

// Of a task that is cancelled again and again and does not end.
constexpr std::size_t kDrainStepsMax = 1'000'000;

}  // namespace

void AttemptScheduler::post(Step step) {
    steps_.push_back(std::move(step));
    beneath_.post([this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired())
            run_one();
    });
}

void AttemptScheduler::run_one() {
    if (steps_.empty())
        return;
    Step step = std::move(steps_.front());
    steps_.pop_front();
    step();
}

void AttemptScheduler::drain() {
    for (std::size_t run = 0; !steps_.empty(); ++run) {
        LEFTFOLD_ASSERT(run < kDrainStepsMax);
        run_one();
    }
}

Attempts::Attempts(const Env& env, const ReactionModel& model, HttpCaller& http, Duration timeout, Ended ended)
    : env_(env), model_(model), http_(http), timeout_(timeout), ended_(std::move(ended)), scheduler_(env.scheduler) {}

Attempts::~Attempts() {
    is_ending_ = true;
    for (auto& [id, running] : running_) {
        env_.scheduler.cancel(running->timer);
        stop(*running);
    }
    scheduler_.drain();
    LEFTFOLD_ASSERT(running_.empty());
}

Attempts::Id Attempts::begin(std::shared_ptr<const StoredEvent> event, std::uint32_t number) {
    const Id id = ++last_id_;
    auto owned = std::make_unique<Running>(id, scheduler_);
    Running* running = owned.get();
    running_.emplace(id, std::move(owned));
    ReactionContext context(event, number, http_, env_.clock, scheduler_);
    running->scope.spawn(attempt(this, running, std::move(event), std::move(context)));
    running->timer = env_.scheduler.call_after(timeout_, [this, id] {
        // The timer is cancelled before this or the attempt ends.
        Running& late = *running_.find(id)->second;
        if (late.scope.stopping())
            return;
        late.end = AttemptEnd::timed_out;
        stop(late);
    });
    return id;
}

// What react() throws before its first wait is thrown here as well.
Task<> Attempts::attempt(Attempts* attempts, Running* running, std::shared_ptr<const StoredEvent> event,
                         ReactionContext context) {
    if (running->scope.stopping())
        co_return;  // before it began
    try {
        ReactionResult result = co_await attempts->model_.react(std::move(event), std::move(context));
        running->result = std::move(result);
        if (running->result.outcome() == ReactionOutcome::done)
            running->end = AttemptEnd::ended;  // whoever asked it to stop
    } catch (const std::exception& error) {
        running->result = ReactionResult::retry(fmt::format("on() threw: {}", error.what()));
    } catch (...) {
        running->result = ReactionResult::retry("on() threw something that is no std::exception");
    }
    attempts->stop(*running);
}

void Attempts::stop(Running& running) {
    if (!running.scope.stopping())
        running.scope.stop([this, id = running.id] { ended(id); });
}

void Attempts::ended(Id id) {
    const auto found = running_.find(id);
    const std::unique_ptr<Running> running = std::move(found->second);
    running_.erase(found);
    if (is_ending_)
        return;
    env_.scheduler.cancel(running->timer);
    if (running->end == AttemptEnd::timed_out)
        running->result = ReactionResult::retry(fmt::format("it took longer than {} s and was cancelled: {}",
                                                            std::chrono::duration<double>(timeout_).count(),
                                                            running->result.error()));
    ended_(id, running->end, std::move(running->result));
}

void Attempts::cancel_all() {
    for (auto& [id, running] : running_) {
        if (running->scope.stopping())
            continue;
        running->end = AttemptEnd::cancelled;
        stop(*running);
    }
}

}  // namespace leftfold::reaction
