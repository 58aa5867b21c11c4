// What follows counters: rows of their sums, and a process that adds to one counter what was added to another.
#pragma once

#include <stdexcept>
#include <string>
#include <tuple>
#include <variant>

#include "counter.hpp"

namespace tally {

struct CounterEvents {
    static constexpr std::string_view aggregate = "counter";
    using Event = counter::Counter::Event;
};

struct Sum {
    leftfold::Key<std::string> counter;
    leftfold::Indexed<int> sum;
};

inline constexpr int kPoison = 666;

struct Sums {
    using Events = leftfold::ReadsFrom<CounterEvents>;
    using Tables = std::tuple<Sum>;
    static constexpr std::uint32_t version = 1;
    void on(const counter::Added& event, const leftfold::EventMeta& meta, leftfold::Rows<Sum>& sums) const {
        if (event.number == kPoison)
            throw std::runtime_error("the number of the beast");
        sums[meta.key].sum.value() += event.number;
    }
};

struct Times {
    leftfold::Key<int> number;
    int times = 0;
};

// Not poisoned by anything.
struct Numbers {
    using Events = leftfold::ReadsFrom<CounterEvents>;
    using Tables = std::tuple<Times>;
    static constexpr std::uint32_t version = 1;
    void on(const counter::Added& event, leftfold::Rows<Times>& times) const { ++times[event.number].times; }
};

inline leftfold::Service service() {
    leftfold::Service made("tallies");
    made.projection<Sums>("sums", "/sums/{counter}", "/sums").projection<Numbers>("numbers", "/numbers/{number}");
    return made;
}

struct Add {
    static constexpr std::string_view aggregate = "counter";
    int number = 0;
};
struct Copied {
    int number = 0;
};
struct Told {};
struct Tell {};

// Adds to "<counter>-copy" what is added to a counter whose name has no dash.
struct Copier {
    using Command = std::variant<Tell>;
    using Event = std::variant<Copied, Told>;
    using Sends = std::variant<Add>;
    using Inputs = leftfold::ReadsFrom<CounterEvents>;
    using Steps = leftfold::Steps<Copier>;

    int copied = 0;

    Steps decide(const Tell&) const { return Told{}; }
    static std::optional<std::string> instance(const counter::Added&, const leftfold::EventContext& context) {
        return context.key.contains('-') ? std::nullopt : std::optional(std::string(context.key));
    }
    Steps on_event(const counter::Added& event, const leftfold::EventContext& context) const {
        return Steps(Copied{event.number}).send(std::string(context.key) + "-copy", Add{event.number});
    }
    Steps on_answer(const Add&, const leftfold::Answer&) const { return Steps::nothing(); }
    void evolve(const Copied& event) { copied += event.number; }
    void evolve(const Told&) {}
};

inline leftfold::Service copier() {
    leftfold::Service made("copiers");
    made.process<Copier>("copier", "/copiers/{id}");
    return made;
}

}  // namespace tally
