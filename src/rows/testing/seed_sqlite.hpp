// Makes what SQLite draws by chance (the salt of a WAL, of which its checksums depend) a function of a seed, in all of
// this process: for simulations that compare the traces of two runs. Call it where a run begins.
#pragma once

#include <cstdint>

namespace leftfold::rows {

void seed_sqlite(std::uint64_t seed);

}  // namespace leftfold::rows
