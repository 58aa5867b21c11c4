#include <variant>

#include "leftfold/aggregate/typed_model.hpp"

struct Ask {};
struct Beg {};
struct Answered {};
struct Oracle {
    using Command = std::variant<Ask, Beg>;
    using Event = std::variant<Answered>;

    leftfold::Decision<Event> decide(const Ask&) const { return Answered{}; }
#ifdef LEFTFOLD_COMPILES
    leftfold::Decision<Event> decide(const Beg&) const { return Answered{}; }
#endif
    void evolve(const Answered&) {}
};

const auto model = leftfold::make_typed_model<Oracle>("test", "oracle");
