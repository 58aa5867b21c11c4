#include "generations.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "leftfold/event/json.hpp"

namespace leftfold {

namespace {

constexpr std::string_view kManifestName = "manifest.json";
constexpr std::uint64_t kManifestBytesMax = 4U << 20U;
constexpr std::uint32_t kFormat = 1;
constexpr std::uint64_t kReportBytesMax = 64U << 20U;

// The head of a report, as it is written.
struct ReportedGeneration {
    std::uint64_t generation = 0;
};
struct Report {
    ReportedGeneration older;
    ReportedGeneration newer;
    bool equal = false;
    bool complete = false;
};

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

}  // namespace

bool GenerationManifest::names(Generation generation) const noexcept {
    return std::ranges::any_of(std::array{&live, &previous, &building}, [generation](const auto* entry) {
        return *entry && (*entry)->generation() == generation;
    });
}

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

std::optional<DifferenceSummary> GenerationFolder::last_difference(const GenerationManifest& manifest) {
    for (const auto* entry : {&manifest.building, &manifest.live}) {
        if (!*entry)
            continue;
        const std::string path = difference_path((*entry)->generation());
        const auto text = read_file(files_, path, kReportBytesMax);
        const auto report = text ? json::read<Report>(*text, json::Strictness::lenient)
                                 : std::unexpected(json::ReadError{"", text.error().message()});
        if (report) {
            return DifferenceSummary{.older = Generation(report->older.generation),
                                     .newer = Generation(report->newer.generation),
                                     .is_equal = report->equal,
                                     .is_complete = report->complete,
                                     .path = path};
        }
    }
    return std::nullopt;
}

void GenerationFolder::remove_unnamed(const GenerationManifest& manifest) {
    const auto entries = files_.list(path_);
    if (!entries)
        return;
    for (const DirectoryEntry& entry : *entries) {
        if (const auto number = number_of(entry.name); number && !manifest.names(Generation(*number)))
            static_cast<void>(files_.remove(join_path(path_, entry.name)));
    }
}

}  // namespace leftfold
