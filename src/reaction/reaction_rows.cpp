#include "reaction_rows.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace leftfold::reaction {

namespace {

using rows::Cell;
using rows::CellType;

constexpr std::string_view kFormat = "1";
constexpr std::size_t kPage = 1000;

// Columns of `held`.
enum HeldColumn : std::uint32_t {
    h_topic,
    h_key,
    h_dead,
    h_next,
    h_last,
    h_waiting,
    h_until,
    h_attempts,
    h_failed_at,
    h_retry_at,
    h_error,
    h_event_type,
    h_event_id,
};
// Columns of `discarded`.
enum DiscardedColumn : std::uint32_t {
    d_topic,
    d_key,
    d_version,
    d_discarded_at,
    d_reason,
    d_attempts,
    d_failed_at,
    d_error,
    d_event_type,
    d_event_id,
};

std::int64_t integer(const Cell& cell) {
    return std::get<std::int64_t>(cell);
}
const std::string& text(const Cell& cell) {
    return std::get<std::string>(cell);
}
Cell cell_of(const std::optional<Timestamp>& time) {
    return time ? Cell(to_micros(*time)) : Cell();
}
std::optional<Timestamp> time_of(const Cell& cell) {
    if (const auto* micros = std::get_if<std::int64_t>(&cell))
        return timestamp_from_micros(*micros);
    return std::nullopt;
}

rows::Row row_of(const DiscardedEvent& event) {
    return {event.topic,
            event.key,
            event.version.value(),
            to_micros(event.discarded_at),
            event.reason,
            static_cast<std::int64_t>(event.attempts),
            to_micros(event.failed_at),
            event.error,
            event.event_type,
            event.event_id};
}

rows::Filter is_dead(bool dead) {
    const rows::Bound bound{Cell(std::int64_t{dead}), true};
    return {.column = h_dead, .low = bound, .high = bound};
}

}  // namespace

const rows::Schema& schema() {
    static const rows::Schema kSchema{{rows::Table{.name = "held",
                                                   .columns = {{"topic", CellType::text},
                                                               {"key", CellType::text},
                                                               {"dead", CellType::integer},
                                                               {"next_version", CellType::integer},
                                                               {"last_version", CellType::integer},
                                                               {"waiting", CellType::integer},
                                                               {"until_position", CellType::integer},
                                                               {"attempts", CellType::integer},
                                                               {"failed_at", CellType::integer, true},
                                                               {"retry_at", CellType::integer, true},
                                                               {"error", CellType::text},
                                                               {"event_type", CellType::text},
                                                               {"event_id", CellType::text}},
                                                   .key_columns = 2,
                                                   .indexes = {{"by_time", {h_dead, h_failed_at}}}},
                                       rows::Table{.name = "discarded",
                                                   .columns = {{"topic", CellType::text},
                                                               {"key", CellType::text},
                                                               {"version", CellType::integer},
                                                               {"discarded_at", CellType::integer},
                                                               {"reason", CellType::text},
                                                               {"attempts", CellType::integer},
                                                               {"failed_at", CellType::integer},
                                                               {"error", CellType::text},
                                                               {"event_type", CellType::text},
                                                               {"event_id", CellType::text}},
                                                   .key_columns = 3,
                                                   .indexes = {{"by_time", {d_discarded_at}}}}}};
    return kSchema;
}

rows::Row row_of(const HeldKey& held) {
    return {held.topic,
            held.key,
            std::int64_t{held.is_dead},
            held.next.value(),
            held.last.value(),
            static_cast<std::int64_t>(held.waiting),
            held.until.value(),
            static_cast<std::int64_t>(held.attempts),
            cell_of(held.failed_at),
            cell_of(held.retry_at),
            held.error,
            held.event_type,
            held.event_id};
}

HeldKey held_of(const rows::Row& row) {
    return {.topic = text(row[h_topic]),
            .key = text(row[h_key]),
            .next = Version(integer(row[h_next])),
            .last = Version(integer(row[h_last])),
            .waiting = static_cast<std::uint64_t>(integer(row[h_waiting])),
            .until = Position(integer(row[h_until])),
            .is_dead = integer(row[h_dead]) != 0,
            .attempts = static_cast<std::uint32_t>(integer(row[h_attempts])),
            .failed_at = time_of(row[h_failed_at]),
            .retry_at = time_of(row[h_retry_at]),
            .error = text(row[h_error]),
            .event_type = text(row[h_event_type]),
            .event_id = text(row[h_event_id])};
}

