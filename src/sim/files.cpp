#include "leftfold/sim/files.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/crc32c.hpp"

#include "disk.hpp"
#include "fault_plan.hpp"

namespace leftfold::sim {

namespace {

constexpr Retry retry_of(ErrorCode code) noexcept {
    return code == ErrorCode::no_space ? Retry::yes : Retry::no;
}

struct Denied {
    Error error;
    bool is_injected;  // so that a write may have come half-way
};

}  // namespace

struct SimFileSystem::Impl {
    Impl(SimRandom random_source, Trace& trace_sink) : random(random_source), trace(trace_sink) {}

    // Counts and traces one operation, and says why it must not take place, if it must not.
    std::optional<Denied> deny(std::string_view what, Access access, const std::string& path,
                               std::initializer_list<std::uint64_t> numbers = {});
    std::optional<Denied> deny_handle(std::uint64_t opened_in, std::string_view what, Access access,
                                      const std::string& path, std::initializer_list<std::uint64_t> numbers = {});
    Error error(ErrorCode code, std::string_view what, const std::string& path, std::string_view why) const;
    Error closed(std::string_view what, const std::string& path) const;
    // How much of `bytes` more there is room for.
    std::uint64_t room_for(std::uint64_t bytes) const;
    void power_off();
    void restarted();

    Disk disk;
    SimRandom random;
    Trace& trace;
    FaultPlan faults;
    PlantedFaults planted;
    std::function<void()> gone;
    std::function<void(std::uint64_t, std::string_view, const std::string&)> tell;
    std::uint64_t boot = 1;  // handles of an earlier one are dead
    std::uint64_t operation_count = 0;
    std::uint64_t fault_count = 0;
    std::uint64_t power_off_at = 0;  // 0: never
    std::uint64_t capacity = 0;
    bool is_powered = true;
    bool is_read_only = false;
};

namespace {

class SimFile final : public File {
  public:
    SimFile(SimFileSystem::Impl& files, NodeId id, std::string path, bool is_writable)
        : files_(files), path_(std::move(path)), id_(id), boot_(files.boot), is_writable_(is_writable) {
        ++node().open_count;
    }
    ~SimFile() override {
        if (files_.boot == boot_)
            --node().open_count;
    }
    SimFile(const SimFile&) = delete;
    SimFile& operator=(const SimFile&) = delete;

    Result<std::size_t> read_at(std::uint64_t offset, MutableByteSpan buffer) override;
    Result<> write_at(std::uint64_t offset, ByteSpan bytes) override;
    Result<> allocate(std::uint64_t size) override;
    Result<> truncate(std::uint64_t size) override;
    Result<std::uint64_t> size() override;
    Result<> sync_data() override;
    Result<> drop_cache() override;

  private:
    Node& node() { return files_.disk.node(id_); }
    DiskFile& data() { return node().file; }
    std::optional<Denied> deny(std::string_view what, Access access, std::initializer_list<std::uint64_t> numbers = {});

    SimFileSystem::Impl& files_;
    std::string path_;
    NodeId id_;
    std::uint64_t boot_;
    bool is_writable_;
};

class SimFileLock final : public FileLock {
  public:
    SimFileLock(SimFileSystem::Impl& files, NodeId id) : files_(files), id_(id), boot_(files.boot) {
        files_.disk.node(id_).is_locked = true;
    }
    ~SimFileLock() override {
        if (files_.boot == boot_)
            files_.disk.node(id_).is_locked = false;
    }
    SimFileLock(const SimFileLock&) = delete;
    SimFileLock& operator=(const SimFileLock&) = delete;

