#include <chrono>
#include <variant>

#include "leftfold/process/typed_process.hpp"

struct Order {};
struct Ordered {};

struct Purchase {
    using Command = std::variant<Order>;
    using Event = std::variant<Ordered>;
    using Steps = leftfold::Steps<Purchase>;

    Steps decide(const Order&) const { return Steps(Ordered{}).timer("deadline", std::chrono::seconds(30)); }
#ifdef LEFTFOLD_COMPILES
    Steps on_timer(std::string_view) const { return Steps::nothing(); }
#endif
    void evolve(const Ordered&) {}
};

const auto model = leftfold::make_typed_process<Purchase>("test", "purchase");