DeadLetter dead_letter_of(const HeldKey& held) {
    return {.topic = held.topic,
            .key = held.key,
            .version = held.next,
            .event_type = held.event_type,
            .event_id = held.event_id,
            .error = held.error,
            .attempts = held.attempts,
            .failed_at = held.failed_at.value_or(Timestamp()),
            .held = held.waiting - std::min<std::uint64_t>(held.waiting, 1)};
}

Result<std::optional<HeldKey>> find_held(rows::RowReader& reader, const std::string& topic, const std::string& key) {
    const std::array<Cell, 2> cells{topic, key};
    LEFTFOLD_TRY(row, reader.get(kHeld, cells));
    return row ? std::optional(held_of(*row)) : std::nullopt;
}

Result<std::vector<DeadLetter>> read_dead_letters(rows::RowReader& reader, const DeadLetterPage& page) {
    rows::Query query{.table = kHeld, .filters = {is_dead(true)}, .order = kHeldByTime, .limit = page.limit};
    if (page.after)
        query.after = {Cell(std::int64_t{1}), Cell(to_micros(page.after->failed_at)), Cell(page.after->topic),
                       Cell(page.after->key)};
    LEFTFOLD_TRY(found, reader.query(query));
    std::vector<DeadLetter> letters;
    letters.reserve(found.size());
    for (const rows::Row& row : found)
        letters.push_back(dead_letter_of(held_of(row)));
    return letters;
}

Result<std::vector<DiscardedEvent>> read_discarded(rows::RowReader& reader, const DiscardedPage& page) {
    rows::Query query{.table = kDiscarded, .order = kDiscardedByTime, .limit = page.limit};
    if (page.after)
        query.after = {Cell(to_micros(page.after->discarded_at)), Cell(page.after->topic), Cell(page.after->key),
                       Cell(page.after->version.value())};
    LEFTFOLD_TRY(found, reader.query(query));
    std::vector<DiscardedEvent> events;
    events.reserve(found.size());
    for (const rows::Row& row : found)
        events.push_back({.topic = text(row[d_topic]),
                          .key = text(row[d_key]),
                          .version = Version(integer(row[d_version])),
                          .event_type = text(row[d_event_type]),
                          .event_id = text(row[d_event_id]),
                          .error = text(row[d_error]),
                          .attempts = static_cast<std::uint32_t>(integer(row[d_attempts])),
                          .failed_at = timestamp_from_micros(integer(row[d_failed_at])),
                          .discarded_at = timestamp_from_micros(integer(row[d_discarded_at])),
                          .reason = text(row[d_reason])});
    return events;
}

