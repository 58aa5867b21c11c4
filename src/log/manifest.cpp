#include "manifest.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "leftfold/base/bytes.hpp"
#include "leftfold/base/crc32c.hpp"
#include "leftfold/log/embedded_log.hpp"

#include "format.hpp"

namespace leftfold::log {
namespace {

constexpr std::string_view kChecksumName = "crc32c ";

std::vector<std::string_view> split(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) {
        const std::size_t end = std::min(line.find(' '), line.size());
        words.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return words;
}

template <class T>
bool parse(std::string_view text, T& value, int base = 10) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool parse_topic(const std::vector<std::string_view>& words, Manifest& manifest) {
    std::uint32_t count = 0;
    if (words.size() < 3 || !check_topic_name(words[1]) || !parse(words[2], count) || count == 0 ||
        count > kPartitionCountMax || manifest.find(words[1]) != nullptr)
        return false;
    manifest.topics.push_back({std::string(words[1]), std::vector<Position>(count)});
    return true;
}

bool parse_durable(const std::vector<std::string_view>& words, Manifest& manifest) {
    std::uint32_t partition = 0;
    std::int64_t position = 0;
    if (words.size() < 4 || manifest.topics.empty() || manifest.topics.back().name != words[1] ||
        !parse(words[2], partition) || partition >= manifest.topics.back().durable.size() ||
        !parse(words[3], position) || position < 0)
        return false;
    manifest.topics.back().durable[partition] = Position(position);
    return true;
}

// Lines with other names are newer than this build, and may be passed over.
bool parse_line(const std::vector<std::string_view>& words, Manifest& manifest) {
    if (words.size() < 2)
        return true;
    if (words[0] == "incarnation") {
        const auto incarnation = Uuid::parse(words[1]);
        manifest.incarnation = incarnation.value_or(Uuid());
        return incarnation.has_value();
    }
    if (words[0] == "hash-seed")
        return parse(words[1], manifest.hash_seed, 16);
    if (words[0] == "epoch") {
        std::uint32_t epoch = 0;
        const bool is_number = parse(words[1], epoch);
        manifest.epoch = Epoch(epoch);
        return is_number;
    }
    if (words[0] == "topic")
        return parse_topic(words, manifest);
    if (words[0] == "durable")
        return parse_durable(words, manifest);
    return true;
}

}  // namespace

StoredTopic* Manifest::find(std::string_view topic) noexcept {
    const auto found = std::ranges::find(topics, topic, &StoredTopic::name);
    return found == topics.end() ? nullptr : &*found;
}

std::string encode_manifest(const Manifest& manifest) {
    std::string text = fmt::format("leftfold-log {}\nincarnation {}\nhash-seed {:016x}\nepoch {}\n", kFormatVersion,
                                   manifest.incarnation.to_string(), manifest.hash_seed, manifest.epoch.value());
    for (const StoredTopic& topic : manifest.topics) {
        text += fmt::format("topic {} {}\n", topic.name, topic.durable.size());
        for (std::size_t partition = 0; partition < topic.durable.size(); ++partition)
            text += fmt::format("durable {} {} {}\n", topic.name, partition, topic.durable[partition].value());
    }
    text += fmt::format("{}{:08x}\n", kChecksumName, crc32c(bytes_of(text)));
    return text;
}

Result<Manifest> decode_manifest(std::string_view text) {
    const std::size_t checked = text.rfind(kChecksumName);
    std::uint32_t checksum = 0;
    if (checked == std::string_view::npos || !text.ends_with('\n') ||
        !parse(text.substr(checked + kChecksumName.size(), text.size() - checked - kChecksumName.size() - 1), checksum,
               16) ||
        crc32c(bytes_of(text.substr(0, checked))) != checksum)
        return fail(ErrorCode::corrupt, "the manifest's checksum does not hold");
    Manifest manifest;
    bool is_first = true;
    for (text = text.substr(0, checked); !text.empty(); is_first = false) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::vector<std::string_view> words = split(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (is_first && words.size() == 2 && words[0] == "leftfold-log") {
            if (words[1] != fmt::to_string(kFormatVersion))
                return fail(ErrorCode::unsupported,
                            fmt::format("a log of format {}; this build reads format {}: use a newer one", words[1],
                                        kFormatVersion));
        } else if (is_first || !parse_line(words, manifest)) {
            return fail(ErrorCode::corrupt,
                        fmt::format("the manifest has a line '{}' that cannot be", fmt::join(words, " ")));
        }
    }
    if (manifest.incarnation.is_nil())
        return fail(ErrorCode::corrupt, "the manifest names no incarnation");
    return manifest;
}

Result<std::optional<Manifest>> read_manifest(FileSystem& files, const std::string& directory) {
    const std::string path = join_path(directory, kManifestName);
    LEFTFOLD_TRY(exists, files.exists(path));
    if (!exists)
        return std::nullopt;
    LEFTFOLD_TRY(text, read_file(files, path, kManifestBytesMax));
    auto manifest = decode_manifest(text);
    if (!manifest)
        return std::unexpected(std::move(manifest).error().with_context(fmt::format("'{}'", path)));
    return *std::move(manifest);
}

Result<> check_topic_name(std::string_view name) {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789.-";
    if (name.empty() || name.size() > kTopicNameBytesMax || name.front() == '.' ||
        name.find_first_not_of(kAllowed) != std::string_view::npos) {
        return fail(ErrorCode::invalid_argument,
                    fmt::format("'{}' cannot name a topic: 1 to {} of a-z, 0-9, '.' and '-', not beginning with '.'",
                                name, kTopicNameBytesMax));
    }
    return {};
}

std::string partition_folder(const std::string& directory, std::string_view topic, PartitionId partition) {
    return join_path(join_path(join_path(directory, kTopicsName), topic), fmt::to_string(partition.value()));
}

Result<bool> holds_embedded_log(FileSystem& files, const std::string& directory) {
    return files.exists(join_path(directory, kManifestName));
}

}  // namespace leftfold::log
