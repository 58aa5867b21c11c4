#include "sqlite_vfs.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold::rows {

namespace {

constexpr std::string_view kWalSuffix = "-wal";
constexpr int kPathBytesMax = 4096;
constexpr int kSectorBytes = 4096;

thread_local std::optional<Error> last_error;

int failed(Error error, int code) noexcept {
    // A full disk is a thing of its own to SQLite; all else is told by the error kept here.
    const bool is_full = error.code() == ErrorCode::no_space;
    last_error = std::move(error);
    return is_full ? SQLITE_FULL : code;
}

struct OpenFile {
    std::unique_ptr<File> file;
    std::string path;
    std::shared_ptr<SharedDatabase> shared;  // of a database and its WAL
    FileLockLevel level = FileLockLevel::none;
    SharedDatabase::IndexHold index_hold;
    bool uses_index = false;

    std::optional<Error> refusal() const { return shared ? shared->refusal(path) : std::nullopt; }
};

// What SQLite holds; it gives the memory.
struct Handle {
    sqlite3_file base;
    OpenFile* open;
};

OpenFile& of(sqlite3_file* file) noexcept {
    return *reinterpret_cast<Handle*>(file)->open;
}

SqliteVfs& of(sqlite3_vfs* vfs) noexcept {
    return *static_cast<SqliteVfs*>(vfs->pAppData);
}

int x_close(sqlite3_file* file) noexcept {
    OpenFile& open = of(file);
    if (open.shared) {
        if (open.uses_index)
            open.shared->leave_index(open.index_hold);
        open.shared->unlock(open.level, FileLockLevel::none);
    }
    delete &open;
    return SQLITE_OK;
}

int x_read(sqlite3_file* file, void* buffer, int size, sqlite3_int64 offset) noexcept {
    const MutableByteSpan bytes(static_cast<std::byte*>(buffer), static_cast<std::size_t>(size));
    auto count = of(file).file->read_at(static_cast<std::uint64_t>(offset), bytes);
    if (!count)
        return failed(std::move(count).error(), SQLITE_IOERR_READ);
    std::ranges::fill(bytes.subspan(*count), std::byte{0});
    return *count == bytes.size() ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int x_write(sqlite3_file* file, const void* buffer, int size, sqlite3_int64 offset) noexcept {
    OpenFile& open = of(file);
    if (auto refusal = open.refusal())
        return failed(*std::move(refusal), SQLITE_IOERR_WRITE);
    const ByteSpan bytes(static_cast<const std::byte*>(buffer), static_cast<std::size_t>(size));
    if (auto written = open.file->write_at(static_cast<std::uint64_t>(offset), bytes); !written)
        return failed(std::move(written).error(), SQLITE_IOERR_WRITE);
    return SQLITE_OK;
}

int x_truncate(sqlite3_file* file, sqlite3_int64 size) noexcept {
    OpenFile& open = of(file);
    if (auto refusal = open.refusal())
        return failed(*std::move(refusal), SQLITE_IOERR_TRUNCATE);
    if (auto truncated = open.file->truncate(static_cast<std::uint64_t>(size)); !truncated)
        return failed(std::move(truncated).error(), SQLITE_IOERR_TRUNCATE);
    return SQLITE_OK;
}

int x_sync(sqlite3_file* file, int) noexcept {
    OpenFile& open = of(file);
    if (auto refusal = open.refusal())
        return failed(*std::move(refusal), SQLITE_IOERR_FSYNC);
    auto synced = open.file->sync_data();
    if (synced)
        return SQLITE_OK;
    if (open.shared)
        open.shared->sync_failed(synced.error());
    return failed(std::move(synced).error(), SQLITE_IOERR_FSYNC);
}

int x_file_size(sqlite3_file* file, sqlite3_int64* size) noexcept {
    auto bytes = of(file).file->size();
    if (!bytes)
        return failed(std::move(bytes).error(), SQLITE_IOERR_FSTAT);
    *size = static_cast<sqlite3_int64>(*bytes);
    return SQLITE_OK;
}

static_assert(SQLITE_LOCK_NONE == 0 && SQLITE_LOCK_SHARED == 1 && SQLITE_LOCK_RESERVED == 2 &&
              SQLITE_LOCK_PENDING == 3 && SQLITE_LOCK_EXCLUSIVE == 4);

int x_lock(sqlite3_file* file, int level) noexcept {
    OpenFile& open = of(file);
    return open.shared->lock(open.level, static_cast<FileLockLevel>(level)) ? SQLITE_OK : SQLITE_BUSY;
}

int x_unlock(sqlite3_file* file, int level) noexcept {
    OpenFile& open = of(file);
    open.shared->unlock(open.level, static_cast<FileLockLevel>(level));
    return SQLITE_OK;
}

int x_check_reserved_lock(sqlite3_file* file, int* is_reserved) noexcept {
    *is_reserved = of(file).shared->is_reserved() ? 1 : 0;
    return SQLITE_OK;
}

int x_file_control(sqlite3_file*, int, void*) noexcept {
    return SQLITE_NOTFOUND;
}

int x_sector_size(sqlite3_file*) noexcept {
    return kSectorBytes;
}

int x_device_characteristics(sqlite3_file*) noexcept {
    // A power loss spoils no bytes beside those being written: true of disks with sectors that are written whole.
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int x_shm_map(sqlite3_file* file, int region, int size, int make, void volatile** memory) noexcept {
    OpenFile& open = of(file);
    if (!open.uses_index)
        open.shared->use_index();
    open.uses_index = true;
    *memory = open.shared->index_region(static_cast<std::size_t>(region), static_cast<std::size_t>(size), make != 0);
    return SQLITE_OK;
}

int x_shm_lock(sqlite3_file* file, int offset, int count, int flags) noexcept {
    OpenFile& open = of(file);
    const auto first = static_cast<std::size_t>(offset);
    const auto slots = static_cast<std::size_t>(count);
    LEFTFOLD_ASSERT(first + slots <= SharedDatabase::kIndexLocks);
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        open.shared->unlock_index(open.index_hold, first, slots);
        return SQLITE_OK;
    }
    const bool is_held = (flags & SQLITE_SHM_SHARED) != 0
                             ? open.shared->lock_index_shared(open.index_hold, first)
                             : open.shared->lock_index_exclusive(open.index_hold, first, slots);
    return is_held ? SQLITE_OK : SQLITE_BUSY;
}

void x_shm_barrier(sqlite3_file*) noexcept {
    // What SQLite writes to the shared memory before this, other threads see before what it writes after.
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

int x_shm_unmap(sqlite3_file* file, int) noexcept {
    OpenFile& open = of(file);
    if (open.uses_index)
        open.shared->leave_index(open.index_hold);
    open.uses_index = false;
    return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_file_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_check_reserved_lock,
    .xFileControl = x_file_control,
    .xSectorSize = x_sector_size,
    .xDeviceCharacteristics = x_device_characteristics,
    .xShmMap = x_shm_map,
    .xShmLock = x_shm_lock,
    .xShmBarrier = x_shm_barrier,
    .xShmUnmap = x_shm_unmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

OpenMode mode_of(int flags) noexcept {
    if ((flags & SQLITE_OPEN_READONLY) != 0)
        return OpenMode::read;
    if ((flags & SQLITE_OPEN_CREATE) == 0)
        return OpenMode::read_write;
    return (flags & SQLITE_OPEN_EXCLUSIVE) != 0 ? OpenMode::create_new : OpenMode::create_or_open;
}

// See SharedDatabase::is_wal_settled. The folder's sync also settles the name of the database beside it.
Result<> settle(FileSystem& files, OpenFile& wal) {
    if (wal.shared->is_wal_settled())
        return {};
    LEFTFOLD_CHECK(wal.file->drop_cache());
    LEFTFOLD_CHECK(files.sync_directory(folder_of(wal.path)));
    wal.shared->settle_wal();
    return {};
}

int x_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) noexcept {
    file->pMethods = nullptr;
    LEFTFOLD_ASSERT(name != nullptr);  // temp_store = memory: nobody asks for a temporary file
    SqliteVfs& self = of(vfs);
    auto open = std::make_unique<OpenFile>();
    open->path = name;
    auto opened = self.files().open(open->path, mode_of(flags));
    if (!opened)
        return failed(std::move(opened).error(), SQLITE_CANTOPEN);
    open->file = *std::move(opened);
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
        open->shared = self.shared(open->path);
    } else if ((flags & SQLITE_OPEN_WAL) != 0) {
        LEFTFOLD_ASSERT(open->path.ends_with(kWalSuffix));
        open->shared = self.shared(open->path.substr(0, open->path.size() - kWalSuffix.size()));
        if (auto settled = settle(self.files(), *open); !settled)
            return failed(std::move(settled).error(), SQLITE_CANTOPEN);
    }
    if (out_flags != nullptr)
        *out_flags = flags;
    auto* handle = reinterpret_cast<Handle*>(file);
    handle->open = open.release();
    handle->base.pMethods = &kMethods;
    return SQLITE_OK;
}

int x_delete(sqlite3_vfs* vfs, const char* name, int) noexcept {
    FileSystem& files = of(vfs).files();
    auto removed = files.remove(name);
    if (!removed && removed.error().code() == ErrorCode::not_found)
        return SQLITE_IOERR_DELETE_NOENT;
    // Synced whether SQLite asks for it or not: the WAL of a store that is gone must not come back beside another.
    if (removed)
        removed = files.sync_directory(folder_of(name));
    return removed ? SQLITE_OK : failed(std::move(removed).error(), SQLITE_IOERR_DELETE);
}

int x_access(sqlite3_vfs* vfs, const char* name, int, int* is_there) noexcept {
    auto exists = of(vfs).files().exists(name);
    if (!exists)
        return failed(std::move(exists).error(), SQLITE_IOERR_ACCESS);
    *is_there = *exists ? 1 : 0;
    return SQLITE_OK;
}

int x_full_pathname(sqlite3_vfs*, const char* name, int size, char* out) noexcept {
    const std::string_view path(name);
    if (path.size() >= static_cast<std::size_t>(size))
        return SQLITE_CANTOPEN;
    std::memcpy(out, path.data(), path.size());
    out[path.size()] = '\0';
    return SQLITE_OK;
}

// SQLite asks only its default VFS for chance, once a process.
int x_randomness(sqlite3_vfs*, int, char*) noexcept {
    return 0;
}

int x_sleep(sqlite3_vfs* vfs, int microseconds) noexcept {
    of(vfs).released().wait(std::chrono::microseconds(microseconds));
    return microseconds;
}

// No statement of ours asks for the time.
int x_current_time(sqlite3_vfs*, double*) noexcept {
    return SQLITE_ERROR;
}

int x_get_last_error(sqlite3_vfs*, int, char*) noexcept {
    return 0;
}

struct Registry {
    std::mutex mutex;
    std::map<const FileSystem*, std::weak_ptr<SqliteVfs>> by_files;  // guarded by mutex
    std::uint64_t next_number = 1;                                   // guarded by mutex
};

// SQLite's own list of VFSs is of the process, too.
Registry& registry() {
    static Registry instance;
    return instance;
}

}  // namespace

std::shared_ptr<SqliteVfs> SqliteVfs::of(FileSystem& files) {
    Registry& all = registry();
    const std::scoped_lock lock(all.mutex);
    std::erase_if(all.by_files, [](const auto& entry) { return entry.second.expired(); });
    auto& known = all.by_files[&files];
    auto vfs = known.lock();
    if (!vfs) {
        vfs.reset(new SqliteVfs(files));
        vfs->name_ = fmt::format("leftfold-{}", all.next_number++);
        vfs->vfs_.zName = vfs->name_.c_str();
        const int code = sqlite3_vfs_register(&vfs->vfs_, 0);
        LEFTFOLD_ASSERT(code == SQLITE_OK);
        known = vfs;
    }
    return vfs;
}

SqliteVfs::SqliteVfs(FileSystem& files)
    : files_(files),
      vfs_{
          .iVersion = 1,
          .szOsFile = sizeof(Handle),
          .mxPathname = kPathBytesMax,
          .pNext = nullptr,
          .zName = nullptr,
          .pAppData = this,
          .xOpen = x_open,
          .xDelete = x_delete,
          .xAccess = x_access,
          .xFullPathname = x_full_pathname,
          .xDlOpen = nullptr,
          .xDlError = nullptr,
          .xDlSym = nullptr,
          .xDlClose = nullptr,
          .xRandomness = x_randomness,
          .xSleep = x_sleep,
          .xCurrentTime = x_current_time,
          .xGetLastError = x_get_last_error,
          .xCurrentTimeInt64 = nullptr,
          .xSetSystemCall = nullptr,
          .xGetSystemCall = nullptr,
          .xNextSystemCall = nullptr,
      } {}

SqliteVfs::~SqliteVfs() {
    sqlite3_vfs_unregister(&vfs_);
}

std::shared_ptr<SharedDatabase> SqliteVfs::shared(const std::string& path) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(databases_, [](const auto& entry) { return entry.second.expired(); });
    auto& known = databases_[path];
    auto database = known.lock();
    if (!database) {
        database = std::make_shared<SharedDatabase>(released_);
        known = database;
    }
    return database;
}

std::optional<Error> take_vfs_error() noexcept {
    return std::exchange(last_error, std::nullopt);
}

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos)
        return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace leftfold::rows
