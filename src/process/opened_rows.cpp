#include "opened_rows.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace leftfold::process {

namespace {

constexpr std::string_view kLogValue = "log";
constexpr std::string_view kShapeValue = "shape";

Result<> remove_files(FileSystem& files, const std::string& folder) {
    LEFTFOLD_TRY(entries, files.list(folder));
    for (const DirectoryEntry& entry : entries)
        LEFTFOLD_CHECK(files.remove(join_path(folder, entry.name)));
    return files.sync_directory(folder);
}

Result<> write_identity(rows::RowStore& store, const std::string& log, const std::string& shape) {
    LEFTFOLD_CHECK(store.begin());
    auto written = store.set_value(kLogValue, log);
    if (written)
        written = store.set_value(kShapeValue, shape);
    if (written)
        written = store.commit();
    if (!written)
        store.rollback();
    return written;
}

enum class Standing : std::uint8_t { fresh, usable, useless };

Result<Standing> standing_of(OpenedRows& rows, const RowsIdentity& identity, const std::string& shape) {
    LEFTFOLD_TRY(log, rows.store->value(kLogValue));
    LEFTFOLD_TRY(known_shape, rows.store->value(kShapeValue));
    LEFTFOLD_TRY(positions, rows.store->positions());
    if (!log && !known_shape && positions.empty())
        return Standing::fresh;
    if (log != identity.log || known_shape != shape)
        return Standing::useless;
    for (const rows::FoldedPosition& end : identity.ends) {
        const auto found = std::ranges::find_if(positions, [&](const rows::FoldedPosition& position) {
            return position.topic == end.topic && position.partition == end.partition;
        });
        // The log was put back from a copy.
        if (found != positions.end() && found->position > end.position)
            return Standing::useless;
    }
    rows.positions = std::move(positions);
    return Standing::usable;
}

bool is_useless(const Error& error) noexcept {
    return error.code() == ErrorCode::corrupt || error.code() == ErrorCode::unsupported ||
           error.code() == ErrorCode::conflict;
}

// None: what is there is of no use.
Result<std::unique_ptr<OpenedRows>> try_to_open(const ProcessOptions& options, const DispatchProjection& projection,
                                                const RowsIdentity& identity) {
    auto rows = std::make_unique<OpenedRows>();
    LEFTFOLD_TRY(store, options.open_store(join_path(options.folder, "dispatch.rows"), projection.schema()));
    rows->store = std::move(store);
    LEFTFOLD_TRY(standing, standing_of(*rows, identity, projection.shape()));
    if (standing == Standing::useless)
        return nullptr;
    rows->is_new = standing == Standing::fresh;
    if (rows->is_new)
        LEFTFOLD_CHECK(write_identity(*rows->store, identity.log, projection.shape()));
    rows->fold = projection.fold_into(*rows->store);
    LEFTFOLD_TRY(reader, rows->store->reader());
    rows->reader = std::move(reader);
    return rows;
}

}  // namespace

Result<std::unique_ptr<OpenedRows>> open_rows(FileSystem& files, const ProcessOptions& options,
                                              const DispatchProjection& projection, const RowsIdentity& identity,
                                              bool discard) {
    LEFTFOLD_CHECK(files.create_directories(options.folder));
    if (!discard) {
        auto rows = try_to_open(options, projection, identity);
        if (rows && *rows != nullptr)
            return rows;
        if (!rows && !is_useless(rows.error()))
            return rows;
    }
    LEFTFOLD_CHECK(remove_files(files, options.folder));
    LEFTFOLD_TRY(rows, try_to_open(options, projection, identity));
    if (rows == nullptr)
        return fail(ErrorCode::io, fmt::format("the files in '{}' were removed, and are still there", options.folder));
    rows->was_thrown_away = true;
    return rows;
}

BatchResult commit_batch(OpenedRows& rows, const RowBatch& batch) {
    const auto end = [&](Result<> result, bool is_event = false) {
        if (!result) {
            rows.fold->discard();
            rows.store->rollback();
        }
        return BatchResult{std::move(result), is_event};
    };
    if (auto begun = rows.store->begin(); !begun)
        return {std::move(begun), false};
    for (const log::ReadBatch& events : batch.events)
        for (const Record& record : events.records())
            if (auto applied = rows.fold->apply(record); !applied)
                return end(std::move(applied), true);
    if (auto flushed = rows.fold->flush(); !flushed)
        return end(std::move(flushed));
    for (const rows::FoldedPosition& position : batch.positions)
        if (auto set = rows.store->set_position(position); !set)
            return end(std::move(set));
    return end(rows.store->commit());
}

}  // namespace leftfold::process
