#include <variant>

#include "leftfold/aggregate/typed_model.hpp"

struct Ask {};
struct Answered {};
struct Oracle {
#ifdef LEFTFOLD_COMPILES
    using Command = std::variant<Ask>;
#endif
    using Event = std::variant<Answered>;

    leftfold::Decision<Event> decide(const Ask&) const { return Answered{}; }
    void evolve(const Answered&) {}
};

const auto model = leftfold::make_typed_model<Oracle>("test", "oracle");
