#include <tuple>
#include <variant>

#include "leftfold/projection/typed_projection.hpp"

struct Deposited {
    leftfold::Money amount;
};
struct AccountEvents {
    static constexpr std::string_view aggregate = "account";
    using Event = std::variant<Deposited>;
};
struct Balance {
    leftfold::Key<std::string> account;
    leftfold::Money balance;
};
struct Balances {
    using Events = leftfold::ReadsFrom<AccountEvents>;
#ifdef LEFTFOLD_COMPILES
    using Tables = std::tuple<Balance>;
#else
    using Table = Balance;
#endif
    static constexpr std::uint32_t version = 1;

    void on(const Deposited&, leftfold::Rows<Balance>&) const {}
};

const auto kModel = leftfold::make_typed_projection<Balances>("bank", "balances");
