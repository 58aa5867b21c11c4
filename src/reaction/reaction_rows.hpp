// What a reaction keeps in its store, and the two things that happen to it on the worker: opening, and one transaction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/env/files.hpp"
#include "leftfold/reaction/runner.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold::reaction {

// A key whose events from `next` to `last` are not done: the position of its partition may be behind them.
struct HeldKey {
    std::string topic;
    std::string key;
    Version next = {};
    Version last = {};
    std::uint64_t waiting = 0;  // events from next to last that the reaction handles; 0, and next behind last: all done
    Position until = {};        // behind the event `last`
    bool is_dead = false;
    std::uint32_t attempts = 0;  // of the event `next`, so far
    // Of the last attempt that failed.
    std::optional<Timestamp> failed_at = {};
    std::optional<Timestamp> retry_at = {};
    std::string error = {};
    std::string event_type = {};
    std::string event_id = {};

    friend bool operator==(const HeldKey&, const HeldKey&) = default;
};

const rows::Schema& schema();
inline constexpr rows::TableId kHeld{0};
inline constexpr rows::TableId kDiscarded{1};
inline constexpr rows::IndexId kHeldByTime{0};
inline constexpr rows::IndexId kDiscardedByTime{0};

rows::Row row_of(const HeldKey& held);
HeldKey held_of(const rows::Row& row);
DeadLetter dead_letter_of(const HeldKey& held);

Result<std::optional<HeldKey>> find_held(rows::RowReader& reader, const std::string& topic, const std::string& key);
Result<std::vector<DeadLetter>> read_dead_letters(rows::RowReader& reader, const DeadLetterPage& page);
Result<std::vector<DiscardedEvent>> read_discarded(rows::RowReader& reader, const DiscardedPage& page);

// A partition as the log has it.
struct LogPartition {
    std::string topic;
    PartitionId partition;
    Position start;
    Position durable_end;
};

// What the rows must be of.
struct RowsIdentity {
    std::string log;  // incarnation
    std::vector<LogPartition> partitions;
    StartAt start_at = StartAt::beginning;
};

// Members end in the order in which they depend on each other.
struct OpenedRows {
    std::unique_ptr<rows::RowStore> store;
    std::unique_ptr<rows::RowReader> reader;  // for the shard's thread
    std::vector<Position> positions;          // by place in RowsIdentity::partitions
    std::vector<HeldKey> alive;               // those that are not dead
    std::uint64_t dead = 0;
    std::uint64_t held_by_dead = 0;
};

// Sets the positions of partitions that have none, durably. conflict: the rows are of another log, or ahead of it.
Result<std::unique_ptr<OpenedRows>> open_rows(FileSystem& files, const ReactionOptions& options,
                                              const RowsIdentity& identity);

struct RowChanges {
    std::vector<HeldKey> puts;
    std::vector<std::pair<std::string, std::string>> erasures;  // topic, key
    std::vector<DiscardedEvent> discarded;
    std::vector<rows::FoldedPosition> positions;
    bool must_be_durable = false;

    bool empty() const noexcept {
        return puts.empty() && erasures.empty() && discarded.empty() && positions.empty() && !must_be_durable;
    }
};

struct CommitResult {
    Result<> committed;
    Result<> synced;  // only if that was asked for and it is committed
};
CommitResult commit_changes(rows::RowStore& store, const RowChanges& changes);

}  // namespace leftfold::reaction
