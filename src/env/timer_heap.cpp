#include "timer_heap.hpp"

#include <utility>

namespace leftfold {

TimerId TimerHeap::add(MonotonicTime due, Step step) {
    if (free_slots_.empty()) {
        free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    const std::uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    slots_[slot].step = std::move(step);
    const Node node{due, sequence_++, slot};
    heap_.push_back(node);
    sift_up(heap_.size() - 1, node);
    return TimerId(static_cast<std::uint64_t>(slots_[slot].generation) << 32 | slot);
}

Step TimerHeap::cancel(TimerId timer) {
    const auto slot = static_cast<std::uint32_t>(timer.value());
    const auto generation = static_cast<std::uint32_t>(timer.value() >> 32);
    if (slot >= slots_.size() || slots_[slot].generation != generation)
        return {};
    return remove(slots_[slot].heap_index);
}

std::optional<MonotonicTime> TimerHeap::next_due() const noexcept {
    if (heap_.empty())
        return std::nullopt;
    return heap_.front().due;
}

Step TimerHeap::take_due(MonotonicTime now) {
    if (heap_.empty() || heap_.front().due > now)
        return {};
    return remove(0);
}

std::vector<Step> TimerHeap::take_all() {
    std::vector<Step> steps;
    steps.reserve(heap_.size());
    while (!heap_.empty())
        steps.push_back(remove(0));
    return steps;
}

Step TimerHeap::remove(std::size_t heap_index) {
    const std::uint32_t slot_index = heap_[heap_index].slot;
    Slot& slot = slots_[slot_index];
    Step step = std::exchange(slot.step, {});
    // 0 is never a generation, so that a default TimerId names no timer.
    if (++slot.generation == 0)
        slot.generation = 1;
    free_slots_.push_back(slot_index);

    const Node last = heap_.back();
    heap_.pop_back();
    if (heap_index < heap_.size()) {
        if (last.before(heap_[heap_index]))
            sift_up(heap_index, last);
        else
            sift_down(heap_index, last);
    }
    return step;
}

void TimerHeap::place(std::size_t heap_index, Node node) noexcept {
    heap_[heap_index] = node;
    slots_[node.slot].heap_index = static_cast<std::uint32_t>(heap_index);
}

void TimerHeap::sift_up(std::size_t hole, Node node) noexcept {
    while (hole > 0) {
        const std::size_t parent = (hole - 1) / 2;
        if (!node.before(heap_[parent]))
            break;
        place(hole, heap_[parent]);
        hole = parent;
    }
    place(hole, node);
}

void TimerHeap::sift_down(std::size_t hole, Node node) noexcept {
    for (;;) {
        std::size_t child = 2 * hole + 1;
        if (child >= heap_.size())
            break;
        if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child]))
            ++child;
        if (!heap_[child].before(node))
            break;
        place(hole, heap_[child]);
        hole = child;
    }
    place(hole, node);
}

}  // namespace leftfold
