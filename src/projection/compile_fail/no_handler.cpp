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
struct Lent {};
struct LoanEvents {
    static constexpr std::string_view aggregate = "loan";
    using Event = std::variant<Lent>;
};
struct Balance {
    leftfold::Key<std::string> account;
    leftfold::Money balance;
};
struct Balances {
    using Events = leftfold::ReadsFrom<AccountEvents, LoanEvents>;
    using Tables = std::tuple<Balance>;
    static constexpr std::uint32_t version = 1;

    void on(const Deposited&, leftfold::Rows<Balance>&) const {}
#ifdef LEFTFOLD_COMPILES
    void on(const Lent&, leftfold::Rows<Balance>&) const {}
#endif
};

const auto kModel = leftfold::make_typed_projection<Balances>("bank", "balances");
