// OperationSet: which operations of a history a search has placed so far, with a hash that costs nothing to keep and a
// short copy: what is placed is almost a prefix of the calls, so only the ragged edge is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace leftfold::sim {

class OperationSet {
  public:
    struct Key {
        std::size_t full_words = 0;  // of 64 operations, all placed
        std::vector<std::uint64_t> edge;

        friend bool operator==(const Key&, const Key&) = default;
    };

    explicit OperationSet(std::size_t operation_count);

    bool contains(std::size_t operation) const noexcept;
    void add(std::size_t operation) noexcept;
    void remove(std::size_t operation) noexcept;

    std::uint64_t hash() const noexcept { return hash_; }
    Key key() const;

  private:
    std::vector<std::uint64_t> words_;
    std::size_t full_ = 0;  // words that are full, from the front
    std::size_t used_ = 0;  // words up to the last that is not empty
    std::uint64_t hash_ = 0;
};

// Spreads a number over 64 bits; for hash tables only.
std::uint64_t mix_hash(std::uint64_t value) noexcept;

}  // namespace leftfold::sim
