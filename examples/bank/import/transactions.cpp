#include "transactions.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>

namespace bank {

namespace {

using leftfold::ErrorCode;
using leftfold::Money;
using leftfold::Result;

enum Column : std::size_t { kId, kAccount, kDate, kKind, kAmount, kBalance, kColumnCount };
constexpr std::array<std::string_view, kColumnCount> kColumnNames = {"transaction_id", "account_id",   "date",
                                                                     "kind",           "amount_minor", "balance_minor"};

std::vector<std::string_view> split(std::string_view line) {
    std::vector<std::string_view> fields;
    for (;;) {
        const std::size_t comma = line.find(',');
        fields.push_back(line.substr(0, comma));
        if (comma == std::string_view::npos)
            return fields;
        line.remove_prefix(comma + 1);
    }
}

std::string_view next_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    return line;
}

std::optional<Money> parse_minor(std::string_view text) {
    std::int64_t minor = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minor);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return Money::from_minor(minor);
}

class Parser {
  public:
    Result<std::vector<Transaction>> parse(std::string_view csv) {
        LEFTFOLD_CHECK(read_header(next_line(csv)));
        std::vector<Transaction> transactions;
        while (!csv.empty()) {
            const std::string_view line = next_line(csv);
            ++line_number_;
            if (line.empty())
                continue;
            LEFTFOLD_TRY(transaction, read_line(line));
            transactions.push_back(std::move(transaction));
        }
        return transactions;
    }

  private:
    std::unexpected<leftfold::Error> wrong(const std::string& what) const {
        return leftfold::fail(ErrorCode::invalid_argument, "line " + std::to_string(line_number_) + ": " + what);
    }

    Result<> read_header(std::string_view line) {
        const auto names = split(line);
        field_count_ = names.size();
        for (std::size_t column = 0; column < kColumnCount; ++column) {
            std::size_t place = 0;
            while (place < names.size() && names[place] != kColumnNames[column])
                ++place;
            if (place == names.size())
                return wrong("there is no column '" + std::string(kColumnNames[column]) +
                             "'; the first line names the columns");
            place_[column] = place;
        }
        return {};
    }

    Result<Transaction> read_line(std::string_view line) const {
        const auto fields = split(line);
        if (fields.size() != field_count_)
            return wrong(std::to_string(fields.size()) + " fields, where the first line has " +
                         std::to_string(field_count_));
        Transaction transaction;
        transaction.id = fields[place_[kId]];
        transaction.account = fields[place_[kAccount]];
        transaction.date = fields[place_[kDate]];
        if (transaction.id.empty() || transaction.account.empty())
            return wrong("transaction_id and account_id must not be empty");
        if (auto date = leftfold::parse_date(transaction.date); !date)
            return wrong("date: " + date.error().message());
        const std::string_view kind = fields[place_[kKind]];
        if (kind != "deposit" && kind != "withdrawal")
            return wrong("kind: '" + std::string(kind) + "' is neither deposit nor withdrawal");
        transaction.kind = kind == "deposit" ? Transaction::Kind::deposit : Transaction::Kind::withdrawal;
        const auto amount = parse_minor(fields[place_[kAmount]]);
        const auto balance = parse_minor(fields[place_[kBalance]]);
        if (!amount || !balance)
            return wrong("amount_minor and balance_minor are whole numbers of minor units");
        transaction.amount = *amount;
        transaction.balance = *balance;
        return transaction;
    }

    std::size_t line_number_ = 1;
    std::size_t field_count_ = 0;
    std::array<std::size_t, kColumnCount> place_{};
};

}  // namespace

Result<std::vector<Transaction>> parse_transactions(std::string_view csv) {
    return Parser().parse(csv);
}

}  // namespace bank
