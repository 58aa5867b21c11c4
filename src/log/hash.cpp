#include "hash.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace leftfold::log {

std::uint64_t key_hash(std::uint64_t seed, std::string_view key) noexcept {
    return XXH3_64bits_withSeed(key.data(), key.size(), seed);
}

std::uint64_t command_hash(std::uint64_t key_hash, std::string_view command_id) noexcept {
    return XXH3_64bits_withSeed(command_id.data(), command_id.size(), key_hash);
}

}  // namespace leftfold::log
