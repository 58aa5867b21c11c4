// TimerHeap: steps by the time at which they are due; equal times in the order of adding. Adding, cancelling and taking
// cost O(log n), and a cancelled timer leaves nothing behind: servers set and cancel one for every request.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "leftfold/env/scheduler.hpp"

namespace leftfold {

class TimerHeap {
  public:
    TimerId add(MonotonicTime due, Step step);
    // Gives back the step, so that the caller decides when it is destroyed; empty if it ran or was cancelled.
    Step cancel(TimerId timer);

    bool empty() const noexcept { return heap_.empty(); }
    std::optional<MonotonicTime> next_due() const noexcept;
    // The first step if it is due at `now`, else an empty one.
    Step take_due(MonotonicTime now);
    std::vector<Step> take_all();

  private:
    struct Node {
        MonotonicTime due;
        std::uint64_t sequence;
        std::uint32_t slot;

        bool before(const Node& other) const noexcept {
            return due != other.due ? due < other.due : sequence < other.sequence;
        }
    };
    // Found by TimerId in constant time. The generation tells a reused slot from the timer that had it before.
    struct Slot {
        Step step;
        std::uint32_t generation = 1;
        std::uint32_t heap_index = 0;
    };

    Step remove(std::size_t heap_index);
    void place(std::size_t heap_index, Node node) noexcept;
    void sift_up(std::size_t hole, Node node) noexcept;
    void sift_down(std::size_t hole, Node node) noexcept;

    std::vector<Node> heap_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_slots_;
    std::uint64_t sequence_ = 0;
};

}  // namespace leftfold
