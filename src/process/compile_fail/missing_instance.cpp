#include <optional>
#include <string>
#include <variant>

#include "leftfold/process/typed_process.hpp"

struct Shipped {};
struct ParcelEvents {
    static constexpr std::string_view aggregate = "parcel";
    using Event = std::variant<Shipped>;
};
struct Order {};
struct Ordered {};

struct Purchase {
    using Command = std::variant<Order>;
    using Event = std::variant<Ordered>;
    using Inputs = leftfold::ReadsFrom<ParcelEvents>;
    using Steps = leftfold::Steps<Purchase>;

#ifdef LEFTFOLD_COMPILES
    static std::optional<std::string> instance(const Shipped&) { return "one"; }
#endif
    Steps decide(const Order&) const { return Ordered{}; }
    Steps on_event(const Shipped&) const { return Ordered{}; }
    void evolve(const Ordered&) {}
};

const auto model = leftfold::make_typed_process<Purchase>("test", "purchase");
