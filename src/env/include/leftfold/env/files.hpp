// FileSystem and File: the only way to the disk. Calls block: on a shard only where the page cache surely serves them,
// else on a Worker. A file may be used from several threads at once if no two of them write; a FileSystem from any.
//
// Durability is explicit, as POSIX has it: bytes written are durable after sync_data(); a created, renamed or removed
// name is durable after sync_directory() of its folder. A failed sync says nothing about which bytes reached the disk,
// and a second sync that succeeds does not either: read with drop_cache() and write again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/bytes.hpp"
#include "leftfold/base/error.hpp"

namespace leftfold {

class File {
  public:
    // Closes; does not sync.
    virtual ~File() = default;

    // Reads up to buffer.size() bytes; fewer only at the end of the file.
    virtual Result<std::size_t> read_at(std::uint64_t offset, MutableByteSpan buffer) = 0;

    // Writes all bytes, extending the file where needed. On failure any part of them may have been written.
    virtual Result<> write_at(std::uint64_t offset, ByteSpan bytes) = 0;

    // Makes sure that the range [0, size) has space on the disk; new bytes read as zero. Fails with no_space before
    // anything is written.
    virtual Result<> allocate(std::uint64_t size) = 0;

    virtual Result<> truncate(std::uint64_t size) = 0;
    virtual Result<std::uint64_t> size() = 0;

    // Data, and the metadata needed to read it back (fdatasync).
    virtual Result<> sync_data() = 0;

    // Forgets clean cached pages, so that the next read comes from the disk.
    virtual Result<> drop_cache() = 0;
};

// Held until destroyed, or until the process ends however it ends.
class FileLock {
  public:
    virtual ~FileLock() = default;
};

enum class OpenMode : std::uint8_t {
    read,           // must exist
    read_write,     // must exist
    create_new,     // must not exist
    create_or_open  // read and write
};

struct DirectoryEntry {
    std::string name;  // without the folder
    bool is_directory = false;
};

// Paths are UTF-8, "/" between names.
class FileSystem {
  public:
    virtual ~FileSystem() = default;

    virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
    virtual Result<bool> exists(const std::string& path) = 0;
    // Creates missing parents too; no error if it exists.
    virtual Result<> create_directories(const std::string& path) = 0;
    // Sorted by name. not_found if there is no such folder.
    virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
    // Replaces `to` in one step if it exists.
    virtual Result<> rename(const std::string& from, const std::string& to) = 0;
    virtual Result<> remove(const std::string& path) = 0;
    virtual Result<> sync_directory(const std::string& path) = 0;

    // An exclusive lock on `path` (created where missing). `unavailable` if another process, or this one, holds it.
    virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

// Whole small files: read (refusing more than size_bytes_max), and replace so that after a crash either the old or the
// new content is there (temporary file, sync, rename, sync of the folder).
Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t size_bytes_max);
Result<> replace_file(FileSystem& files, const std::string& path, std::string_view content);

// "a/b" from "a" and "b".
std::string join_path(std::string_view folder, std::string_view name);

}  // namespace leftfold
