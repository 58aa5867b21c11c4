// The generations of a projection on the disk: a manifest that names them, and their files beside it.
//
//   manifest.json          replaced in one step
//   3.sqlite, 3.sqlite-…   the rows of generation 3; whatever a store puts beside its file begins with its name
//   3.difference.json      how it differed from the one it was to replace
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/base/time.hpp"
#include "leftfold/env/files.hpp"
#include "leftfold/projection/status.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold {

// As it is written; the names are those of the JSON fields.
struct GenerationEntry {
    std::uint64_t number = 0;
    std::string shape;
    Timestamp created;
    rows::Schema schema;  // a program of another shape can still read the rows
    // Switched to without waiting for an operator.
    bool switch_when_ready = true;

    Generation generation() const noexcept { return Generation(number); }
};

struct GenerationManifest {
    std::uint32_t format = 1;
    std::uint64_t next = 1;  // generation
    std::optional<GenerationEntry> live;
    std::optional<GenerationEntry> previous;
    std::optional<GenerationEntry> building;

    bool names(Generation generation) const noexcept;
};

class GenerationFolder {
  public:
    // Borrows the files. Nothing is touched yet. Calls block.
    GenerationFolder(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

    // Makes the folder where it is missing and reads the manifest. One that cannot be read counts as none, and `why`
    // says so: everything here can be built anew.
    Result<GenerationManifest> open(std::string& why);
    Result<> write(const GenerationManifest& manifest);
    // Files of generations that the manifest does not name. What cannot be removed stays until the next time.
    void remove_unnamed(const GenerationManifest& manifest);
    // Of the report that is there of the last comparison; none if it cannot be read.
    std::optional<DifferenceSummary> last_difference(const GenerationManifest& manifest);

    std::string rows_path(Generation generation) const;
    std::string difference_path(Generation generation) const;

  private:
    FileSystem& files_;
    std::string path_;
};

}  // namespace leftfold
