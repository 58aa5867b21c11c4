// What happens to transfers. Other services may include this header, and only this one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "leftfold/leftfold.hpp"

namespace bank::transfers {

using leftfold::Money;

struct Started {
    std::string from;
    std::string to;
    Money amount;
    std::optional<std::string> currency = {};
};
struct Refused {  // by the account that should pay: nothing has moved
    std::string reason;
};
struct DeadlinePassed {};
struct MoneyTaken {};
struct Completed {};
struct ReturnBegun {  // the money is not for its target: it goes back
    std::string reason;
};
struct ReturnRefused {
    std::string reason;
};
struct Redirected {  // somebody has said where else it goes
    std::string account;
};
struct Compensated {};

struct TransferEvents {
    static constexpr std::string_view aggregate = "transfer";
    using Event = std::variant<Started, Refused, DeadlinePassed, MoneyTaken, Completed, ReturnBegun, ReturnRefused,
                               Redirected, Compensated>;
};

}  // namespace bank::transfers
