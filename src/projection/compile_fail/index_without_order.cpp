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
struct Tag {
    std::string name;
};
struct Balance {
    leftfold::Key<std::string> account;
    std::vector<Tag> tags;
    std::string owner;
#ifdef LEFTFOLD_COMPILES
    using Indexes = std::tuple<leftfold::Index<"by_both", &Balance::owner, &Balance::account>>;
#else
    using Indexes = std::tuple<leftfold::Index<"by_both", &Balance::owner, &Balance::tags>>;
#endif
};
struct Balances {
    using Events = leftfold::ReadsFrom<AccountEvents>;
    using Tables = std::tuple<Balance>;
    static constexpr std::uint32_t version = 1;

    void on(const Deposited&, leftfold::Rows<Balance>&) const {}
};

const auto kModel = leftfold::make_typed_projection<Balances>("bank", "balances");
