// The questions of the reporting service, answered from tables that its projections fold out of the accounts' events.
#pragma once

#include <tuple>

#include "accounts/events.hpp"
#include "rows.hpp"

namespace bank {

using leftfold::EventMeta;
using leftfold::Rows;

struct Balances {
    using Events = leftfold::ReadsFrom<AccountEvents>;
    using Tables = std::tuple<Balance>;
    static constexpr std::uint32_t version = 1;

    void on(const Opened& event, const EventMeta& meta, Rows<Balance>& balances) const;
    void on(const Deposited& event, const EventMeta& meta, Rows<Balance>& balances) const;
    void on(const Withdrawn& event, const EventMeta& meta, Rows<Balance>& balances) const;
    void on(const Closed& event, const EventMeta& meta, Rows<Balance>& balances) const;
};

struct Statements {
    using Events = leftfold::ReadsFrom<AccountEvents>;
    using Tables = std::tuple<StatementLine, StatementEnd>;
    static constexpr std::uint32_t version = 1;

    void on(const Deposited& event, const EventMeta& meta, Rows<StatementLine>& lines, Rows<StatementEnd>& ends) const;
    void on(const Withdrawn& event, const EventMeta& meta, Rows<StatementLine>& lines, Rows<StatementEnd>& ends) const;
};

// Sums commute, so that it does not matter which account's events come first.
struct DailyTurnovers {
    using Events = leftfold::ReadsFrom<AccountEvents>;
    using Tables = std::tuple<DailyTurnover>;
    static constexpr std::uint32_t version = 1;

    void on(const Deposited& event, const EventMeta& meta, Rows<DailyTurnover>& days) const;
    void on(const Withdrawn& event, const EventMeta& meta, Rows<DailyTurnover>& days) const;
};

}  // namespace bank
