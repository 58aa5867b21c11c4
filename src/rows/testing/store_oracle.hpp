// StoreOracle: what was written to a store, kept outside of it. Says which contents a store that is opened after a
// crash may have.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "random_rows.hpp"

namespace leftfold::rows {

class StoreOracle {
  public:
    // Borrows the schema.
    explicit StoreOracle(const Schema& schema);

    // The contents as of the last commit.
    const Contents& now() const { return states_[current_]; }
    void committed(Contents contents);
    // The commit failed: its writes may still be there after a crash, until the next commit is durable.
    void commit_failed(Contents contents);
    void synced();

    // The machine crashed: any state from the last durable one on. What is found is durable: it was read from the disk.
    std::optional<std::string> check_after_crash(const Contents& found);
    // Only the process died: nothing is lost, and nothing more durable.
    std::optional<std::string> check_after_kill(const Contents& found);
    // Something has failed before, perhaps a sync: what it lost may be gone as after a crash, or be there and not
    // durable.
    std::optional<std::string> check_after_fault(const Contents& found);
    std::size_t losses() const noexcept { return losses_; }

  private:
    std::optional<std::size_t> find(const Contents& contents) const;

    std::vector<Contents> states_;  // the first is durable
    std::size_t current_ = 0;
    std::size_t losses_ = 0;  // commits that crashes took, as they may
};

}  // namespace leftfold::rows
