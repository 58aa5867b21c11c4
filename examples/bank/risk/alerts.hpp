// The alerts of all accounts, to be asked for by account, or by time.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "events.hpp"

namespace bank::risk {

struct Alert {
    leftfold::Key<std::string> account;
    leftfold::Key<Timestamp> time;                // business time: of the last withdrawal that is counted
    leftfold::Key<std::int64_t> account_version;  // the event of the account that was one too many
    leftfold::Key<Rule> rule;
    std::string reason;
    Money amount;
    Money limit;
    std::int64_t withdrawals = 0;
    Timestamp from{};

    using Indexes = std::tuple<leftfold::Index<"by_time", &Alert::time>>;
};

struct Alerts {
    using Events = leftfold::ReadsFrom<RiskEvents>;
    using Tables = std::tuple<Alert>;
    static constexpr std::uint32_t version = 1;

    void on(const AlertRaised& event, const leftfold::EventMeta& meta, leftfold::Rows<Alert>& alerts) const {
        alerts.put({.account = meta.key,
                    .time = event.to,
                    .account_version = event.account_version,
                    .rule = event.rule,
                    .reason = event.reason,
                    .amount = event.amount,
                    .limit = event.limit,
                    .withdrawals = event.withdrawals,
                    .from = event.from});
    }
};

}  // namespace bank::risk
