#include "store_oracle.hpp"

#include <fmt/format.h>

#include "memory_store.hpp"

namespace leftfold::rows {

StoreOracle::StoreOracle(const Schema& schema) {
    states_.push_back(*contents_of(*make_memory_store(schema), schema));
}

void StoreOracle::committed(Contents contents) {
    states_.push_back(std::move(contents));
    current_ = states_.size() - 1;
}

void StoreOracle::commit_failed(Contents contents) {
    states_.push_back(std::move(contents));
}

void StoreOracle::synced() {
    states_.erase(states_.begin(), states_.begin() + static_cast<std::ptrdiff_t>(current_));
    current_ = 0;
}

std::optional<std::size_t> StoreOracle::find(const Contents& contents) const {
    for (std::size_t i = states_.size(); i-- > 0;) {
        if (states_[i] == contents)
            return i;
    }
    return std::nullopt;
}

std::optional<std::string> StoreOracle::check_after_crash(const Contents& found) {
    const auto state = find(found);
    if (!state)
        return fmt::format("none of the {} states that may be there after the crash", states_.size());
    losses_ += current_ > *state ? current_ - *state : 0;
    states_ = {found};
    current_ = 0;
    return std::nullopt;
}

std::optional<std::string> StoreOracle::check_after_kill(const Contents& found) {
    const auto state = find(found);
    if (!state || *state < current_)
        return "other contents than those of the last commit, though the machine has not crashed";
    current_ = *state;
    return std::nullopt;
}

std::optional<std::string> StoreOracle::check_after_fault(const Contents& found) {
    const auto state = find(found);
    if (!state)
        return fmt::format("none of the {} states that may be there after the fault", states_.size());
    current_ = *state;
    return std::nullopt;
}

}  // namespace leftfold::rows
