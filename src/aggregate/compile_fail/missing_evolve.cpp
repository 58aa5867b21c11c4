#include <variant>

#include "leftfold/aggregate/typed_model.hpp"

struct Ask {};
struct Answered {};
struct Ignored {};
struct Oracle {
    using Command = std::variant<Ask>;
    using Event = std::variant<Answered, Ignored>;

    leftfold::Decision<Event> decide(const Ask&) const { return Answered{}; }
    void evolve(const Answered&) {}
#ifdef LEFTFOLD_COMPILES
    void evolve(const Ignored&) {}
#endif
};

const auto model = leftfold::make_typed_model<Oracle>("test", "oracle");
