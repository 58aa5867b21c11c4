#include <variant>

#include "leftfold/process/typed_process.hpp"

struct Ship {
    static constexpr std::string_view aggregate = "parcel";
};
struct Bill {
    static constexpr std::string_view aggregate = "invoice";
};
struct Order {};
struct Ordered {};

struct Purchase {
    using Command = std::variant<Order>;
    using Event = std::variant<Ordered>;
    using Sends = std::variant<Ship, Bill>;
    using Steps = leftfold::Steps<Purchase>;

    Steps decide(const Order&) const { return Ordered{}; }
    Steps on_answer(const Ship&, const leftfold::Answer&) const { return Steps::nothing(); }
#ifdef LEFTFOLD_COMPILES
    Steps on_answer(const Bill&, const leftfold::Answer&) const { return Steps::nothing(); }
#endif
    void evolve(const Ordered&) {}
};

const auto model = leftfold::make_typed_process<Purchase>("test", "purchase");
