#include "leftfold/sim/operation_set.hpp"

#include <algorithm>

#include "leftfold/base/assert.hpp"

namespace leftfold::sim {

namespace {

constexpr std::size_t kWordBits = 64;

constexpr std::uint64_t bit_of(std::size_t operation) noexcept {
    return 1ULL << (operation % kWordBits);
}

}  // namespace

// The finalizer of SplitMix64.
std::uint64_t mix_hash(std::uint64_t value) noexcept {
    value += 0x9E37'79B9'7F4A'7C15ULL;
    value = (value ^ (value >> 30)) * 0xBF58'476D'1CE4'E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D0'49BB'1331'11EBULL;
    return value ^ (value >> 31);
}

OperationSet::OperationSet(std::size_t operation_count) : words_((operation_count + kWordBits - 1) / kWordBits, 0) {}

bool OperationSet::contains(std::size_t operation) const noexcept {
    return (words_[operation / kWordBits] & bit_of(operation)) != 0;
}

void OperationSet::add(std::size_t operation) noexcept {
    LEFTFOLD_ASSERT(!contains(operation));
    words_[operation / kWordBits] |= bit_of(operation);
    hash_ ^= mix_hash(operation);
    used_ = std::max(used_, operation / kWordBits + 1);
    while (full_ < words_.size() && words_[full_] == ~0ULL)
        ++full_;
}

void OperationSet::remove(std::size_t operation) noexcept {
    LEFTFOLD_ASSERT(contains(operation));
    words_[operation / kWordBits] &= ~bit_of(operation);
    hash_ ^= mix_hash(operation);
    full_ = std::min(full_, operation / kWordBits);
    while (used_ > 0 && words_[used_ - 1] == 0)
        --used_;
}

OperationSet::Key OperationSet::key() const {
    const auto begin = words_.begin();
    if (full_ >= used_)
        return {full_, {}};
    return {full_, {begin + static_cast<std::ptrdiff_t>(full_), begin + static_cast<std::ptrdiff_t>(used_)}};
}

}  // namespace leftfold::sim
