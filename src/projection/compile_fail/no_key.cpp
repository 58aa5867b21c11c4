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
#ifdef LEFTFOLD_COMPILES
    leftfold::Key<std::string> account;
#else
    std::string account;
#endif
    leftfold::Money balance;
};
struct Balances {
    using Events = leftfold::ReadsFrom<AccountEvents>;
    using Tables = std::tuple<Balance>;
    static constexpr std::uint32_t version = 1;

    void on(const Deposited&, leftfold::Rows<Balance>&) const {}
};

const auto kModel = leftfold::make_typed_projection<Balances>("bank", "balances");
