// SharedDatabase: what all connections of this process to one database share: who holds which lock, the index of the
// WAL, and whether a sync has failed. SQLite keeps these in locks and a mapped file for several processes; here one
// process holds the folder.
//
// Thread rule: any thread. The memory of the index is guarded by SQLite's own protocol over these locks.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/base/error.hpp"

namespace leftfold::rows {

// Told whenever a lock is released, so that who waits for one need not poll.
class ReleaseSignal {
  public:
    void tell();
    void wait(std::chrono::microseconds at_most);

  private:
    std::mutex mutex_;
    std::condition_variable released_;
    std::uint64_t count_ = 0;  // guarded by mutex_
};

// Of the database file, in SQLite's order: shared lets others share, reserved is the one that means to write, pending
// lets nobody in any more, exclusive is alone.
enum class FileLockLevel : std::uint8_t { none, shared, reserved, pending, exclusive };

class SharedDatabase {
  public:
    static constexpr std::size_t kIndexLocks = 8;

    // Borrows the signal.
    explicit SharedDatabase(ReleaseSignal& released) noexcept : released_(released) {}

    // Raises `mine` to `wanted`. On false it is as it was, or pending on the way to exclusive.
    bool lock(FileLockLevel& mine, FileLockLevel wanted);
    void unlock(FileLockLevel& mine, FileLockLevel to);
    bool is_reserved();

    // One connection's hold on the locks of the index: a bit for each.
    struct IndexHold {
        std::uint8_t shared = 0;
        std::uint8_t exclusive = 0;
    };
    bool lock_index_shared(IndexHold& mine, std::size_t slot);
    bool lock_index_exclusive(IndexHold& mine, std::size_t first, std::size_t count);
    void unlock_index(IndexHold& mine, std::size_t first, std::size_t count);

    // A region of the index, zeroed when it is new; nullptr if it is not there and must not be made. Regions stay where
    // they are as long as anybody uses the index.
    volatile void* index_region(std::size_t number, std::size_t size_bytes, bool make);
    void use_index();
    void leave_index(IndexHold& mine);

    // After a failed sync nobody knows what is on the disk, and a later one that succeeds does not tell: no more
    // writes.
    void sync_failed(Error error);
    // Why a file of the database takes no write, if so.
    std::optional<Error> refusal(const std::string& path);

    // True for the first that asks since all connections were closed, until settle_wal(). The WAL is then read from the
    // disk, not from what the page cache may hold after a failed sync, and its name made durable.
    bool is_wal_settled();
    void settle_wal();

  private:
    ReleaseSignal& released_;
    std::mutex mutex_;
    // All guarded by mutex_.
    std::array<std::uint32_t, 5> holders_{};  // by level
    std::array<std::uint32_t, kIndexLocks> index_shared_{};
    std::array<bool, kIndexLocks> index_exclusive_{};
    std::vector<std::unique_ptr<std::byte[]>> regions_;
    std::uint32_t index_users_ = 0;
    std::optional<Error> sync_failure_;
    bool is_wal_settled_ = false;
};

}  // namespace leftfold::rows
