#include "snapshots.hpp"

#include <cstring>
#include <utility>

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include "leftfold/base/bytes.hpp"
#include "leftfold/base/crc32c.hpp"
#include "leftfold/event/payload_hash.hpp"

namespace leftfold {

namespace {

constexpr std::string_view kMagic = "LFSNAP1\n";
constexpr std::size_t kChecked = kMagic.size() + sizeof(std::uint32_t);

std::string hex(const std::array<std::uint8_t, 16>& bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes)
        text += fmt::format("{:02x}", byte);
    return text;
}

std::string_view text_of_array(const std::array<std::uint8_t, 16>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Appends the build id among the notes of one segment, if it is there.
void find_build_id(std::string_view notes, std::string& out) {
    constexpr std::size_t kAlignment = 4;
    const auto padded = [](std::size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; };
    while (notes.size() >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) header;
        std::memcpy(&header, notes.data(), sizeof header);
        notes.remove_prefix(sizeof header);
        const std::size_t name_bytes = padded(header.n_namesz);
        const std::size_t bytes = name_bytes + padded(header.n_descsz);
        if (bytes > notes.size())
            return;
        if (header.n_type == NT_GNU_BUILD_ID && notes.starts_with(std::string_view("GNU\0", 4)))
            out += notes.substr(name_bytes, header.n_descsz);
        notes.remove_prefix(bytes);
    }
}

int add_build_id(dl_phdr_info* info, std::size_t, void* out) {
    auto& ids = *static_cast<std::string*>(out);
    const bool is_program = ids.empty();
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const ElfW(Phdr)& segment = info->dlpi_phdr[i];
        if (segment.p_type == PT_NOTE)
            find_build_id({reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr), segment.p_memsz}, ids);
    }
    // The program comes first; without an id of its own nothing tells its builds apart.
    return is_program && ids.empty() ? 1 : 0;
}

}  // namespace

// Shared libraries count, too: the user's code may live in one.
std::optional<std::string> build_id() {
    std::string ids;
    if (dl_iterate_phdr(add_build_id, &ids) != 0)
        return std::nullopt;
    return hex(payload_hash("build", ids));
}

std::optional<SnapshotIdentity> snapshot_identity(const Uuid& incarnation, std::string_view topic,
                                                  std::string_view state_shape,
                                                  std::optional<std::uint32_t> snapshot_version) {
    std::string code;
    if (snapshot_version) {
        code = fmt::format("snapshot_version {}", *snapshot_version);
    } else if (const auto build = build_id()) {
        code = "build " + *build;
    } else {
        return std::nullopt;
    }
    return SnapshotIdentity{incarnation, payload_hash(topic, fmt::format("{}\n{}", code, state_shape))};
}

std::string encode_snapshot(const SnapshotIdentity& identity, std::string_view key, const Snapshot& snapshot) {
    std::string bytes(kMagic);
    ByteWriter writer(bytes);
    writer.integer(std::uint32_t{0});
    writer.raw(text_of_array(identity.incarnation.bytes()));
    writer.raw(text_of_array(identity.model));
    writer.text(key);
    writer.varint(static_cast<std::uint64_t>(snapshot.version.value()));
    writer.raw(text_of_array(snapshot.last_event.bytes()));
    writer.signed_varint(to_micros(snapshot.time_max));
    writer.signed_varint(to_micros(snapshot.recorded_at));
    writer.text(snapshot.state);
    store_le(bytes.data() + kMagic.size(), crc32c(bytes_of(std::string_view(bytes).substr(kChecked))));
    return bytes;
}

std::optional<Snapshot> decode_snapshot(const SnapshotIdentity& identity, std::string_view key,
                                        std::string_view bytes) {
    if (bytes.size() < kChecked || !bytes.starts_with(kMagic) ||
        load_le<std::uint32_t>(bytes.data() + kMagic.size()) != crc32c(bytes_of(bytes.substr(kChecked))))
        return std::nullopt;
    ByteReader reader(bytes.substr(kChecked));
    if (reader.raw(16) != text_of_array(identity.incarnation.bytes()) ||
        reader.raw(16) != text_of_array(identity.model) || reader.text() != key)
        return std::nullopt;
    Snapshot snapshot;
    snapshot.version = Version(static_cast<std::int64_t>(reader.varint()));
    std::array<std::uint8_t, 16> last_event{};
    const std::string_view raw = reader.raw(last_event.size());
    if (raw.size() == last_event.size())
        std::memcpy(last_event.data(), raw.data(), raw.size());
    snapshot.last_event = Uuid(last_event);
    snapshot.time_max = timestamp_from_micros(reader.signed_varint());
    snapshot.recorded_at = timestamp_from_micros(reader.signed_varint());
    snapshot.state = reader.text();
    if (!reader.ok() || !reader.at_end() || snapshot.version < Version(1))
        return std::nullopt;
    return snapshot;
}

SnapshotStore::SnapshotStore(const Env& env, std::string folder, const SnapshotIdentity& identity)
    : env_(env),
      folder_(std::move(folder)),
      identity_(identity),
      writes_waiting_(std::make_shared<std::size_t>(0)),
      worker_(env.workers.start("snapshots", env.scheduler)) {}

// Keys may be long, and of any characters. Should two have the same name, the one displaces the other.
std::string SnapshotStore::path_of(std::string_view key) const {
    return join_path(folder_, hex(payload_hash("snapshot", key)) + ".snapshot");
}

void SnapshotStore::read(std::string_view key, ReadDone done) {
    auto found = std::make_shared<std::optional<Snapshot>>();
    worker_->submit(
        [&files = env_.files, identity = identity_, path = path_of(key), key = std::string(key), found] {
            if (const auto bytes = read_file(files, path, kBytesMax))
                *found = decode_snapshot(identity, key, *bytes);
        },
        [found, done = std::move(done)]() mutable { done(std::move(*found)); });
}

void SnapshotStore::write(std::string_view key, Snapshot snapshot) {
    if (*writes_waiting_ >= kWritesMax || snapshot.state.size() > kBytesMax / 2)
        return;
    ++*writes_waiting_;
    worker_->submit(
        [&files = env_.files, folder = folder_, path = path_of(key),
         bytes = encode_snapshot(identity_, key, snapshot)] {
            if (files.create_directories(folder))
                static_cast<void>(replace_file(files, path, bytes));
        },
        [waiting = writes_waiting_] { --*waiting; });
}

}  // namespace leftfold
