// A shop whose orders are reviewed by a service in another language: reviewer.py. Run `shop serve`, `./reviewer.py
// http://localhost:8080`, then
//   curl localhost:8080/orders/1/place -d '{"item":"tea","price":"4.50"}'
//   curl -N 'localhost:8080/events?aggregate=review&from=start'
#include "leftfold/leftfold.hpp"

namespace shop {

using leftfold::Money;

struct Place {
    std::string item;
    Money price;
};
struct Placed {
    std::string item;
    Money price;
};

struct Order {
    using Command = std::variant<Place>;
    using Event = std::variant<Placed>;

    std::string item;
    Money price;

    leftfold::Decision<Event> decide(const Place& c) const {
        if (!item.empty())
            return leftfold::reject("placed-before");
        return Placed{c.item, c.price};
    }
    void evolve(const Placed& e) {
        item = e.item;
        price = e.price;
    }
};

// What reviewers tell us, each under the number of its order.
struct Approved {};
struct Flagged {
    std::string reason;
};
struct ReviewEvents {
    static constexpr std::string_view aggregate = "review";
    using Event = std::variant<Approved, Flagged>;
};

}  // namespace shop

int main(int argc, char** argv) {
    leftfold::Service orders("orders");
    orders.aggregate<shop::Order>("order", "/orders/{id}");
    leftfold::Service reviews("reviews");
    reviews.accepts<shop::ReviewEvents>();
    return leftfold::Application("shop").host(orders).host(reviews).run(argc, argv);
}
