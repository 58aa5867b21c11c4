// CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the processor's instruction where there is one.
#pragma once

#include <cstdint>

#include "leftfold/base/bytes.hpp"

namespace leftfold {

// Continue a checksum by passing the previous result as seed: crc32c(b, crc32c(a)) == crc32c(a + b).
std::uint32_t crc32c(ByteSpan bytes, std::uint32_t seed = 0) noexcept;

}  // namespace leftfold
