// Box: a small aggregate whose commands can end in every way there is.
#pragma once

#include <stdexcept>
#include <string>
#include <variant>

#include "leftfold/aggregate/typed_model.hpp"

namespace box {

struct Fill {
    std::string what;
};
struct Empty {};
struct Touch {};
struct Smash {};

struct Filled {
    std::string what;
};
struct Emptied {};

struct Box {
    using Command = std::variant<Fill, Empty, Touch, Smash>;
    using Event = std::variant<Filled, Emptied>;

    std::string what;
    int times = 0;

    leftfold::Decision<Event> decide(const Fill& command) const {
        if (!what.empty())
            return leftfold::reject("box-full").with("what", what);
        return Filled{command.what};
    }
    leftfold::Decision<Event> decide(const Empty&) const { return Emptied{}; }
    leftfold::Decision<Event> decide(const Touch&) const { return leftfold::Decision<Event>::nothing(); }
    leftfold::Decision<Event> decide(const Smash&) const { throw std::runtime_error("it broke"); }

    void evolve(const Filled& event) {
        what = event.what;
        ++times;
    }
    void evolve(const Emptied&) { what.clear(); }
};

}  // namespace box
