#include "hot_set.hpp"

#include "leftfold/base/assert.hpp"

namespace leftfold {

HotAggregate* HotSet::find(std::string_view key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end())
        return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->get();
}

HotAggregate& HotSet::insert(std::string_view key, log::Slot slot) {
    LEFTFOLD_ASSERT(!by_key_.contains(key));
    order_.push_front(std::make_unique<HotAggregate>());
    HotAggregate& aggregate = *order_.front();
    aggregate.key = key;
    aggregate.slot = slot;
    by_key_.emplace(aggregate.key, order_.begin());
    shrink();
    return aggregate;
}

void HotSet::erase(HotAggregate& aggregate) {
    const auto found = by_key_.find(aggregate.key);
    LEFTFOLD_ASSERT(found != by_key_.end());
    const auto place = found->second;
    by_key_.erase(found);
    order_.erase(place);
}

void HotSet::shrink() {
    // Looks at a few from the cold end only: pinned ones there must not make every insertion slow.
    constexpr int kLookedAtMax = 8;
    auto candidate = order_.end();
    for (int looked = 0; by_key_.size() > count_max_ && looked < kLookedAtMax && candidate != order_.begin();
         ++looked) {
        --candidate;
        HotAggregate& aggregate = **candidate;
        if (aggregate.phase != HotAggregate::Phase::ready || aggregate.backlog() > 0)
            continue;
        by_key_.erase(aggregate.key);
        candidate = order_.erase(candidate);
    }
}

}  // namespace leftfold
