// A shopping list, as a service. Run `hello serve`, then
//   curl localhost:8080/lists/home/want -d '{"what":"tea","count":2}'
//   curl localhost:8080/lists/home
#include "leftfold/leftfold.hpp"

namespace shopping {

struct Want {
    std::string what;
    int count = 0;
};
struct Get {
    std::string what;
};
struct Wanted {
    std::string what;
    int count = 0;
};
struct Got {
    std::string what;
};

struct List {
    using Command = std::variant<Want, Get>;
    using Event = std::variant<Wanted, Got>;

    std::map<std::string, int> open;  // what is still to be bought, and how much of it
    int bought = 0;

    leftfold::Decision<Event> decide(const Want& c) const {
        if (c.count < 1)
            return leftfold::reject("count-too-small").with("count", c.count);
        return Wanted{c.what, c.count};
    }
    leftfold::Decision<Event> decide(const Get& c) const {
        if (!open.contains(c.what))
            return leftfold::reject("not-on-the-list").with("open", open);
        return Got{c.what};
    }

    void evolve(const Wanted& e) { open[e.what] += e.count; }
    void evolve(const Got& e) {
        bought += open[e.what];
        open.erase(e.what);
    }
};

}  // namespace shopping

int main(int argc, char** argv) {
    leftfold::Service lists("lists");
    lists.aggregate<shopping::List>("list", "/lists/{id}");
    return leftfold::Application("hello").host(lists).run(argc, argv);
}
