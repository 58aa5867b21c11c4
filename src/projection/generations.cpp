#include "generations.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "leftfold/event/json.hpp"

namespace leftfold {

namespace {

constexpr std::string_view kManifestName = "manifest.json";
constexpr std::uint64_t kManifestBytesMax = 4U << 20U;
constexpr std::uint32_t kFormat = 1;

std::string parent_of(std::string_view path) {
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos)
        return ".";
    return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

// Of "12.sqlite-wal": 12. None for a file that no generation has.
std::optional<std::uint64_t> number_of(std::string_view name) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    const std::string_view rest = name.substr(static_cast<std::size_t>(end - name.data()));
    if (error != std::errc() || !(rest.starts_with(".sqlite") || rest.starts_with(".difference.json")))
        return std::nullopt;
    return number;
}

bool names(const GenerationManifest& manifest, std::uint64_t number) {
    return std::ranges::any_of(std::array{&manifest.live, &manifest.previous, &manifest.building},
                               [number](const auto* entry) { return *entry && (*entry)->number == number; });
}

}  // namespace

std::string GenerationFolder::rows_path(Generation generation) const {
    return join_path(path_, fmt::format("{}.sqlite", generation.value()));
}

std::string GenerationFolder::difference_path(Generation generation) const {
    return join_path(path_, fmt::format("{}.difference.json", generation.value()));
}

Result<GenerationManifest> GenerationFolder::open(std::string& why) {
    LEFTFOLD_CHECK(files_.create_directories(path_));
    // Also the folder above may be new: what a manifest says durably must not lose its folder.
    const std::string parent = parent_of(path_);
    LEFTFOLD_CHECK(files_.sync_directory(parent));
    LEFTFOLD_CHECK(files_.sync_directory(parent_of(parent)));

    const std::string path = join_path(path_, kManifestName);
    GenerationManifest manifest;
    LEFTFOLD_TRY(is_there, files_.exists(path));
    if (is_there) {
        LEFTFOLD_TRY(text, read_file(files_, path, kManifestBytesMax));
        auto read = json::read<GenerationManifest>(text, json::Strictness::lenient);
        if (!read)
            why = fmt::format("'{}' is damaged: {}", path, read.error().message());
        else if (read->format > kFormat)
            why = fmt::format("'{}' is of a later version ({})", path, read->format);
        else
            manifest = *std::move(read);
    }
    // A number is never used twice, also where the manifest is lost.
    LEFTFOLD_TRY(entries, files_.list(path_));
    for (const DirectoryEntry& entry : entries) {
        if (const auto number = number_of(entry.name))
            manifest.next = std::max(manifest.next, *number + 1);
    }
    return manifest;
}

Result<> GenerationFolder::write(const GenerationManifest& manifest) {
    return replace_file(files_, join_path(path_, kManifestName), json::to_string(manifest) + "\n");
}

void GenerationFolder::remove_unnamed(const GenerationManifest& manifest) {
    const auto entries = files_.list(path_);
    if (!entries)
        return;
    for (const DirectoryEntry& entry : *entries) {
        if (const auto number = number_of(entry.name); number && !names(manifest, *number))
            static_cast<void>(files_.remove(join_path(path_, entry.name)));
    }
}

}  // namespace leftfold
