#include "paged_bytes.hpp"

#include <algorithm>

namespace leftfold::sim {

void PagedBytes::read(std::uint64_t offset, MutableByteSpan buffer) const {
    while (!buffer.empty()) {
        const std::size_t at = offset % kPageBytes;
        const std::size_t count = std::min(buffer.size(), kPageBytes - at);
        if (const auto page = pages_.find(offset / kPageBytes); page != pages_.end())
            std::copy_n(page->second.begin() + static_cast<std::ptrdiff_t>(at), count, buffer.begin());
        else
            std::fill_n(buffer.begin(), count, std::byte{0});
        buffer = buffer.subspan(count);
        offset += count;
    }
}

void PagedBytes::write(std::uint64_t offset, ByteSpan bytes) {
    while (!bytes.empty()) {
        const std::size_t at = offset % kPageBytes;
        const std::size_t count = std::min(bytes.size(), kPageBytes - at);
        Page& page = pages_.try_emplace(offset / kPageBytes, Page{}).first->second;
        std::copy_n(bytes.begin(), count, page.begin() + static_cast<std::ptrdiff_t>(at));
        bytes = bytes.subspan(count);
        offset += count;
    }
}

void PagedBytes::cut(std::uint64_t size) {
    const std::size_t at = size % kPageBytes;
    auto page = pages_.lower_bound(size / kPageBytes);
    if (at != 0 && page != pages_.end() && page->first == size / kPageBytes) {
        std::fill(page->second.begin() + static_cast<std::ptrdiff_t>(at), page->second.end(), std::byte{0});
        ++page;
    }
    pages_.erase(page, pages_.end());
}

}  // namespace leftfold::sim
