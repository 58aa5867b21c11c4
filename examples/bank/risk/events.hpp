// What the risk service has noticed. Other services may include this header, and only this one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "leftfold/leftfold.hpp"

namespace bank::risk {

using leftfold::Money;
using leftfold::Timestamp;

enum class Rule : std::uint8_t {
    rapid_withdrawals,  // much money leaves in little time
    pass_through,       // a large deposit leaves again at once
};

// What the rules remember: all of these together are the window.
struct WithdrawalNoted {
    Timestamp at;
    Money amount;
};
struct DepositNoted {
    Timestamp at;
    Money amount;
};

struct AlertRaised {
    Rule rule = Rule::rapid_withdrawals;
    std::string reason;  // in words
    Money amount;        // that left
    Money limit;         // that it exceeds, or the deposit that it equals
    std::int64_t withdrawals = 0;
    Timestamp from;  // business time: from the first to the last of what is counted
    Timestamp to;
    std::int64_t account_version = 0;  // the event of the account that was one too many
};
struct Reviewed {
    std::string note;
};

struct RiskEvents {
    static constexpr std::string_view aggregate = "risk";
    using Event = std::variant<WithdrawalNoted, DepositNoted, AlertRaised, Reviewed>;
};

}  // namespace bank::risk
