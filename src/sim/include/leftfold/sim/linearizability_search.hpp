// The search behind linearizability.hpp; include that.
#pragma once

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "leftfold/sim/linearizability.hpp"
#include "leftfold/sim/operation_set.hpp"

namespace leftfold::sim::detail {

// Searches one partition. Operations are placed one after the other; a configuration is which are placed and the state.
//
// Candidates are the calls before the first return that is not placed. Completed operations come first, pending ones
// only when no completed one goes on. Three shortcuts lose no order: an operation that never changes a state is placed
// as soon as it fits; a pending one is not placed where it would change nothing (it may do so later); of equal pending
// ones the one called first goes first.
template <SequentialModel M>
class LinearizabilitySearch {
  public:
    LinearizabilitySearch(const M& model, const std::vector<Operation<M>>& history,
                          const std::vector<std::size_t>& members, LinearizabilityBounds bounds);

    LinearizabilityResult run();

  private:
    using State = typename M::State;

    static constexpr std::size_t kHead = 0;  // of the circular list of events

    // A call or return of a completed operation, in a list from which placed operations are unlinked.
    struct Event {
        std::int64_t time;
        std::size_t completed;  // index into completed_
        bool is_return;
        std::size_t partner;  // the return of this call
        std::size_t previous;
        std::size_t next;
    };
    struct Frame {
        State state;        // before
        std::size_t index;  // of the call's event, or into pending_
        bool is_pending;
        bool is_only_choice;  // nothing else needs to be tried instead
    };
    struct Configuration {
        OperationSet::Key completed;
        OperationSet::Key pending;
        State state;
    };
    // In this order: what only reads goes first, since any change may be the last moment for it.
    enum class Turn : std::uint8_t { readers, writers, pending };

    void build_events();
    void unlink(std::size_t call);
    void relink(std::size_t call);
    void try_completed();
    bool try_pending();
    bool try_pending_at(std::size_t index);
    bool has_equal_before(std::size_t index) const;
    bool reads_only(const Operation<M>& operation) const;
    bool backtrack();
    void note_longest();
    bool remember(const State& state);
    void place(Frame frame, State next);
    std::size_t history_index(const Frame& frame) const;
    std::size_t first_return() const;
    LinearizabilityResult failed(Verdict verdict, std::string_view reason);
    std::string explain(std::string_view reason) const;
    std::string line(std::size_t index) const;

    const M& model_;
    const std::vector<Operation<M>>& history_;
    LinearizabilityBounds bounds_;
    std::vector<std::size_t> completed_;  // indexes of the history, by call
    std::vector<std::size_t> pending_;
    std::vector<Event> events_;
    OperationSet placed_completed_{0};
    OperationSet placed_pending_{0};
    std::unordered_multimap<std::uint64_t, Configuration> visited_;

