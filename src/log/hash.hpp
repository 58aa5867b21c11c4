// The hashes of the index. Seeded with a secret of the log (its manifest), so that nobody outside can aim at
// collisions.
#pragma once

#include <cstdint>
#include <string_view>

namespace leftfold::log {

// XXH3-64 of a stream's key.
std::uint64_t key_hash(std::uint64_t seed, std::string_view key) noexcept;

// XXH3-64 of a command id, seeded with the hash of the key that it is scoped to.
std::uint64_t command_hash(std::uint64_t key_hash, std::string_view command_id) noexcept;

}  // namespace leftfold::log
