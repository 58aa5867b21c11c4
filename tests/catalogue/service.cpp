// A service whose events were changed since its catalogue was committed, in the way that a definition says.
#include "leftfold/leftfold.hpp"

namespace shop {

struct Ship {
    std::string where;
};

#if defined(RENAMED_EVENT)
struct Sent {
    std::string where;
};
using Happened = Sent;
#elif defined(CHANGED_FIELD)
struct Shipped {
    std::string destination;
};
using Happened = Shipped;
#else
struct Shipped {
    std::string where;
};
using Happened = Shipped;
#endif

struct Order {
    using Command = std::variant<Ship>;
    using Event = std::variant<Happened>;

    bool shipped = false;

    leftfold::Decision<Event> decide(const Ship& command) const { return Happened{command.where}; }
    void evolve(const Happened&) { shipped = true; }
};

}  // namespace shop

int main(int argc, char** argv) {
    leftfold::Service orders("orders");
    orders.aggregate<shop::Order>("order", "/orders/{id}");
    return leftfold::Application("shop").host(orders).run(argc, argv);
}
