#include "seed_sqlite.hpp"

#include <sqlite3.h>

#include "leftfold/base/assert.hpp"

namespace leftfold::rows {

void seed_sqlite(std::uint64_t seed) {
    // 0 would mean the operating system's chance.
    const auto number = static_cast<int>((seed ^ seed >> 32) & 0x7FFF'FFFF) | 1;
    const int code = sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, number, static_cast<sqlite3*>(nullptr));
    LEFTFOLD_ASSERT(code == SQLITE_OK);
}

}  // namespace leftfold::rows
