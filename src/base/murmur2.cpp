#include "leftfold/base/murmur2.hpp"

#include "leftfold/base/bytes.hpp"

namespace leftfold {

std::uint32_t murmur2(std::string_view key) noexcept {
    constexpr std::uint32_t kSeed = 0x9747'B28C;
    constexpr std::uint32_t kMix = 0x5BD1'E995;
    constexpr int kShift = 24;

    std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(key.size());
    while (key.size() >= 4) {
        auto k = load_le<std::uint32_t>(key.data());
        k *= kMix;
        k ^= k >> kShift;
        k *= kMix;
        hash *= kMix;
        hash ^= k;
        key.remove_prefix(4);
    }
    if (!key.empty()) {
        for (std::size_t i = key.size(); i-- > 0;)
            hash ^= static_cast<std::uint32_t>(static_cast<std::uint8_t>(key[i])) << (8 * i);
        hash *= kMix;
    }
    hash ^= hash >> 13;
    hash *= kMix;
    hash ^= hash >> 15;
    return hash;
}

}  // namespace leftfold
