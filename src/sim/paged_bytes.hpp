// PagedBytes: sparse bytes of unbounded length; what was never written is zero, and costs nothing. A value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

#include "leftfold/base/bytes.hpp"

namespace leftfold::sim {

class PagedBytes {
  public:
    void read(std::uint64_t offset, MutableByteSpan buffer) const;
    void write(std::uint64_t offset, ByteSpan bytes);
    // Zero from `size` on.
    void cut(std::uint64_t size);

  private:
    static constexpr std::size_t kPageBytes = 4096;
    using Page = std::array<std::byte, kPageBytes>;

    std::map<std::uint64_t, Page> pages_;
};

}  // namespace leftfold::sim