namespace {

// All rows with that mark, in pages.
template <class Take>
Result<> for_each_held(rows::RowReader& reader, bool dead, Take take) {
    rows::Query query{.table = kHeld, .filters = {is_dead(dead)}, .order = kHeldByTime, .limit = kPage};
    while (true) {
        LEFTFOLD_TRY(found, reader.query(query));
        for (const rows::Row& row : found)
            take(held_of(row));
        if (found.size() < kPage)
            return {};
        const rows::Row& last = found.back();
        query.after = {last[h_dead], last[h_failed_at], last[h_topic], last[h_key]};
    }
}

Result<> check_identity(rows::RowStore& store, const RowsIdentity& identity) {
    LEFTFOLD_TRY(format, store.value("format"));
    LEFTFOLD_TRY(log, store.value("log"));
    if (format && *format != kFormat)
        return fail(ErrorCode::unsupported,
                    fmt::format("the rows have format {}, this build knows {}: use a newer build", *format, kFormat));
    if (log && *log != identity.log)
        return fail(
            ErrorCode::conflict,
            fmt::format("the rows belong to the log {}, and this is the log {}: put the right ones together, or "
                        "remove the folder, and the reaction begins anew",
                        *log, identity.log));
    return {};
}

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// Creates the folder so that its name, and those of the folders above it, survive a crash.
Result<> make_folder(FileSystem& files, const std::string& folder, const std::string& store) {
    LEFTFOLD_TRY(has_store, files.exists(store));
    if (has_store)
        return {};  // made by a start that had done all this
    LEFTFOLD_CHECK(files.create_directories(folder));
    for (std::string path = folder; path != "." && path != "/";) {
        path = parent_of(path);
        auto synced = files.sync_directory(path);
        // What cannot even be read was not made by a start of ours.
        if (!synced && synced.error().code() != ErrorCode::permission_denied)
            return synced;
    }
    return {};
}

// False if some partition had no position before.
Result<bool> find_positions(OpenedRows& rows, const RowsIdentity& identity) {
    LEFTFOLD_TRY(stored, rows.store->positions());
    bool are_all_known = true;
    for (const LogPartition& partition : identity.partitions) {
        const auto found = std::ranges::find_if(stored, [&](const rows::FoldedPosition& position) {
            return position.topic == partition.topic && position.partition == partition.partition;
        });
        if (found == stored.end()) {
            are_all_known = false;
            rows.positions.push_back(identity.start_at == StartAt::now ? partition.durable_end : partition.start);
        } else if (found->position > partition.durable_end) {
            return fail(
                ErrorCode::conflict,
                fmt::format("the rows are at position {} of {}/{}, and the log ends at {}: it was put back from a "
                            "copy; put back the rows of that time, too, or remove the folder, and the reaction "
                            "begins anew",
                            found->position.value(), partition.topic, partition.partition.value(),
                            partition.durable_end.value()));
        } else {
            rows.positions.push_back(found->position);
        }
    }
    return are_all_known;
}

Result<> write_beginning(const OpenedRows& rows, const RowsIdentity& identity) {
    LEFTFOLD_CHECK(rows.store->begin());
    const auto write = [&]() -> Result<> {
        LEFTFOLD_CHECK(rows.store->set_value("format", kFormat));
        LEFTFOLD_CHECK(rows.store->set_value("log", identity.log));
        for (std::size_t i = 0; i < identity.partitions.size(); ++i)
            LEFTFOLD_CHECK(rows.store->set_position(
                {identity.partitions[i].topic, identity.partitions[i].partition, rows.positions[i]}));
        return rows.store->commit();
    };
    if (auto written = write(); !written) {
        rows.store->rollback();
        return written;
    }
    // Else a crash might move "now" on, past events that nobody has reacted to.
    return rows.store->sync();
}

}  // namespace

Result<std::unique_ptr<OpenedRows>> open_rows(FileSystem& files, const ReactionOptions& options,
                                              const RowsIdentity& identity) {
    const std::string path = join_path(options.folder, "reaction.sqlite");
    LEFTFOLD_CHECK(make_folder(files, options.folder, path));
    auto rows = std::make_unique<OpenedRows>();
    LEFTFOLD_TRY(store, options.open_store(path, schema()));
    rows->store = std::move(store);
    LEFTFOLD_CHECK(check_identity(*rows->store, identity));
    LEFTFOLD_TRY(are_known, find_positions(*rows, identity));
    if (!are_known)
        LEFTFOLD_CHECK(write_beginning(*rows, identity));
    LEFTFOLD_CHECK(for_each_held(*rows->store, false, [&](HeldKey held) { rows->alive.push_back(std::move(held)); }));
    LEFTFOLD_CHECK(for_each_held(*rows->store, true, [&](const HeldKey& held) {
        ++rows->dead;
        rows->held_by_dead += held.waiting - std::min<std::uint64_t>(held.waiting, 1);
    }));
    LEFTFOLD_TRY(reader, rows->store->reader());
    rows->reader = std::move(reader);
    return rows;
}

namespace {

Result<> write_changes(rows::RowStore& store, const RowChanges& changes) {
    for (const HeldKey& held : changes.puts)
        LEFTFOLD_CHECK(store.put(kHeld, row_of(held)));
    for (const auto& [topic, key] : changes.erasures) {
        const std::array<Cell, 2> cells{topic, key};
        LEFTFOLD_CHECK(store.erase(kHeld, cells));
    }
    for (const DiscardedEvent& event : changes.discarded)
        LEFTFOLD_CHECK(store.put(kDiscarded, row_of(event)));
    for (const rows::FoldedPosition& position : changes.positions)
        LEFTFOLD_CHECK(store.set_position(position));
    return store.commit();
}

}  // namespace

CommitResult commit_changes(rows::RowStore& store, const RowChanges& changes) {
    CommitResult result{store.begin(), {}};
    if (!result.committed)
        return result;
    result.committed = write_changes(store, changes);
    if (!result.committed)
        store.rollback();
    else if (changes.must_be_durable)
        result.synced = store.sync();
    return result;
}

}  // namespace leftfold::reaction
