// SimFileSystem: a disk with a page cache, as a value of a seed. What was not synced survives a crash or not, in every
// way that POSIX permits; any operation can be made to fail.
//
// The process sees the cache. On the disk are: of a file, the bytes and size of its last sync_data(); of a folder, the
// names of its last sync_directory(). crash() decides by seed about the rest: each write kept, dropped, torn (some of
// its 512-byte sectors) or trashed (zeros or garbage in some of its sectors, but never outside of the range written),
// sizes up to some point of their history, names up to some point or each by itself. Bytes and names once durable are
// never touched.
//
// Every call on an open file system and its files is one operation, counted from 1 and traced. Files must be destroyed
// before the file system. Single-threaded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/env/files.hpp"
#include "leftfold/sim/random.hpp"
#include "leftfold/sim/trace.hpp"

namespace leftfold::sim {

// What one crash did to that which was not durable.
struct CrashReport {
    std::uint64_t writes_kept = 0;
    std::uint64_t writes_dropped = 0;
    std::uint64_t writes_torn = 0;
    std::uint64_t writes_trashed = 0;
    std::uint64_t sizes_kept = 0;
    std::uint64_t sizes_dropped = 0;
    std::uint64_t names_kept = 0;
    std::uint64_t names_dropped = 0;
};

// Faults of the disk on purpose, with which a test proves that it would notice.
struct PlantedFaults {
    bool sync_data_lies = false;       // succeeds, and makes nothing durable
    bool sync_directory_lies = false;  // the same for names
};

class SimFileSystem final : public FileSystem {
  public:
    // Borrows the trace.
    SimFileSystem(SimRandom random, Trace& trace);
    ~SimFileSystem() override;

    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    Result<bool> exists(const std::string& path) override;
    Result<> create_directories(const std::string& path) override;
    Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
    Result<> rename(const std::string& from, const std::string& to) override;
    Result<> remove(const std::string& path) override;
    Result<> sync_directory(const std::string& path) override;
    Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

    // The machine dies and comes up again: what was not durable is decided by `random`, or by the file system's own.
    // Files opened before answer `closed`, locks are free, and the power is on. Faults that were ordered are cancelled.
    CrashReport crash(Random& random);
    CrashReport crash();
    // Only the process dies (SIGKILL): as crash(), but the page cache survives it, and nothing is lost.
    void kill_process();
    // From now on, or from within the n-th operation from now on (1: the next, which does not take place), every call
    // answers `closed`, until crash(). `gone` is called at that moment; within a SimEnv the slot is taken.
    void power_off();
    void power_off_at(std::uint64_t n);
    void on_power_off(std::function<void()> gone);
    bool is_powered() const noexcept;

    // Operations since the beginning.
    std::uint64_t operation_count() const noexcept;
    // Tells each operation before it takes place: its number, what it is ("write to", "sync", "rename to" …) and on
    // what.
    void on_operation(std::function<void(std::uint64_t number, std::string_view what, const std::string& path)> tell);
    // Operations that failed by order of the calls below.
    std::uint64_t fault_count() const noexcept;

    // The n-th operation from now fails with `code`: io, no_space or read_only (with io if it is one that needs no
    // space or writes nothing). A failed write may have written a part; after a failed sync_data the pages count as
    // clean, the process still reads them, and the disk may hold none of them: as Linux does it.
    void fail_operation(std::uint64_t n, ErrorCode code);
    // All from the n-th on.
    void fail_operations_from(std::uint64_t n, ErrorCode code);
    // Each operation with a chance of 1 in `count`, by seed. 0: none.
    void fail_randomly(std::uint64_t count);
    void cancel_faults();

    // Bytes that all files together may have; 0: no limit.
    void set_capacity(std::uint64_t bytes);
    std::uint64_t used_bytes() const;
    void set_read_only(bool read_only);
    void plant(PlantedFaults faults);

    struct Impl;  // only files.cpp knows it

  private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace leftfold::sim
