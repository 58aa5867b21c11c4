// HotSet: the aggregates of one type whose state is in memory, at most a named number; the least recently used goes
// first. An aggregate with work in flight is pinned: its state runs ahead of the disk and cannot be read back yet.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "leftfold/aggregate/model.hpp"
#include "leftfold/log/event_log.hpp"

namespace leftfold {

struct HotAggregate {
    enum class Phase : std::uint8_t {
        loading,  // its stream is being folded; work waits in `waiting`
        ready,
        stale,  // an append failed, so the state is wrong; gone once nothing is in flight
    };
    // Told once the state is ready, or why it never will be.
    using Waiter = std::move_only_function<void(HotAggregate&, const Result<>&)>;

    std::string key;
    log::Slot slot;
    Phase phase = Phase::loading;
    std::unique_ptr<AggregateInstance> state;
    Version version;           // of `state`
    Uuid last_event;           // the event at that version
    Timestamp time_max;        // of all that was folded
    Timestamp recorded_at;     // of the last event
    Version snapshot;          // of the last snapshot taken or read; 0: none
    Version version_to_reach;  // while loading
    std::size_t in_flight = 0;
    std::vector<Waiter> waiting;

    std::size_t backlog() const noexcept { return in_flight + waiting.size(); }
};

class HotSet {
  public:
    explicit HotSet(std::size_t count_max) : count_max_(count_max) {}

    // nullptr if it is not in memory. Counts as a use.
    HotAggregate* find(std::string_view key);
    // It must not be there. May drop others, never a pinned one: those can push the set over its bound for a while.
    HotAggregate& insert(std::string_view key, log::Slot slot);
    void erase(HotAggregate& aggregate);

    std::size_t size() const noexcept { return by_key_.size(); }

  private:
    using Order = std::list<std::unique_ptr<HotAggregate>>;  // most recently used first

    void shrink();

    std::size_t count_max_;
    Order order_;
    std::unordered_map<std::string_view, Order::iterator> by_key_;  // views the key in the aggregate
};

}  // namespace leftfold
