#include <tuple>
#include <variant>

#include "leftfold/projection/typed_projection.hpp"

struct Deposited {
    leftfold::Money amount;
};
struct Closed {};
struct AccountEvents {
    static constexpr std::string_view aggregate = "account";
    using Event = std::variant<Deposited, Closed>;
};
struct Balance {
    leftfold::Key<std::string> account;
    leftfold::Money balance;
};
struct Owner {
    leftfold::Key<std::string> name;
};
struct Balances {
    using Events = leftfold::ReadsFrom<AccountEvents>;
    using Tables = std::tuple<Balance>;
    static constexpr std::uint32_t version = 1;

    void on(const Deposited&, leftfold::Rows<Balance>&) const {}
#ifdef LEFTFOLD_COMPILES
    void on(const Closed&, leftfold::Rows<Balance>&) const {}
#else
    void on(const Closed&, leftfold::Rows<Owner>&) const {}
#endif
};

const auto kModel = leftfold::make_typed_projection<Balances>("bank", "balances");
