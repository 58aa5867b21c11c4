// Random: the only source of chance. In production seeded by the operating system and fit for identifiers and secrets;
// in simulation a function of the seed.
#pragma once

#include <cstdint>

namespace leftfold {

// Thread rule: used from one thread; each shard has its own.
class Random {
  public:
    virtual ~Random() = default;

    virtual std::uint64_t next() = 0;

    // Uniform in [0, bound). bound must not be 0.
    std::uint64_t below(std::uint64_t bound);
};

}  // namespace leftfold
