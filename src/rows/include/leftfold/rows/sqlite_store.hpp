// The RowStore on SQLite: one file (and "<path>-wal" beside it while it is open), reached through a FileSystem, so that
// a simulated disk holds it as well as a real one.
//
// Whoever opens a path holds its folder: connections of this process to one path know of each other, those of other
// processes do not. A path can be opened again while it is open, but only one of the stores has a transaction at a
// time; another's begin() is `unavailable`.
//
// A commit is written to the WAL and not synced. At a bound of bytes the WAL is copied into the file, by commit(), on
// the thread that calls it, with two syncs; one that finds the disk full or failing is tried again later. Bounded is
// the WAL too: when readers or the disk have kept it from being copied, begin() waits a while for the readers, then
// fails.
//
// Errors, besides those of the port: `conflict` for a file with another schema, `unsupported` for a file of a newer
// format, `corrupt` for one that is damaged or something else. Messages keep what the file system said.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "leftfold/env/files.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold::rows {

struct SqliteOptions {
    std::uint64_t writer_cache_bytes = 16ULL * 1024 * 1024;
    std::uint64_t reader_cache_bytes = 4ULL * 1024 * 1024;  // of each reader
    // From so many on, a commit tries to copy the WAL into the file.
    std::uint64_t checkpoint_wal_bytes = 16ULL * 1024 * 1024;
    // With so many, no transaction begins before the WAL is copied. One transaction may go beyond.
    std::uint64_t wal_bytes_max = 64ULL * 1024 * 1024;
};

// Makes the file with its tables where missing: whole or not at all. Its folder must exist. Borrows `files` for the
// life of the store and its readers.
Result<std::unique_ptr<RowStore>> open_sqlite_store(FileSystem& files, const std::string& path, const Schema& schema,
                                                    const SqliteOptions& options = {});

// Removes what a store at `path` has on the disk, durably; no error if there is nothing. It must not be open.
Result<> remove_sqlite_store(FileSystem& files, const std::string& path);

}  // namespace leftfold::rows
