// Manifest: the one small file that says what a data directory is. Text, for people too; docs/formats/log.md has its
// lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/base/strong_id.hpp"
#include "leftfold/base/uuid.hpp"
#include "leftfold/env/files.hpp"

namespace leftfold::log {

inline constexpr std::string_view kManifestName = "manifest";
inline constexpr std::string_view kLockName = "LOCK";
inline constexpr std::string_view kTopicsName = "topics";
inline constexpr std::uint64_t kManifestBytesMax = 16ULL * 1024 * 1024;
inline constexpr std::uint32_t kPartitionCountMax = 1024;

struct StoredTopic {
    std::string name;
    std::vector<Position> durable;  // per partition: all below was durable when the manifest was written
};

struct Manifest {
    Uuid incarnation;
    std::uint64_t hash_seed = 0;
    Epoch epoch;
    std::vector<StoredTopic> topics;

    // nullptr if there is no such topic.
    StoredTopic* find(std::string_view topic) noexcept;
};

std::string encode_manifest(const Manifest& manifest);
// corrupt or unsupported.
Result<Manifest> decode_manifest(std::string_view text);

// Of a data directory; nothing if there is none yet.
Result<std::optional<Manifest>> read_manifest(FileSystem& files, const std::string& directory);

// [a-z0-9.-], 1 to 200 characters, not beginning with a dot: it names a folder.
Result<> check_topic_name(std::string_view name);

std::string partition_folder(const std::string& directory, std::string_view topic, PartitionId partition);

}  // namespace leftfold::log
