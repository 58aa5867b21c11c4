#include <variant>

#include "leftfold/aggregate/typed_model.hpp"

#ifdef LEFTFOLD_COMPILES
using Amount = int;
#else
using Amount = double;
#endif

struct Pay {
    Amount amount = 0;
};
struct Paid {};
struct Purse {
    using Command = std::variant<Pay>;
    using Event = std::variant<Paid>;

    leftfold::Decision<Event> decide(const Pay&) const { return Paid{}; }
    void evolve(const Paid&) {}
};

const auto model = leftfold::make_typed_model<Purse>("test", "purse");
