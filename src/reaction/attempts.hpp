// Attempts: the tasks of a reaction that are under way, each in a scope of its own, so that one that takes too long can
// be cancelled alone.
//
// Ended with attempts under way, as after a crash, it cancels them and runs them to their ends at once: no suspended
// coroutine may be destroyed. Their ends are told to nobody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "leftfold/env/env.hpp"
#include "leftfold/env/task.hpp"
#include "leftfold/reaction/model.hpp"

namespace leftfold::reaction {

// Runs steps on the scheduler beneath while that lives, or drain()s them itself.
class AttemptScheduler final : public Scheduler {
  public:
    explicit AttemptScheduler(Scheduler& beneath) noexcept : beneath_(beneath) {}

    void post(Step step) override;
    void post_when_idle(Step step, Duration at_most) override { beneath_.post_when_idle(std::move(step), at_most); }
    TimerId call_after(Duration delay, Step step) override { return beneath_.call_after(delay, std::move(step)); }
    void cancel(TimerId timer) override { beneath_.cancel(timer); }

    // Runs what was posted, until nothing is left.
    void drain();

  private:
    void run_one();

    Scheduler& beneath_;
    std::deque<Step> steps_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

enum class AttemptEnd : std::uint8_t { ended, timed_out, cancelled };

class Attempts {
  public:
    using Id = std::uint64_t;
    // In a step; once for each begun attempt.
    using Ended = std::move_only_function<void(Id id, AttemptEnd end, ReactionResult result)>;

    // Borrows env, the model and the caller.
    Attempts(const Env& env, const ReactionModel& model, HttpCaller& http, Duration timeout, Ended ended);
    ~Attempts();
    Attempts(const Attempts&) = delete;
    Attempts& operator=(const Attempts&) = delete;

    Id begin(std::shared_ptr<const StoredEvent> event, std::uint32_t number);
    std::size_t count() const noexcept { return running_.size(); }
    // They end soon, as `cancelled` unless they are done.
    void cancel_all();

  private:
    struct Running {
        Running(Id number, Scheduler& scheduler) : id(number), scope(scheduler) {}
        Id id;
        TaskScope scope;
        AttemptEnd end = AttemptEnd::ended;
        ReactionResult result = ReactionResult::retry("it was cancelled");
        TimerId timer{};
    };
    static Task<> attempt(Attempts* attempts, Running* running, std::shared_ptr<const StoredEvent> event,
                          ReactionContext context);
    void stop(Running& running);
    void ended(Id id);

    Env env_;
    const ReactionModel& model_;
    HttpCaller& http_;
    Duration timeout_;
    Ended ended_;
    bool is_ending_ = false;
    Id last_id_ = 0;
    AttemptScheduler scheduler_;
    std::map<Id, std::unique_ptr<Running>> running_;
};

}  // namespace leftfold::reaction
