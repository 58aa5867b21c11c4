// PositionWaiters: who waits until the rows have reached some positions. A wait costs something when it begins and when
// it ends, not with every commit between. Belongs to the shard.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "leftfold/env/scheduler.hpp"
#include "leftfold/projection/runner.hpp"

#include "followed_slots.hpp"

namespace leftfold {

class PositionWaiters {
  public:
    struct Want {
        std::size_t slot = 0;
        Position position;
    };

    // Borrows the scheduler. `timed_out` gives the answer for one whose time is over.
    PositionWaiters(Scheduler& scheduler, std::size_t slot_count, std::move_only_function<Error()> timed_out);
    // Drops who waits, without an answer.
    ~PositionWaiters();
    PositionWaiters(const PositionWaiters&) = delete;
    PositionWaiters& operator=(const PositionWaiters&) = delete;

    std::size_t size() const noexcept { return waiters_.size(); }
    // Answers within a later call of reached() or fail_all(), or when its time is over.
    void add(std::vector<Want> wants, Duration at_most, ReachedDone done);
    // The rows that are served have come to these positions. Answers all whose wants are fulfilled.
    void reached(const Positions& positions);
    void fail_all(const Error& error);

  private:
    using Id = std::uint64_t;
    struct Waiter {
        std::vector<Want> wants;
        Want waits_for;  // the first of them that is not fulfilled
        TimerId timer;
        ReachedDone done;
    };

    // Puts it where it waits next; false if there is nothing left to wait for.
    bool wait_on(Id id, Waiter& waiter, const Positions& positions);
    void answer(Id id, Result<> result);

    Scheduler& scheduler_;
    std::move_only_function<Error()> timed_out_;
    std::map<Id, Waiter> waiters_;
    Id next_ = 0;
    // By what they wait for; those in the last wait for anything to be served.
    std::vector<std::set<std::pair<Position, Id>>> by_slot_;
};

}  // namespace leftfold
