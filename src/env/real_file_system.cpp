// The POSIX file system behind the port.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "leftfold/env/real_env.hpp"

#include "file_descriptor.hpp"

namespace leftfold {

namespace {

constexpr mode_t kFileMode = 0640;

// Repeats a call that a signal interrupted.
template <class Call>
auto uninterrupted(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR)
        result = call();
    return result;
}

std::unexpected<Error> failed(std::string_view what, const std::string& path,
                              std::source_location where = std::source_location::current()) {
    const int error_number = errno;
    return std::unexpected(Error::from_errno(error_number, fmt::format("{} '{}'", what, path), where));
}

class RealFile final : public File {
  public:
    RealFile(FileDescriptor fd, const std::string& path) : fd_(std::move(fd)), path_(path) {}

    Result<std::size_t> read_at(std::uint64_t offset, MutableByteSpan buffer) override {
        std::size_t done = 0;
        while (done < buffer.size()) {
            const auto rest = buffer.subspan(done);
            const ssize_t count = uninterrupted(
                [&] { return ::pread(fd_.get(), rest.data(), rest.size(), static_cast<off_t>(offset + done)); });
            if (count < 0)
                return failed(fmt::format("cannot read {} bytes at offset {} of", buffer.size(), offset), path_);
            if (count == 0)
                break;
            done += static_cast<std::size_t>(count);
        }
        return done;
    }

    Result<> write_at(std::uint64_t offset, ByteSpan bytes) override {
        std::size_t done = 0;
        while (done < bytes.size()) {
            const auto rest = bytes.subspan(done);
            const ssize_t count = uninterrupted(
                [&] { return ::pwrite(fd_.get(), rest.data(), rest.size(), static_cast<off_t>(offset + done)); });
            if (count < 0)
                return failed(fmt::format("cannot write {} bytes at offset {} of", bytes.size(), offset), path_);
            done += static_cast<std::size_t>(count);
        }
        return {};
    }

    Result<> allocate(std::uint64_t size) override {
        LEFTFOLD_TRY(old_size, this->size());
        if (size == 0)
            return {};
        const auto length = static_cast<off_t>(size);
        if (uninterrupted([&] { return ::fallocate(fd_.get(), 0, 0, length); }) == 0)
            return {};
        // A file system without the call: glibc writes to each block instead.
        if (errno == EOPNOTSUPP)
            errno = ::posix_fallocate(fd_.get(), 0, length);
        if (errno == 0)
            return {};
        auto failure = failed(fmt::format("cannot reserve {} bytes for", size), path_);
        // ext4 keeps what it could get, which would leave the disk full.
        if (size > old_size)
            static_cast<void>(truncate(old_size));
        return failure;
    }

    Result<> truncate(std::uint64_t size) override {
        if (uninterrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) < 0)
            return failed(fmt::format("cannot set the size to {} bytes of", size), path_);
        return {};
    }

    Result<std::uint64_t> size() override {
        struct stat status{};
        if (::fstat(fd_.get(), &status) < 0)
            return failed("cannot get the size of", path_);
        return static_cast<std::uint64_t>(status.st_size);
    }

    Result<> sync_data() override {
        if (uninterrupted([&] { return ::fdatasync(fd_.get()); }) < 0)
            return failed("cannot sync", path_);
        return {};
    }

    Result<> drop_cache() override {
        errno = ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
        if (errno != 0)
            return failed("cannot drop the cached pages of", path_);
        return {};
    }

  private:
    FileDescriptor fd_;
    std::string path_;
};

class RealFileLock final : public FileLock {
  public:
    explicit RealFileLock(FileDescriptor fd) : fd_(std::move(fd)) {}

  private:
    FileDescriptor fd_;
};

int flags_of(OpenMode mode) {
    switch (mode) {
        case OpenMode::read:
            return O_RDONLY;
        case OpenMode::read_write:
            return O_RDWR;
        case OpenMode::create_new:
            return O_RDWR | O_CREAT | O_EXCL;
        case OpenMode::create_or_open:
            return O_RDWR | O_CREAT;
    }
    return O_RDONLY;
}

Result<FileDescriptor> open_descriptor(const std::string& path, int flags) {
    FileDescriptor fd(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kFileMode); }));
    if (!fd.valid())
        return failed((flags & O_CREAT) != 0 ? "cannot open or create" : "cannot open", path);
    return fd;
}

bool is_directory(int folder_fd, const struct dirent& entry) {
    if (entry.d_type != DT_UNKNOWN && entry.d_type != DT_LNK)
        return entry.d_type == DT_DIR;
    struct stat status{};
    return ::fstatat(folder_fd, entry.d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

class RealFileSystem final : public FileSystem {
  public:
    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
        LEFTFOLD_TRY(fd, open_descriptor(path, flags_of(mode)));
        struct stat status{};
        if (::fstat(fd.get(), &status) < 0)
            return failed("cannot inspect", path);
        if (S_ISDIR(status.st_mode))
            return fail(ErrorCode::invalid_argument, fmt::format("cannot open '{}': it is a folder", path));
        return std::make_unique<RealFile>(std::move(fd), path);
    }

    Result<bool> exists(const std::string& path) override {
        struct stat status{};
        if (::stat(path.c_str(), &status) == 0)
            return true;
        if (errno == ENOENT || errno == ENOTDIR)
            return false;
        return failed("cannot inspect", path);
    }

    Result<> create_directories(const std::string& path) override {
        std::error_code error;
        std::filesystem::create_directories(path, error);
        if (error)
            return std::unexpected(Error::from_errno(error.value(), fmt::format("cannot create folder '{}'", path)));
        return {};
    }

    Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
        const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
        if (!folder)
            return failed("cannot list", path);
        std::vector<DirectoryEntry> entries;
        for (;;) {
            errno = 0;
            const struct dirent* entry = ::readdir(folder.get());
            if (entry == nullptr)
                break;
            const std::string_view name = entry->d_name;
            if (name != "." && name != "..")
                entries.push_back({std::string(name), is_directory(::dirfd(folder.get()), *entry)});
        }
        if (errno != 0)
            return failed("cannot list", path);
        std::ranges::sort(entries, {}, &DirectoryEntry::name);
        return entries;
    }

    Result<> rename(const std::string& from, const std::string& to) override {
        if (::rename(from.c_str(), to.c_str()) < 0)
            return failed(fmt::format("cannot rename '{}' to", from), to);
        return {};
    }

    Result<> remove(const std::string& path) override {
        if (::remove(path.c_str()) < 0)
            return failed("cannot remove", path);
        return {};
    }

    Result<> sync_directory(const std::string& path) override {
        LEFTFOLD_TRY(fd, open_descriptor(path, O_RDONLY | O_DIRECTORY));
        if (uninterrupted([&] { return ::fsync(fd.get()); }) < 0)
            return failed("cannot sync folder", path);
        return {};
    }

    Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
        LEFTFOLD_TRY(fd, open_descriptor(path, O_RDWR | O_CREAT));
        // flock belongs to the open file and not to the process, so it refuses a second one of our own too.
        if (uninterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) == 0)
            return std::make_unique<RealFileLock>(std::move(fd));
        if (errno == EWOULDBLOCK)
            return fail(ErrorCode::unavailable, fmt::format("'{}' is locked: another process is using it", path),
                        Retry::yes);
        return failed("cannot lock", path);
    }
};

}  // namespace

std::unique_ptr<FileSystem> make_real_file_system() {
    return std::make_unique<RealFileSystem>();
}

}  // namespace leftfold