    State state_;
    std::vector<Frame> stack_;
    std::size_t left_ = 0;  // completed operations not placed
    Turn turn_ = Turn::readers;
    std::size_t cursor_ = 0;  // the next event, or index into pending_, to try
    std::vector<std::size_t> longest_;
    std::uint64_t step_count_ = 0;
};

template <SequentialModel M>
LinearizabilitySearch<M>::LinearizabilitySearch(const M& model, const std::vector<Operation<M>>& history,
                                                const std::vector<std::size_t>& members, LinearizabilityBounds bounds)
    : model_(model), history_(history), bounds_(bounds), state_(model.initial()) {
    for (const std::size_t index : members)
        (history[index].output ? completed_ : pending_).push_back(index);
    const auto by_call = [&](std::size_t index) { return std::pair(history[index].called, index); };
    std::ranges::sort(completed_, {}, by_call);
    std::ranges::sort(pending_, {}, by_call);
    placed_completed_ = OperationSet(completed_.size());
    placed_pending_ = OperationSet(pending_.size());
    left_ = completed_.size();
    build_events();
}

template <SequentialModel M>
void LinearizabilitySearch<M>::build_events() {
    for (std::size_t i = 0; i < completed_.size(); ++i) {
        const Operation<M>& operation = history_[completed_[i]];
        events_.push_back({operation.called, i, false, 0, 0, 0});
        events_.push_back({std::max(operation.called, operation.returned), i, true, 0, 0, 0});
    }
    // Calls first among equal times: what touches is concurrent.
    std::ranges::sort(events_, {},
                      [](const Event& event) { return std::tuple(event.time, event.is_return, event.completed); });
    events_.insert(events_.begin(), Event{0, 0, true, 0, 0, 0});
    std::vector<std::size_t> calls(completed_.size());
    for (std::size_t i = 0; i < events_.size(); ++i) {
        Event& event = events_[i];
        event.next = (i + 1) % events_.size();
        event.previous = (i + events_.size() - 1) % events_.size();
        if (i == kHead)
            continue;
        if (event.is_return)
            events_[calls[event.completed]].partner = i;
        else
            calls[event.completed] = i;
    }
    cursor_ = events_[kHead].next;
}

template <SequentialModel M>
void LinearizabilitySearch<M>::unlink(std::size_t call) {
    for (const std::size_t i : {call, events_[call].partner}) {
        events_[events_[i].previous].next = events_[i].next;
        events_[events_[i].next].previous = events_[i].previous;
    }
}

template <SequentialModel M>
void LinearizabilitySearch<M>::relink(std::size_t call) {
    for (const std::size_t i : {events_[call].partner, call}) {
        events_[events_[i].previous].next = i;
        events_[events_[i].next].previous = i;
    }
}

template <SequentialModel M>
std::size_t LinearizabilitySearch<M>::first_return() const {
    std::size_t event = events_[kHead].next;
    while (!events_[event].is_return)
        event = events_[event].next;
    return event;
}

template <SequentialModel M>
bool LinearizabilitySearch<M>::remember(const State& state) {
    const std::uint64_t hash =
        mix_hash(placed_completed_.hash() + mix_hash(placed_pending_.hash() + model_.hash(state)));
    Configuration configuration{placed_completed_.key(), placed_pending_.key(), state};
    const auto [begin, end] = visited_.equal_range(hash);
    for (auto known = begin; known != end; ++known)
        if (known->second.completed == configuration.completed && known->second.pending == configuration.pending &&
            known->second.state == configuration.state)
            return false;
    visited_.emplace(hash, std::move(configuration));
    return true;
}

template <SequentialModel M>
void LinearizabilitySearch<M>::place(Frame frame, State next) {
    if (!frame.is_pending) {
        unlink(frame.index);
        --left_;
    }
    stack_.push_back(std::move(frame));
    state_ = std::move(next);
    turn_ = Turn::readers;
    cursor_ = events_[kHead].next;
}

// Places one completed operation, or hands the turn on.
template <SequentialModel M>
void LinearizabilitySearch<M>::try_completed() {
    for (; !events_[cursor_].is_return; cursor_ = events_[cursor_].next) {
        const std::size_t completed = events_[cursor_].completed;
        const Operation<M>& operation = history_[completed_[completed]];
        const bool is_only_choice = turn_ == Turn::readers;
        if (reads_only(operation) != is_only_choice)
            continue;
        ++step_count_;
        auto next = model_.step(state_, operation.input, operation.output);
        if (!next)
            continue;
        placed_completed_.add(completed);
        if (is_only_choice || remember(*next)) {
            place({state_, cursor_, false, is_only_choice}, std::move(*next));
            return;
        }
        placed_completed_.remove(completed);
    }
    turn_ = turn_ == Turn::readers ? Turn::writers : Turn::pending;
    cursor_ = turn_ == Turn::writers ? events_[kHead].next : 0;
}

template <SequentialModel M>
bool LinearizabilitySearch<M>::reads_only(const Operation<M>& operation) const {
    if constexpr (requires { model_.reads_only(operation.input, operation.output); })
        return model_.reads_only(operation.input, operation.output);
    else
        return false;
}

template <SequentialModel M>
bool LinearizabilitySearch<M>::has_equal_before(std::size_t index) const {
    if constexpr (std::equality_comparable<typename M::Input>) {
        for (std::size_t earlier = 0; earlier < index; ++earlier)
            if (!placed_pending_.contains(earlier) &&
                history_[pending_[earlier]].input == history_[pending_[index]].input)
                return true;
    }
    return false;
}

template <SequentialModel M>
bool LinearizabilitySearch<M>::try_pending_at(std::size_t index) {
    if (placed_pending_.contains(index) || has_equal_before(index))
        return false;
    const Operation<M>& operation = history_[pending_[index]];
    ++step_count_;
    auto next = model_.step(state_, operation.input, operation.output);
    if (!next || *next == state_)
        return false;
    placed_pending_.add(index);
    if (remember(*next)) {
        place({state_, index, true, false}, std::move(*next));
        return true;
    }
    placed_pending_.remove(index);
    return false;
}

template <SequentialModel M>
bool LinearizabilitySearch<M>::try_pending() {
    const std::int64_t limit = pending_.empty() ? 0 : events_[first_return()].time;
    for (; cursor_ < pending_.size() && history_[pending_[cursor_]].called <= limit; ++cursor_)
        if (try_pending_at(cursor_))
            return true;
    return false;
}

template <SequentialModel M>
std::size_t LinearizabilitySearch<M>::history_index(const Frame& frame) const {
    return frame.is_pending ? pending_[frame.index] : completed_[events_[frame.index].completed];
}

template <SequentialModel M>
void LinearizabilitySearch<M>::note_longest() {
    if (stack_.size() <= longest_.size())
        return;
    longest_.clear();
    for (const Frame& frame : stack_)
        longest_.push_back(history_index(frame));
}

// Takes back the last operation for which there is something else to try. False if there is none.
template <SequentialModel M>
bool LinearizabilitySearch<M>::backtrack() {
    note_longest();
    while (!stack_.empty()) {
        Frame frame = std::move(stack_.back());
        stack_.pop_back();
        state_ = std::move(frame.state);
        if (frame.is_pending) {
            placed_pending_.remove(frame.index);
            turn_ = Turn::pending;
            cursor_ = frame.index + 1;
        } else {
            placed_completed_.remove(events_[frame.index].completed);
            relink(frame.index);
            ++left_;
            turn_ = frame.is_only_choice ? Turn::readers : Turn::writers;
            cursor_ = events_[frame.index].next;
        }
        if (!frame.is_only_choice)
            return true;
    }
    return false;
}

template <SequentialModel M>
LinearizabilityResult LinearizabilitySearch<M>::run() {
    while (left_ > 0) {
        if (step_count_ > bounds_.steps_max)
            return failed(Verdict::undecided, "the bound of steps was reached");
        if (visited_.size() > bounds_.configurations_max)
            return failed(Verdict::undecided, "the bound of configurations was reached");
        if (turn_ != Turn::pending) {
            try_completed();
            continue;
        }
        if (!try_pending() && !backtrack())
            return failed(Verdict::illegal, "no order of its operations explains what they returned");
    }
    return {.verdict = Verdict::ok, .explanation = {}, .longest_prefix = {}, .step_count = step_count_};
}

template <SequentialModel M>
LinearizabilityResult LinearizabilitySearch<M>::failed(Verdict verdict, std::string_view reason) {
    note_longest();
    std::string explanation = explain(reason);
    return {verdict, std::move(explanation), std::move(longest_), step_count_};
}

template <SequentialModel M>
std::string LinearizabilitySearch<M>::line(std::size_t index) const {
    const Operation<M>& operation = history_[index];
    const std::string end = operation.output ? std::to_string(operation.returned) : "never";
    return "  #" + std::to_string(index) + " client " + std::to_string(operation.client) + " [" +
           std::to_string(operation.called) + ", " + end + "] " + model_.describe(operation.input, operation.output) +
           "\n";
}

// The end of the longest order found, and the operations of which one would have to come next.
template <SequentialModel M>
std::string LinearizabilitySearch<M>::explain(std::string_view reason) const {
    constexpr std::size_t kLinesMax = 10;
    std::string text(reason);
    text += ".\nThe longest order found has " + std::to_string(longest_.size()) + " of " +
            std::to_string(completed_.size() + pending_.size()) + " operations, and ends with\n";
    State state = model_.initial();
    std::vector<bool> is_placed(history_.size(), false);
    for (std::size_t i = 0; i < longest_.size(); ++i) {
        const Operation<M>& operation = history_[longest_[i]];
        is_placed[longest_[i]] = true;
        if (auto next = model_.step(state, operation.input, operation.output))
            state = std::move(*next);
        if (i + kLinesMax >= longest_.size())
            text += line(longest_[i]);
    }
    text += "Then the state is " + std::string(model_.describe(state)) + ", and none of these can come next:\n";
    std::optional<std::int64_t> limit;
    for (const std::size_t index : completed_)
        if (!is_placed[index] && (!limit || history_[index].returned < *limit))
            limit = history_[index].returned;
    std::size_t lines = 0;
    for (const std::size_t index : completed_)
        if (!is_placed[index] && history_[index].called <= limit.value_or(0) && ++lines <= kLinesMax)
            text += line(index);
    if (lines > kLinesMax)
        text += "  … and " + std::to_string(lines - kLinesMax) + " more\n";
    return text;
}

template <SequentialModel M>
std::map<std::string, std::vector<std::size_t>> partitions_of(const M& model,
                                                              const std::vector<Operation<M>>& history) {
    std::map<std::string, std::vector<std::size_t>> partitions;
    for (std::size_t i = 0; i < history.size(); ++i) {
        if constexpr (requires { model.partition(history[i].input); })
            partitions[model.partition(history[i].input)].push_back(i);
        else
            partitions[{}].push_back(i);
    }
    return partitions;
}

}  // namespace leftfold::sim::detail

namespace leftfold::sim {

template <SequentialModel M>
LinearizabilityResult check_linearizability(const M& model, const std::vector<Operation<M>>& history,
                                            LinearizabilityBounds bounds) {
    LinearizabilityResult worst;
    std::uint64_t step_count = 0;
    for (const auto& [name, members] : detail::partitions_of(model, history)) {
        LinearizabilityResult result = detail::LinearizabilitySearch<M>(model, history, members, bounds).run();
        step_count += result.step_count;
        if (result.verdict == Verdict::ok || (worst.verdict != Verdict::ok && result.verdict == Verdict::undecided))
            continue;
        if (!name.empty())
            result.explanation.insert(0, "'" + name + "': ");
        worst = std::move(result);
        if (worst.verdict == Verdict::illegal)
            break;
    }
    worst.step_count = step_count;
    return worst;
}

}  // namespace leftfold::sim
