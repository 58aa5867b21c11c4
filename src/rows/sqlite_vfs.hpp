// SqliteVfs: the disk that SQLite sees, over a FileSystem. Locks and shared memory are of this process; there is no
// time, no chance and no temporary file.
//
// Every failure of the file system is kept for the thread it happened on, as errno is: SQLite itself passes on only a
// number.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <sqlite3.h>

#include "leftfold/base/error.hpp"
#include "leftfold/env/files.hpp"

#include "shared_database.hpp"

namespace leftfold::rows {

// Thread rule: any thread. Registered with SQLite as long as it lives.
class SqliteVfs {
  public:
    // The one of this file system: connections through it know of each other. Borrows `files`.
    static std::shared_ptr<SqliteVfs> of(FileSystem& files);

    ~SqliteVfs();
    SqliteVfs(const SqliteVfs&) = delete;
    SqliteVfs& operator=(const SqliteVfs&) = delete;

    const char* name() const noexcept { return name_.c_str(); }
    FileSystem& files() noexcept { return files_; }
    ReleaseSignal& released() noexcept { return released_; }
    // The state that connections to this database share, as long as one of them lives.
    std::shared_ptr<SharedDatabase> shared(const std::string& path);

  private:
    explicit SqliteVfs(FileSystem& files);

    FileSystem& files_;
    std::string name_;
    sqlite3_vfs vfs_{};
    ReleaseSignal released_;
    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<SharedDatabase>> databases_;  // guarded by mutex_
};

// What the file system said when a call of this thread to SQLite last failed by it. Taken once.
std::optional<Error> take_vfs_error() noexcept;

// "a/b" of "a/b/c", "." of "c".
std::string folder_of(const std::string& path);

}  // namespace leftfold::rows
