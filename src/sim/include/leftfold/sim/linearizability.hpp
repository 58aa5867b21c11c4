// A checker for linearizability: could a history of concurrent operations have come from one sequential object, each
// operation taking effect at one moment between its call and its return?
//
// The search is that of Wing and Gong (1993) with Lowe's memory of visited configurations (2017); Horn and Kroening's
// partitions (2015) check each key of a map by itself. An operation that has not returned may have taken effect at any
// later moment, or never.
//
// A model is a value with
//     using State, Input, Output;
//     State initial() const;
//     // The state after an operation, or none if it cannot give this output here. No output: it has not returned; then
//     the
//     // state that it leads to, whatever it would have answered.
//     std::optional<State> step(const State&, const Input&, const std::optional<Output>&) const;
//     std::size_t hash(const State&) const;                                // equal states have equal hashes
//     std::string describe(const Input&, const std::optional<Output>&) const;
//     std::string describe(const State&) const;
// and, where it helps:
//     std::string partition(const Input&) const;  // objects apart from each other; without it all is one object
//     // True only if an operation with this output never changes any state (a read, a refusal): such ones are placed
//     as
//     // soon as they fit, which spares the search all their orders.
//     bool reads_only(const Input&, const std::optional<Output>&) const;
// Where inputs compare equal, of equal operations that never returned only the first is tried.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leftfold::sim {

template <class M>
concept SequentialModel = std::equality_comparable<typename M::State> &&
                          requires(const M model, const typename M::State state, const typename M::Input input,
                                   const std::optional<typename M::Output> output) {
                              { model.initial() } -> std::same_as<typename M::State>;
                              { model.step(state, input, output) } -> std::same_as<std::optional<typename M::State>>;
                              { model.hash(state) } -> std::convertible_to<std::size_t>;
                              { model.describe(input, output) } -> std::convertible_to<std::string>;
                              { model.describe(state) } -> std::convertible_to<std::string>;
                          };

// Times of any unit and origin, the same for all; operations that touch in time count as concurrent.
template <SequentialModel M>
struct Operation {
    std::uint32_t client = 0;
    typename M::Input input;
    std::optional<typename M::Output> output;  // none: it has not returned
    std::int64_t called = 0;
    std::int64_t returned = 0;  // without meaning where there is no output
};

// Records operations from one thread, in the order in which it sees them.
template <SequentialModel M>
class History {
  public:
    // The index of the new operation.
    std::size_t call(std::uint32_t client, typename M::Input input) {
        operations_.push_back({client, std::move(input), std::nullopt, ++now_, 0});
        return operations_.size() - 1;
    }
    void returned(std::size_t operation, typename M::Output output) {
        operations_.at(operation).output = std::move(output);
        operations_.at(operation).returned = ++now_;
    }
    const std::vector<Operation<M>>& operations() const noexcept { return operations_; }

  private:
    std::vector<Operation<M>> operations_;
    std::int64_t now_ = 0;
};

enum class Verdict : std::uint8_t {
    ok,
    illegal,
    undecided  // a bound of the search was reached
};

constexpr std::string_view to_string(Verdict verdict) noexcept {
    return verdict == Verdict::ok ? "ok" : verdict == Verdict::illegal ? "illegal" : "undecided";
}

// For each partition.
struct LinearizabilityBounds {
    std::uint64_t steps_max = 20'000'000;          // calls of the model
    std::uint64_t configurations_max = 5'000'000;  // remembered
};

struct LinearizabilityResult {
    Verdict verdict = Verdict::ok;
    std::string explanation;  // for people; empty if ok
    // Indexes of the history: the longest order found of the partition that failed. Empty if ok.
    std::vector<std::size_t> longest_prefix;
    std::uint64_t step_count = 0;
};

template <SequentialModel M>
LinearizabilityResult check_linearizability(const M& model, const std::vector<Operation<M>>& history,
                                            LinearizabilityBounds bounds = {});

}  // namespace leftfold::sim

#include "leftfold/sim/linearizability_search.hpp"
