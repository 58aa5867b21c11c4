// The store of a dispatcher's rows, on the worker's side: opening, or throwing away what is of no use, and one batch.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "leftfold/env/files.hpp"

#include "dispatch_rows.hpp"

namespace leftfold::process {

// Members end in the order in which they depend on each other.
struct OpenedRows {
    std::unique_ptr<rows::RowStore> store;
    std::unique_ptr<ProjectionFold> fold;
    std::unique_ptr<rows::RowReader> reader;  // for the shard's thread
    std::vector<rows::FoldedPosition> positions;
    bool is_new = false;
    bool was_thrown_away = false;  // there was something else before
};

// What the rows must be of.
struct RowsIdentity {
    std::string log;                         // incarnation
    std::vector<rows::FoldedPosition> ends;  // of the partitions that are folded
};

// With `discard`, whatever is in the folder goes first.
Result<std::unique_ptr<OpenedRows>> open_rows(FileSystem& files, const ProcessOptions& options,
                                              const DispatchProjection& projection, const RowsIdentity& identity,
                                              bool discard);

struct RowBatch {
    std::vector<log::ReadBatch> events;
    std::vector<rows::FoldedPosition> positions;  // behind the events, and of the streams heard

    bool empty() const noexcept { return positions.empty(); }
};
struct BatchResult {
    Result<> result;
    bool is_event = false;  // the error is of an event, not of the store
};

BatchResult commit_batch(OpenedRows& rows, const RowBatch& batch);

}  // namespace leftfold::process
