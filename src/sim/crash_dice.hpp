// CrashDice: what a power failure makes of each thing that was not yet durable, by seed.
#pragma once

#include <cstdint>

#include "leftfold/env/random.hpp"
#include "leftfold/sim/files.hpp"

namespace leftfold::sim {

inline constexpr std::uint64_t kSectorBytes = 512;

enum class Fate : std::uint8_t {
    kept,
    dropped,
    torn,    // some sectors kept, the others dropped
    trashed  // some sectors hold zeros or garbage
};

// One crash: some lose everything, some nothing, most a mixture.
class CrashDice {
  public:
    // Counts into the report.
    CrashDice(Random& random, CrashReport& report);

    // Torn only where there is more than one sector.
    Fate write_fate(std::uint64_t sector_count);
    // Of `count` ordered changes, how many came through.
    std::uint64_t prefix(std::uint64_t count);
    bool keeps_name();
    // Names come through in their order, none behind the first lost one; else each by itself.
    bool names_in_order() const noexcept { return names_in_order_; }

    Random& random() noexcept { return random_; }
    CrashReport& report() noexcept { return report_; }

  private:
    enum class Mood : std::uint8_t { lose_all, keep_all, mixed };

    Random& random_;
    CrashReport& report_;
    Mood mood_;
    bool names_in_order_;
};

}  // namespace leftfold::sim
