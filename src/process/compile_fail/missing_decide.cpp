#include <variant>

#include "leftfold/process/typed_process.hpp"

struct Order {};
struct Cancel {};
struct Ordered {};

struct Purchase {
    using Command = std::variant<Order, Cancel>;
    using Event = std::variant<Ordered>;
    using Steps = leftfold::Steps<Purchase>;

    Steps decide(const Order&) const { return Ordered{}; }
#ifdef LEFTFOLD_COMPILES
    leftfold::ProcessDecision<Purchase> decide(const Cancel&) const { return leftfold::reject("too-late"); }
#endif
    void evolve(const Ordered&) {}
};

const auto model = leftfold::make_typed_process<Purchase>("test", "purchase");
