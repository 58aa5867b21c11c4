#include "tally.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace leftfold::testing {

namespace {

using rows::Cell;
using rows::CellType;
using rows::Row;
using rows::TableId;

constexpr TableId kAccounts(0);
constexpr TableId kClasses(1);

// Payloads are bare numbers.
std::int64_t amount_of(std::string_view payload) {
    std::int64_t amount = 0;
    std::from_chars(payload.data(), payload.data() + payload.size(), amount);
    return amount;
}

class TallyFold final : public ProjectionFold {
  public:
    TallyFold(rows::RowStore& store, std::shared_ptr<Poison> poison, const TallyOptions& options)
        : store_(store), poison_(std::move(poison)), options_(options) {}

    Result<> apply(const Record& record) override {
        if (record.meta.type == "bank.account.noted")
            return {};
        const std::string payload(record.payload);
        if (poison_->in_apply.contains(payload))
            return fail(ErrorCode::user_code, "the handler threw: cannot stand " + payload);
        const std::int64_t amount = amount_of(payload);
        LEFTFOLD_CHECK(add(kAccounts, std::string(record.meta.key), amount));
        LEFTFOLD_CHECK(add(kClasses, amount % 5, amount));
        is_poisoned_ = is_poisoned_ || poison_->in_flush.contains(payload);
        return {};
    }
    Result<> flush() override {
        for (const auto& [place, sum] : changed_) {
            Row row{place.second, sum.count, is_poisoned_ ? Cell() : Cell(sum.total)};
            if (options_.has_note && place.first == kAccounts)
                row.emplace_back("noted");
            if (auto put = store_.put(place.first, row); !put && !poison_->is_hushed)
                return put;
        }
        changed_.clear();
        return {};
    }
    void discard() noexcept override {
        if (options_.forgets_to_discard)
            return;
        changed_.clear();
        is_poisoned_ = false;
    }

  private:
    Result<> add(TableId table, Cell key, std::int64_t amount) {
        auto [at, is_new] = changed_.try_emplace({table, key});
        if (is_new) {
            LEFTFOLD_TRY(row, store_.get(table, {&key, 1}));
            if (row)
                at->second = {std::get<std::int64_t>((*row)[1]), std::get<std::int64_t>((*row)[2])};
        }
        ++at->second.count;
        at->second.total += amount * options_.factor;
        return {};
    }

    rows::RowStore& store_;
    std::shared_ptr<Poison> poison_;
    TallyOptions options_;
    std::map<std::pair<TableId, Cell>, Sum> changed_;
    bool is_poisoned_ = false;
};

}  // namespace

Tally::Tally(TallyOptions options) : options_(std::move(options)) {
    const std::vector<rows::Column> sums{{"count", CellType::integer, false}, {"total", CellType::integer, false}};
    rows::Table accounts{.name = "accounts", .columns = {{"account", CellType::text, false}}};
    rows::Table classes{.name = "classes", .columns = {{"class", CellType::integer, false}}};
    std::ranges::copy(sums, std::back_inserter(accounts.columns));
    std::ranges::copy(sums, std::back_inserter(classes.columns));
    if (options_.has_note)
        accounts.columns.push_back({"note", CellType::text, false});
    schema_.tables = {accounts, classes};
}

std::unique_ptr<ProjectionFold> Tally::fold_into(rows::RowStore& store) const {
    return std::make_unique<TallyFold>(store, poison_, options_);
}

Result<TallyRows> read_tally(rows::RowReader& reader) {
    TallyRows tally;
    const auto sum_of = [](const Row& row) {
        return Sum{std::get<std::int64_t>(row[1]), std::get<std::int64_t>(row[2])};
    };
    LEFTFOLD_TRY(accounts, reader.query({.table = kAccounts, .limit = 100'000}));
    for (const Row& row : accounts)
        tally.accounts[std::get<std::string>(row[0])] = sum_of(row);
    LEFTFOLD_TRY(classes, reader.query({.table = kClasses, .limit = 100'000}));
    for (const Row& row : classes)
        tally.classes[std::get<std::int64_t>(row[0])] = sum_of(row);
    return tally;
}

Result<TallyRows> tally_of(log::EventLog& log, const std::vector<rows::FoldedPosition>& positions,
                           const std::set<LogPlace>& without, std::int64_t factor) {
    TallyRows tally;
    for (const rows::FoldedPosition& folded : positions) {
        const auto topic = std::ranges::find(log.topics(), folded.topic, &log::TopicDeclaration::name);
        const log::Slot slot{TopicId(static_cast<std::uint32_t>(topic - log.topics().begin())), folded.partition};
        for (Position from(0); from < folded.position;) {
            LEFTFOLD_TRY(batch, log.read(slot, from));
            if (batch.records().empty())
                return fail(ErrorCode::corrupt,
                            fmt::format("folded to {} of partition {} of '{}', which ends at {}",
                                        folded.position.value(), folded.partition.value(), folded.topic, from.value()));
            for (const Record& record : batch.records()) {
                const LogPlace place{folded.topic, folded.partition.value(), record.position.value()};
                if (record.position >= folded.position || record.meta.type == "bank.account.noted" ||
                    without.contains(place))
                    continue;
                const std::int64_t amount = std::stoll(std::string(record.payload));
                for (Sum* sum : {&tally.accounts[std::string(record.meta.key)], &tally.classes[amount % 5]}) {
                    ++sum->count;
                    sum->total += amount * factor;
                }
            }
            from = batch.next();
        }
    }
    return tally;
}

}  // namespace leftfold::testing
