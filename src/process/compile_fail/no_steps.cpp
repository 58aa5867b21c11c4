#include <variant>

#include "leftfold/process/typed_process.hpp"

struct Order {};
struct Ordered {};

struct Purchase {
    using Command = std::variant<Order>;
    using Event = std::variant<Ordered>;
#ifdef LEFTFOLD_COMPILES
    using Steps = leftfold::Steps<Purchase>;
#endif

    leftfold::Steps<Purchase> decide(const Order&) const { return Ordered{}; }
    void evolve(const Ordered&) {}
};

const auto model = leftfold::make_typed_process<Purchase>("test", "purchase");
