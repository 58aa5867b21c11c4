// DiskFile: the bytes of one simulated file, as the process sees them through the page cache and as the disk holds
// them, and the changes between the two. A value.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <variant>

#include "leftfold/base/bytes.hpp"

#include "crash_dice.hpp"
#include "paged_bytes.hpp"

namespace leftfold::sim {

class DiskFile {
  public:
    std::uint64_t size() const noexcept { return size_; }
    // The range must lie within the size.
    void read(std::uint64_t offset, MutableByteSpan buffer) const;
    void write(std::uint64_t offset, ByteSpan bytes);
    void resize(std::uint64_t size);

    // Everything becomes durable.
    void sync();
    // What Linux does when a write-back fails: the pages count as clean, whatever reached the disk, and the process
    // goes on reading them from the cache. The size stays to be written, as the journal's part.
    void fail_sync(Random& random);
    // Clean pages come from the disk again.
    void drop_cache();
    // The disk as a crash leaves it becomes what everybody sees.
    void crash(CrashDice& dice);

  private:
    struct Write {
        std::uint64_t offset;
        std::string bytes;
    };
    struct Resize {
        std::uint64_t size;
    };

    void resize_on_disk(std::uint64_t size);
    void write_back(const std::variant<Write, Resize>& change);
    void write_by_fate(const Write& write, Fate fate, Random& random);
    void limit_unsynced();

    PagedBytes cache_;
    PagedBytes disk_;
    std::uint64_t size_ = 0;
    std::uint64_t disk_size_ = 0;
    std::deque<std::variant<Write, Resize>> unsynced_;  // in the order in which they were made
    std::uint64_t unsynced_bytes_ = 0;
};

}  // namespace leftfold::sim
