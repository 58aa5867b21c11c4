#include "leftfold/env/files.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace leftfold {

namespace {

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos)
        return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

Result<> write_synced(FileSystem& files, const std::string& path, std::string_view content) {
    LEFTFOLD_TRY(file, files.open(path, OpenMode::create_or_open));
    LEFTFOLD_CHECK(file->truncate(0));
    LEFTFOLD_CHECK(file->write_at(0, bytes_of(content)));
    return file->sync_data();
}

}  // namespace

Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t size_bytes_max) {
    LEFTFOLD_TRY(file, files.open(path, OpenMode::read));
    LEFTFOLD_TRY(size, file->size());
    if (size > size_bytes_max)
        return fail(ErrorCode::too_large,
                    fmt::format("'{}' has {} bytes, more than the {} allowed", path, size, size_bytes_max));
    std::string content(static_cast<std::size_t>(size), '\0');
    LEFTFOLD_TRY(count, file->read_at(0, std::as_writable_bytes(std::span(content))));
    content.resize(count);
    return content;
}

Result<> replace_file(FileSystem& files, const std::string& path, std::string_view content) {
    const std::string temporary = path + ".tmp";
    auto replaced = write_synced(files, temporary, content);
    if (replaced)
        replaced = files.rename(temporary, path);
    if (!replaced) {
        // The first failure is the one to report; what is left over is overwritten by the next call.
        static_cast<void>(files.remove(temporary));
        return replaced;
    }
    return files.sync_directory(parent_of(path));
}

std::string join_path(std::string_view folder, std::string_view name) {
    std::string path(folder);
    if (!path.empty() && path.back() != '/')
        path += '/';
    path += name;
    return path;
}

}  // namespace leftfold
