#include <optional>
#include <string>
#include <variant>

#include "leftfold/process/typed_process.hpp"

struct Shipped {};
struct Lost {};
struct ParcelEvents {
    static constexpr std::string_view aggregate = "parcel";
    using Event = std::variant<Shipped, Lost>;
};
struct Order {};
struct Ordered {};

struct Purchase {
    using Command = std::variant<Order>;
    using Event = std::variant<Ordered>;
    using Inputs = leftfold::ReadsFrom<ParcelEvents>;
    using Steps = leftfold::Steps<Purchase>;

    static std::optional<std::string> instance(const auto&, const leftfold::EventContext& event) {
        return std::string(event.key);
    }
    Steps decide(const Order&) const { return Ordered{}; }
    Steps on_event(const Shipped&) const { return Ordered{}; }
#ifdef LEFTFOLD_COMPILES
    Steps on_event(const Lost&) const { return Steps::nothing(); }
#endif
    void evolve(const Ordered&) {}
};

const auto model = leftfold::make_typed_process<Purchase>("test", "purchase");