  private:
    SimFileSystem::Impl& files_;
    NodeId id_;
    std::uint64_t boot_;
};

}  // namespace

Error SimFileSystem::Impl::error(ErrorCode code, std::string_view what, const std::string& path,
                                 std::string_view why) const {
    return Error(code, fmt::format("cannot {} '{}': {} (simulated, operation {})", what, path, why, operation_count),
                 retry_of(code));
}

Error SimFileSystem::Impl::closed(std::string_view what, const std::string& path) const {
    return error(ErrorCode::closed, what, path, "the process that opened it is gone");
}

void SimFileSystem::Impl::power_off() {
    if (!is_powered)
        return;
    is_powered = false;
    trace.note("power off", "", {operation_count});
    if (gone)
        gone();
}

void SimFileSystem::Impl::restarted() {
    ++boot;
    is_powered = true;
    power_off_at = 0;
    faults.clear();
}

std::optional<Denied> SimFileSystem::Impl::deny(std::string_view what, Access access, const std::string& path,
                                                std::initializer_list<std::uint64_t> numbers) {
    if (!is_powered)
        return Denied{closed(what, path), false};
    ++operation_count;
    trace.note(what, path, numbers);
    if (tell)
        tell(operation_count, what, path);
    if (operation_count == power_off_at) {
        power_off();
        return Denied{closed(what, path), false};
    }
    if (const auto code = faults.fault_of(operation_count, access, random)) {
        ++fault_count;
        trace.note("fault", "", {static_cast<std::uint64_t>(*code)});
        return Denied{error(*code, what, path, "ordered to fail"), true};
    }
    if (access == Access::writes && is_read_only)
        return Denied{error(ErrorCode::read_only, what, path, "the file system is read-only"), false};
    return std::nullopt;
}

std::optional<Denied> SimFileSystem::Impl::deny_handle(std::uint64_t opened_in, std::string_view what, Access access,
                                                       const std::string& path,
                                                       std::initializer_list<std::uint64_t> numbers) {
    if (opened_in != boot)
        return Denied{closed(what, path), false};
    return deny(what, access, path, numbers);
}

std::uint64_t SimFileSystem::Impl::room_for(std::uint64_t bytes) const {
    if (capacity == 0)
        return bytes;
    const std::uint64_t used = disk.used_bytes();
    return used >= capacity ? 0 : std::min(bytes, capacity - used);
}

std::optional<Denied> SimFile::deny(std::string_view what, Access access,
                                    std::initializer_list<std::uint64_t> numbers) {
    auto denied = files_.deny_handle(boot_, what, access, path_, numbers);
    if (!denied && access == Access::writes && !is_writable_)
        denied = Denied{files_.error(ErrorCode::closed, what, path_, "it is open for reading only"), false};
    return denied;
}

Result<std::size_t> SimFile::read_at(std::uint64_t offset, MutableByteSpan buffer) {
    if (auto denied = deny("read", Access::reads, {offset, buffer.size()}))
        return std::unexpected(std::move(denied->error));
    if (offset >= data().size())
        return 0;
    const auto part = buffer.first(std::min<std::uint64_t>(buffer.size(), data().size() - offset));
    data().read(offset, part);
    files_.trace.note("have read", "", {part.size(), crc32c(part)});
    return part.size();
}

Result<> SimFile::write_at(std::uint64_t offset, ByteSpan bytes) {
    if (auto denied = deny("write to", Access::writes, {offset, bytes.size(), crc32c(bytes)})) {
        if (denied->is_injected && denied->error.code() != ErrorCode::read_only && is_writable_)
            data().write(offset, bytes.first(files_.random.below(bytes.size() + 1)));
        return std::unexpected(std::move(denied->error));
    }
    if (bytes.empty())
        return {};
    const std::uint64_t end = offset + bytes.size();
    const std::uint64_t growth = end > data().size() ? end - data().size() : 0;
    const std::uint64_t room = files_.room_for(growth);
    if (room == growth) {
        data().write(offset, bytes);
        return {};
    }
    // As pwrite does: what fits is written, and the next call for the rest fails.
    const std::uint64_t end_that_fits = data().size() + room;
    if (end_that_fits > offset)
        data().write(offset, bytes.first(end_that_fits - offset));
    return std::unexpected(files_.error(ErrorCode::no_space, "write to", path_, "no space left on the disk"));
}

Result<> SimFile::allocate(std::uint64_t size) {
    if (auto denied = deny("reserve space for", Access::writes, {size}))
        return std::unexpected(std::move(denied->error));
    if (size <= data().size())
        return {};
    const std::uint64_t growth = size - data().size();
    if (files_.room_for(growth) < growth)
        return std::unexpected(
            files_.error(ErrorCode::no_space, "reserve space for", path_, "no space left on the disk"));
    data().resize(size);
    return {};
}

Result<> SimFile::truncate(std::uint64_t size) {
    if (auto denied = deny("truncate", Access::writes, {size}))
        return std::unexpected(std::move(denied->error));
    data().resize(size);
    return {};
}

Result<std::uint64_t> SimFile::size() {
    if (auto denied = deny("get the size of", Access::reads))
        return std::unexpected(std::move(denied->error));
    files_.trace.note("size", "", {data().size()});
    return data().size();
}

Result<> SimFile::sync_data() {
    if (auto denied = deny("sync", Access::syncs)) {
        if (denied->is_injected)
            data().fail_sync(files_.random);
        return std::unexpected(std::move(denied->error));
    }
    if (!files_.planted.sync_data_lies)
        data().sync();
    return {};
}

Result<> SimFile::drop_cache() {
    if (auto denied = deny("drop the cache of", Access::reads))
        return std::unexpected(std::move(denied->error));
    data().drop_cache();
    return {};
}

SimFileSystem::SimFileSystem(SimRandom random, Trace& trace) : impl_(std::make_unique<Impl>(random, trace)) {}

SimFileSystem::~SimFileSystem() = default;

Result<std::unique_ptr<File>> SimFileSystem::open(const std::string& path, OpenMode mode) {
    const bool is_writable = mode != OpenMode::read;
    const Access access = is_writable ? Access::writes : Access::reads;
    if (auto denied = impl_->deny("open", access, path, {static_cast<std::uint64_t>(mode)}))
        return std::unexpected(std::move(denied->error));
    auto found = impl_->disk.find(path);
    const bool is_missing = !found && found.error().code() == ErrorCode::not_found;
    if (mode == OpenMode::create_new || (is_missing && mode == OpenMode::create_or_open))
        found = impl_->disk.create_file(path);
    if (!found)
        return std::unexpected(std::move(found.error()).with_context("cannot open"));
    if (impl_->disk.node(*found).is_directory)
        return fail(ErrorCode::invalid_argument, fmt::format("cannot open '{}': it is a folder", path));
    return std::make_unique<SimFile>(*impl_, *found, path, is_writable);
}

Result<bool> SimFileSystem::exists(const std::string& path) {
    if (auto denied = impl_->deny("look for", Access::reads, path))
        return std::unexpected(std::move(denied->error));
    const bool found = impl_->disk.find(path).has_value();
    impl_->trace.note("exists", "", {found});
    return found;
}

Result<> SimFileSystem::create_directories(const std::string& path) {
    if (auto denied = impl_->deny("create folder", Access::writes, path))
        return std::unexpected(std::move(denied->error));
    return impl_->disk.create_directories(path);
}

Result<std::vector<DirectoryEntry>> SimFileSystem::list(const std::string& path) {
    if (auto denied = impl_->deny("list", Access::reads, path))
        return std::unexpected(std::move(denied->error));
    LEFTFOLD_TRY(id, impl_->disk.find(path));
    const Node& folder = impl_->disk.node(id);
    if (!folder.is_directory)
        return fail(ErrorCode::io, fmt::format("cannot list '{}': not a folder", path));
    std::vector<DirectoryEntry> entries;
    for (const auto& [name, child] : folder.names)
        entries.push_back({name, impl_->disk.node(child).is_directory});
    return entries;
}

Result<> SimFileSystem::rename(const std::string& from, const std::string& to) {
    if (auto denied = impl_->deny("rename to", Access::writes, to, {crc32c(bytes_of(from))}))
        return std::unexpected(std::move(denied->error));
    return impl_->disk.rename(from, to);
}

Result<> SimFileSystem::remove(const std::string& path) {
    if (auto denied = impl_->deny("remove", Access::writes, path))
        return std::unexpected(std::move(denied->error));
    return impl_->disk.remove(path);
}

Result<> SimFileSystem::sync_directory(const std::string& path) {
    if (auto denied = impl_->deny("sync folder", Access::syncs, path))
        return std::unexpected(std::move(denied->error));
    if (impl_->planted.sync_directory_lies) {
        LEFTFOLD_CHECK(impl_->disk.find(path));
        return {};
    }
    return impl_->disk.sync_directory(path);
}

Result<std::unique_ptr<FileLock>> SimFileSystem::lock(const std::string& path) {
    if (auto denied = impl_->deny("lock", Access::writes, path))
        return std::unexpected(std::move(denied->error));
    auto found = impl_->disk.find(path);
    if (!found && found.error().code() == ErrorCode::not_found)
        found = impl_->disk.create_file(path);
    if (!found)
        return std::unexpected(std::move(found.error()).with_context("cannot lock"));
    if (impl_->disk.node(*found).is_locked)
        return fail(ErrorCode::unavailable, fmt::format("'{}' is locked: another process is using it", path),
                    Retry::yes);
    return std::make_unique<SimFileLock>(*impl_, *found);
}

CrashReport SimFileSystem::crash(Random& random) {
    power_off();
    CrashReport report;
    CrashDice dice(random, report);
    impl_->disk.crash(dice);
    impl_->restarted();
    impl_->trace.note("crash", "",
                      {report.writes_kept, report.writes_dropped, report.writes_torn, report.writes_trashed,
                       report.sizes_kept, report.sizes_dropped, report.names_kept, report.names_dropped});
    return report;
}

CrashReport SimFileSystem::crash() {
    return crash(impl_->random);
}

void SimFileSystem::kill_process() {
    power_off();
    impl_->disk.release_all();
    impl_->restarted();
    impl_->trace.note("kill", "");
}

void SimFileSystem::power_off() {
    impl_->power_off();
}
void SimFileSystem::power_off_at(std::uint64_t n) {
    impl_->power_off_at = impl_->operation_count + n;
}
void SimFileSystem::on_power_off(std::function<void()> gone) {
    impl_->gone = std::move(gone);
}
bool SimFileSystem::is_powered() const noexcept {
    return impl_->is_powered;
}

std::uint64_t SimFileSystem::operation_count() const noexcept {
    return impl_->operation_count;
}
void SimFileSystem::on_operation(std::function<void(std::uint64_t, std::string_view, const std::string&)> tell) {
    impl_->tell = std::move(tell);
}
std::uint64_t SimFileSystem::fault_count() const noexcept {
    return impl_->fault_count;
}

void SimFileSystem::fail_operation(std::uint64_t n, ErrorCode code) {
    impl_->faults.fail(impl_->operation_count + n, code, false);
}
void SimFileSystem::fail_operations_from(std::uint64_t n, ErrorCode code) {
    impl_->faults.fail(impl_->operation_count + n, code, true);
}
void SimFileSystem::fail_randomly(std::uint64_t count) {
    impl_->faults.fail_randomly(count);
}
void SimFileSystem::cancel_faults() {
    impl_->faults.clear();
}

void SimFileSystem::set_capacity(std::uint64_t bytes) {
    impl_->capacity = bytes;
}
std::uint64_t SimFileSystem::used_bytes() const {
    return impl_->disk.used_bytes();
}
void SimFileSystem::set_read_only(bool read_only) {
    impl_->is_read_only = read_only;
}
void SimFileSystem::plant(PlantedFaults faults) {
    impl_->planted = faults;
}

}  // namespace leftfold::sim
