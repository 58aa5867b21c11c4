#include "leftfold/base/crc32c.hpp"

#include <array>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace leftfold {

#if defined(__SSE4_2__)

std::uint32_t crc32c(ByteSpan bytes, std::uint32_t seed) noexcept {
    std::uint64_t crc = ~seed;
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; at += 8, left -= 8)
        crc = _mm_crc32_u64(crc, load_le<std::uint64_t>(at));
    auto crc32 = static_cast<std::uint32_t>(crc);
    for (; left > 0; ++at, --left)
        crc32 = _mm_crc32_u8(crc32, std::to_integer<std::uint8_t>(*at));
    return ~crc32;
}

#else

namespace {

constexpr std::array<std::uint32_t, 256> kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
        table[i] = crc;
    }
    return table;
}();

}  // namespace

std::uint32_t crc32c(ByteSpan bytes, std::uint32_t seed) noexcept {
    std::uint32_t crc = ~seed;
    for (const std::byte byte : bytes)
        crc = (crc >> 8) ^ kTable[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
    return ~crc;
}

#endif

}  // namespace leftfold
