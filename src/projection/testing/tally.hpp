// Tally: a ProjectionModel without templates, for the tests of the runner: sums per account (rows of one key) and per
// class of amounts (operations that commute). And, written apart from it, what its rows must be.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "leftfold/log/event_log.hpp"
#include "leftfold/projection/model.hpp"

namespace leftfold::testing {

struct Sum {
    std::int64_t count = 0;
    std::int64_t total = 0;

    friend bool operator==(const Sum&, const Sum&) = default;
};
struct TallyRows {
    std::map<std::string, Sum> accounts;
    std::map<std::int64_t, Sum> classes;  // by amount % 5

    friend bool operator==(const TallyRows&, const TallyRows&) = default;
};

// Which payloads the fold cannot stand. Changes while the model is in use, as if mended code had been deployed.
struct Poison {
    std::set<std::string> in_apply;
    std::set<std::string> in_flush;  // the row that it makes is refused by the store
    bool is_hushed = false;          // which the fold does not tell
};

struct TallyOptions {
    std::string shape = "tally 1";
    std::vector<std::string> topics = {"bank.account"};
    bool has_note = false;  // one more column: another schema
    std::int64_t factor = 1;
    bool forgets_to_discard = false;  // a bug on purpose
};

class Tally final : public ProjectionModel {
  public:
    explicit Tally(TallyOptions options = {});

    const std::string& name() const noexcept override { return name_; }
    const rows::Schema& schema() const noexcept override { return schema_; }
    const std::string& shape() const noexcept override { return options_.shape; }
    std::span<const std::string> topics() const noexcept override { return options_.topics; }
    std::unique_ptr<ProjectionFold> fold_into(rows::RowStore& store) const override;

    Poison& poison() noexcept { return *poison_; }

  private:
    std::string name_ = "tally";
    TallyOptions options_;
    rows::Schema schema_;
    std::shared_ptr<Poison> poison_ = std::make_shared<Poison>();
};

// What rows are in a store.
Result<TallyRows> read_tally(rows::RowReader& reader);

struct LogPlace {
    std::string topic;
    std::uint32_t partition = 0;
    std::int64_t position = 0;

    friend auto operator<=>(const LogPlace&, const LogPlace&) = default;
};

// The rows that the log says there must be at these positions; `without` are events that were skipped.
Result<TallyRows> tally_of(log::EventLog& log, const std::vector<rows::FoldedPosition>& positions,
                           const std::set<LogPlace>& without = {}, std::int64_t factor = 1);

}  // namespace leftfold::testing
