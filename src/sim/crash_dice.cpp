#include "crash_dice.hpp"

namespace leftfold::sim {

CrashDice::CrashDice(Random& random, CrashReport& report) : random_(random), report_(report), mood_(Mood::mixed) {
    const std::uint64_t draw = random_.below(10);
    if (draw == 0)
        mood_ = Mood::lose_all;
    else if (draw == 1)
        mood_ = Mood::keep_all;
    names_in_order_ = random_.below(2) == 0;
}

Fate CrashDice::write_fate(std::uint64_t sector_count) {
    if (mood_ == Mood::keep_all)
        return Fate::kept;
    if (mood_ == Mood::lose_all)
        return Fate::dropped;
    switch (random_.below(sector_count > 1 ? 4 : 3)) {
        case 0:
            return Fate::kept;
        case 1:
            return Fate::dropped;
        case 2:
            return Fate::trashed;
        default:
            return Fate::torn;
    }
}

std::uint64_t CrashDice::prefix(std::uint64_t count) {
    if (mood_ == Mood::keep_all)
        return count;
    if (mood_ == Mood::lose_all)
        return 0;
    // The ends are the likely and the dangerous ones.
    switch (random_.below(3)) {
        case 0:
            return 0;
        case 1:
            return count;
        default:
            return random_.below(count + 1);
    }
}

bool CrashDice::keeps_name() {
    if (mood_ != Mood::mixed)
        return mood_ == Mood::keep_all;
    return random_.below(2) == 0;
}

}  // namespace leftfold::sim
