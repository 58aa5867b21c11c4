// What happens to accounts. Other services may include this header, and only this one.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "leftfold/leftfold.hpp"

namespace bank {

using leftfold::Money;

struct Opened {
    std::string owner;
    std::string currency;
    Money overdraft_limit;
};
struct Deposited {
    Money amount;
};
struct Withdrawn {
    Money amount;
};
struct Closed {};

struct AccountEvents {
    static constexpr std::string_view aggregate = "account";
    using Event = std::variant<Opened, Deposited, Withdrawn, Closed>;
};

}  // namespace bank
