#include "leftfold/event/payload_hash.hpp"

#define XXH_INLINE_ALL
#include <cstring>

#include <xxhash.h>

namespace leftfold {

PayloadHash payload_hash(std::string_view command_name, std::string_view canonical_json) noexcept {
    const XXH64_hash_t seed = XXH3_64bits(command_name.data(), command_name.size());
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, XXH3_128bits_withSeed(canonical_json.data(), canonical_json.size(), seed));
    PayloadHash hash;
    static_assert(sizeof bytes.digest == sizeof hash);
    std::memcpy(hash.data(), bytes.digest, sizeof hash);
    return hash;
}

}  // namespace leftfold
