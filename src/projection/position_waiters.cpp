#include "position_waiters.hpp"

namespace leftfold {

PositionWaiters::PositionWaiters(Scheduler& scheduler, std::size_t slot_count,
                                 std::move_only_function<Error()> timed_out)
    : scheduler_(scheduler), timed_out_(std::move(timed_out)), by_slot_(slot_count + 1) {}

PositionWaiters::~PositionWaiters() {
    for (const auto& [id, waiter] : waiters_)
        scheduler_.cancel(waiter.timer);
}

// Where it belongs is found with the positions, at the next reached().
void PositionWaiters::add(std::vector<Want> wants, Duration at_most, ReachedDone done) {
    const Id id = next_++;
    const TimerId timer = scheduler_.call_after(at_most, [this, id] { answer(id, std::unexpected(timed_out_())); });
    const Want served{by_slot_.size() - 1, Position(0)};
    by_slot_[served.slot].emplace(served.position, id);
    waiters_.emplace(id, Waiter{std::move(wants), served, timer, std::move(done)});
}

bool PositionWaiters::wait_on(Id id, Waiter& waiter, const Positions& positions) {
    for (const Want& want : waiter.wants) {
        if (positions[want.slot] < want.position) {
            waiter.waits_for = want;
            by_slot_[want.slot].emplace(want.position, id);
            return true;
        }
    }
    return false;
}

void PositionWaiters::reached(const Positions& positions) {
    if (waiters_.empty())
        return;
    std::vector<Id> done;
    for (std::size_t slot = by_slot_.size(); slot-- > 0;) {  // the last first: it goes to the others
        auto& waiting = by_slot_[slot];
        while (!waiting.empty() && (slot == positions.size() || waiting.begin()->first <= positions[slot])) {
            const Id id = waiting.begin()->second;
            waiting.erase(waiting.begin());
            if (!wait_on(id, waiters_.at(id), positions))
                done.push_back(id);
        }
    }
    // Last: who is answered may ask again.
    for (const Id id : done)
        answer(id, {});
}

void PositionWaiters::fail_all(const Error& error) {
    while (!waiters_.empty())
        answer(waiters_.begin()->first, std::unexpected(error));
}

void PositionWaiters::answer(Id id, Result<> result) {
    auto node = waiters_.extract(id);
    if (node.empty())
        return;
    Waiter& waiter = node.mapped();
    by_slot_[waiter.waits_for.slot].erase({waiter.waits_for.position, id});
    scheduler_.cancel(waiter.timer);
    waiter.done(std::move(result));
}

}  // namespace leftfold
