// Counter: the smallest service there is.
#pragma once

#include <variant>

#include "leftfold/app/service.hpp"

namespace counter {

struct Add {
    int number = 0;
};
struct Reset {};
struct Added {
    int number = 0;
};

struct Counter {
    using Command = std::variant<Add, Reset>;
    using Event = std::variant<Added>;

    int sum = 0;

    leftfold::Decision<Event> decide(const Add& command) const { return Added{command.number}; }
    leftfold::Decision<Event> decide(const Reset&) const { return Added{-sum}; }
    void evolve(const Added& event) { sum += event.number; }
};

inline leftfold::Service service(std::string_view name = "counters", std::string_view aggregate = "counter",
                                 std::string_view route = "/counters/{id}") {
    leftfold::Service made(name);
    made.aggregate<Counter>(aggregate, route);
    return made;
}

}  // namespace counter
