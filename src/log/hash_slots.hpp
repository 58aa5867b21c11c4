// HashSlots: an open-addressing table of numbers of entries that live elsewhere, in a vector of the owner.
#pragma once

#include <cstdint>
#include <vector>

namespace leftfold::log {

class HashSlots {
  public:
    static constexpr std::uint32_t kNone = UINT32_MAX;

    // The first entry under `hash` for which matches(entry) holds; kNone if there is none.
    template <class Matches>
    std::uint32_t find(std::uint64_t hash, Matches&& matches) const {
        if (slots_.empty())
            return kNone;
        for (std::size_t at = home(hash); slots_[at] != 0; at = (at + 1) & (slots_.size() - 1)) {
            if (matches(slots_[at] - 1))
                return slots_[at] - 1;
        }
        return kNone;
    }

    // hash_of(entry) gives the hash of an entry that was added before.
    template <class HashOf>
    void add(std::uint64_t hash, std::uint32_t entry, HashOf&& hash_of) {
        if ((count_ + 1) * 2 > slots_.size())
            grow(hash_of);
        place(hash, entry);
        ++count_;
    }

    // Cheap for few entries, however large the table has grown.
    template <class HashOf>
    void clear(HashOf&& hash_of) {
        if (count_ * 8 > slots_.size()) {
            slots_.assign(slots_.size(), 0);
        } else {
            // An entry lies in the run of used slots that begins at its home; emptying whole runs reaches all.
            for (std::uint32_t entry = 0; entry < count_; ++entry) {
                for (std::size_t at = home(hash_of(entry)); slots_[at] != 0; at = (at + 1) & (slots_.size() - 1))
                    slots_[at] = 0;
            }
        }
        count_ = 0;
    }

    std::size_t memory_bytes() const noexcept { return slots_.capacity() * sizeof(std::uint32_t); }

  private:
    std::size_t home(std::uint64_t hash) const noexcept { return static_cast<std::size_t>(hash) & (slots_.size() - 1); }

    void place(std::uint64_t hash, std::uint32_t entry) {
        std::size_t at = home(hash);
        while (slots_[at] != 0)
            at = (at + 1) & (slots_.size() - 1);
        slots_[at] = entry + 1;
    }

    template <class HashOf>
    void grow(HashOf&& hash_of) {
        slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, 0);
        for (std::uint32_t entry = 0; entry < count_; ++entry)
            place(hash_of(entry), entry);
    }

    std::vector<std::uint32_t> slots_;  // entry + 1, or 0; the size is a power of two
    std::uint32_t count_ = 0;
};

}  // namespace leftfold::log
