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
    using Sends = std::variant<Ship>;
    using Steps = leftfold::Steps<Purchase>;

    Steps decide(const Order&) const {
#ifndef LEFTFOLD_COMPILES
        return Steps(Ordered{}).send("invoice-1", Bill{});
#else
        return Steps(Ordered{}).send("parcel-1", Ship{});
#endif
    }
    Steps on_answer(const Ship&, const leftfold::Answer&) const { return Steps::nothing(); }
    void evolve(const Ordered&) {}
};

const auto model = leftfold::make_typed_process<Purchase>("test", "purchase");
