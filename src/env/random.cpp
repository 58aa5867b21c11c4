#include "leftfold/env/random.hpp"

#include "leftfold/base/assert.hpp"

namespace leftfold {

std::uint64_t Random::below(std::uint64_t bound) {
    LEFTFOLD_ASSERT(bound != 0);
    // 2^64 mod bound: values under it would make small results more likely, so they are drawn again.
    const std::uint64_t unfair = (0 - bound) % bound;
    std::uint64_t value = next();
    while (value < unfair)
        value = next();
    return value % bound;
}

}  // namespace leftfold
