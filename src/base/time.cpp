#include "leftfold/base/time.hpp"

#include <optional>

#include <fmt/format.h>

namespace leftfold {

namespace {

// Reads fixed-width decimal fields from the front of a text.
class FieldReader {
  public:
    explicit FieldReader(std::string_view text) noexcept : text_(text) {}

    std::optional<int> digits(std::size_t count) noexcept {
        if (text_.size() < count)
            return std::nullopt;
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (text_[i] < '0' || text_[i] > '9')
                return std::nullopt;
            value = value * 10 + (text_[i] - '0');
        }
        text_.remove_prefix(count);
        return value;
    }
    bool literal(char c) noexcept {
        if (text_.empty() || text_.front() != c)
            return false;
        text_.remove_prefix(1);
        return true;
    }
    char peek() const noexcept { return text_.empty() ? '\0' : text_.front(); }
    bool at_end() const noexcept { return text_.empty(); }

  private:
    std::string_view text_;
};

std::optional<std::chrono::sys_days> read_date(FieldReader& in) {
    const auto year = in.digits(4);
    if (!year || *year == 0 || !in.literal('-'))
        return std::nullopt;
    const auto month = in.digits(2);
    if (!month || !in.literal('-'))
        return std::nullopt;
    const auto day = in.digits(2);
    if (!day)
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok())
        return std::nullopt;
    return std::chrono::sys_days(date);
}

// The fraction of a second in microseconds; digits beyond are cut.
std::optional<int> read_fraction(FieldReader& in) {
    int micros = 0;
    int count = 0;
    while (in.peek() >= '0' && in.peek() <= '9') {
        const int digit = *in.digits(1);
        if (++count > 9)
            return std::nullopt;
        if (count <= 6)
            micros = micros * 10 + digit;
    }
    if (count == 0)
        return std::nullopt;
    for (; count < 6; ++count)
        micros *= 10;
    return micros;
}

std::optional<std::chrono::minutes> read_offset(FieldReader& in) {
    if (in.literal('Z') || in.literal('z'))
        return std::chrono::minutes(0);
    const bool negative = in.peek() == '-';
    if (!in.literal('+') && !in.literal('-'))
        return std::nullopt;
    const auto hours = in.digits(2);
    if (!hours || *hours > 23 || !in.literal(':'))
        return std::nullopt;
    const auto minutes = in.digits(2);
    if (!minutes || *minutes > 59)
        return std::nullopt;
    const std::chrono::minutes offset(*hours * 60 + *minutes);
    return negative ? -offset : offset;
}

std::optional<Timestamp> read_timestamp(FieldReader& in) {
    const auto date = read_date(in);
    if (!date || (!in.literal('T') && !in.literal('t')))
        return std::nullopt;
    const auto hour = in.digits(2);
    if (!hour || *hour > 23 || !in.literal(':'))
        return std::nullopt;
    const auto minute = in.digits(2);
    if (!minute || *minute > 59 || !in.literal(':'))
        return std::nullopt;
    const auto second = in.digits(2);
    if (!second || *second > 59)  // a leap second has no place in sys_time
        return std::nullopt;
    int micros = 0;
    if (in.literal('.')) {
        const auto fraction = read_fraction(in);
        if (!fraction)
            return std::nullopt;
        micros = *fraction;
    }
    const auto offset = read_offset(in);
    if (!offset || !in.at_end())
        return std::nullopt;
    return Timestamp(*date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second) + std::chrono::microseconds(micros) - *offset;
}

}  // namespace

std::string to_rfc3339(Timestamp time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    const auto micros = clock.subseconds().count();
    std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                   static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                   clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    if (micros % 1000 != 0)
        text += fmt::format(".{:06}", micros);
    else if (micros != 0)
        text += fmt::format(".{:03}", micros / 1000);
    text.push_back('Z');
    return text;
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
    FieldReader in(text);
    if (const auto time = read_timestamp(in))
        return *time;
    return fail(ErrorCode::invalid_argument,
                fmt::format("'{}' is not an RFC 3339 time such as 1993-01-31T12:00:00Z", text.substr(0, 64)));
}

Result<Timestamp> parse_date(std::string_view text) {
    FieldReader in(text);
    if (const auto date = read_date(in); date && in.at_end())
        return Timestamp(*date);
    return fail(ErrorCode::invalid_argument, fmt::format("'{}' is not a date such as 1993-01-31", text.substr(0, 64)));
}

}  // namespace leftfold
