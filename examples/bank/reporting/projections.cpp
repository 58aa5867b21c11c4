#include "projections.hpp"

namespace bank {

namespace {

constexpr std::size_t kMonthCharacters = 7;  // of 1993-05-31T12:00:00Z
constexpr std::size_t kDayCharacters = 10;

std::string month_of(leftfold::Timestamp time) {
    return leftfold::to_rfc3339(time).substr(0, kMonthCharacters);
}
std::string day_of(leftfold::Timestamp time) {
    return leftfold::to_rfc3339(time).substr(0, kDayCharacters);
}

void add_line(Money amount, const EventMeta& meta, Rows<StatementLine>& lines, Rows<StatementEnd>& ends) {
    StatementEnd& end = ends[meta.key];
    end.balance += amount;
    StatementLine& line = lines[meta.key, month_of(meta.time), meta.version.value()];
    line.time = meta.time;
    line.amount = amount;
    line.balance = end.balance;
}

Balance& move(Money amount, const EventMeta& meta, Rows<Balance>& balances) {
    Balance& balance = balances[meta.key];
    balance.balance.value() += amount;
    balance.version = meta.version.value();
    return balance;
}

}  // namespace

void Balances::on(const Opened& event, const EventMeta& meta, Rows<Balance>& balances) const {
    Balance& balance = move(Money(), meta, balances);
    balance.owner = event.owner;
    balance.currency = event.currency;
    balance.open = true;
}
void Balances::on(const Deposited& event, const EventMeta& meta, Rows<Balance>& balances) const {
    move(event.amount, meta, balances);
}
void Balances::on(const Withdrawn& event, const EventMeta& meta, Rows<Balance>& balances) const {
    move(-event.amount, meta, balances);
}
void Balances::on(const Closed&, const EventMeta& meta, Rows<Balance>& balances) const {
    move(Money(), meta, balances).open = false;
}

void Statements::on(const Deposited& event, const EventMeta& meta, Rows<StatementLine>& lines,
                    Rows<StatementEnd>& ends) const {
    add_line(event.amount, meta, lines, ends);
}
void Statements::on(const Withdrawn& event, const EventMeta& meta, Rows<StatementLine>& lines,
                    Rows<StatementEnd>& ends) const {
    add_line(-event.amount, meta, lines, ends);
}

void DailyTurnovers::on(const Deposited& event, const EventMeta& meta, Rows<DailyTurnover>& days) const {
    DailyTurnover& day = days[day_of(meta.time)];
    ++day.deposits;
    day.deposited += event.amount;
}
void DailyTurnovers::on(const Withdrawn& event, const EventMeta& meta, Rows<DailyTurnover>& days) const {
    DailyTurnover& day = days[day_of(meta.time)];
    ++day.withdrawals;
    day.withdrawn += event.amount;
}

}  // namespace bank
