// The aggregate of this module's tests: it counts, refuses, throws and grows on demand.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "leftfold/aggregate/context.hpp"
#include "leftfold/aggregate/decision.hpp"

namespace leftfold::testing {

struct Add {
    std::int64_t amount = 0;
    std::int64_t times = 1;  // so many events
};
struct Refuse {
    std::string reason;
};
struct Ignore {};
struct Pad {
    std::int64_t bytes = 0;  // of the event
};
struct ThrowInDecide {
    bool plainly = false;  // not a std::exception
};
struct ThrowInEvolve {};
struct Remember {};  // what the contexts say

struct Added {
    std::int64_t amount = 0;
};
struct Padded {
    std::string text;
};
struct Thrown {};
struct Remembered {
    std::string command_id;
    std::string actor;
};

struct Counter {
    using Command = std::variant<Add, Refuse, Ignore, Pad, ThrowInDecide, ThrowInEvolve, Remember>;
    using Event = std::variant<Added, Padded, Thrown, Remembered>;

    std::int64_t total = 0;
    std::string command_id;
    std::string seen;  // version and actor of the last Remembered

    Decision<Event> decide(const Add& command) const {
        return std::vector<Event>(static_cast<std::size_t>(command.times), Added{command.amount});
    }
    Decision<Event> decide(const Refuse& command) const {
        return reject(command.reason).with("total", total).with("why", std::string("say \"so\""));
    }
    Decision<Event> decide(const Ignore&) const { return Decision<Event>::nothing(); }
    Decision<Event> decide(const Pad& command) const {
        return Padded{std::string(static_cast<std::size_t>(command.bytes), 'x')};
    }
    Decision<Event> decide(const ThrowInDecide& command) const {
        if (command.plainly)
            throw 42;
        throw std::runtime_error("decided to throw");
    }
    Decision<Event> decide(const ThrowInEvolve&) const { return Thrown{}; }
    Decision<Event> decide(const Remember&, const CommandContext& context) const {
        return Remembered{std::string(context.id), std::string(context.actor)};
    }

    void evolve(const Added& event) { total += event.amount; }
    void evolve(const Padded&) {}
    void evolve(const Thrown&) { throw std::runtime_error("evolved to throw"); }
    void evolve(const Remembered& event, const EventContext& context) {
        command_id = event.command_id;
        seen = std::to_string(context.version.value()) + " " + std::string(context.actor);
    }
};

}  // namespace leftfold::testing
