// What a projection tells of itself: how far it is, what stopped it, what is being built. Plain values, for operators,
// metrics and the gateway.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/strong_id.hpp"
#include "leftfold/base/time.hpp"

namespace leftfold {

// One whole set of a projection's rows, in one store: 1, 2, 3 … Never used again.
using Generation = StrongId<struct GenerationTag, std::uint64_t>;

struct EventPlace {
    std::string topic;
    PartitionId partition;
    Position position;

    friend bool operator==(const EventPlace&, const EventPlace&) = default;
};

// An event that cannot be folded.
struct EventFault {
    EventPlace place;
    std::string type;  // "bank.account.withdrawn"
    std::string key;
    Version version;
    std::string message;
};

struct SkippedEvent {
    EventFault fault;
    Timestamp at;  // when an operator said so
};

struct PartitionProgress {
    std::string topic;
    PartitionId partition;
    Position position;     // all before it is folded, and committed
    Position durable_end;  // of the log

    // Events behind; where positions have gaps, at most so many.
    std::int64_t lag() const noexcept { return durable_end.value() - position.value(); }
};

// Something outside that fails, and is tried again: a full disk, say.
struct Trouble {
    std::string message;
    std::uint32_t attempts = 0;
    Duration retry_after{};  // between the last attempt and the next
};

struct GenerationStatus {
    Generation generation;
    Timestamp created;
    std::vector<PartitionProgress> partitions;
    std::uint64_t events_folded = 0;  // since it was opened
    double events_per_second = 0;     // over the last seconds
    std::optional<EventFault> fault;  // stopped before this event
    std::vector<SkippedEvent> skipped;
    std::optional<Trouble> trouble;

    std::int64_t lag() const noexcept;
};

enum class BuildStage : std::uint8_t {
    opening,
    folding,    // following the rows that are served, or the log where none are
    aligning,   // these are held still, to be reached
    comparing,  // with these
    ready,      // built and compared; waits for switch_to()
    switching,
};
std::string_view to_string(BuildStage stage) noexcept;

struct BuildStatus {
    BuildStage stage = BuildStage::opening;
    GenerationStatus generation;
    std::uint64_t positions_done = 0;  // of the log
    std::uint64_t positions_total = 0;
};

// Of the last comparison of a build with the rows that it was to replace.
struct DifferenceSummary {
    Generation older;
    Generation newer;
    bool is_equal = false;
    bool is_complete = false;  // false: there are more rows than difference_rows_max, or other keys; all are counted
    std::string path;          // of the report, JSON
};

enum class ProjectionState : std::uint8_t {
    starting,     // what is there is being opened
    building,     // for the first time, or anew: see BuildStatus
    catching_up,  // behind by more than a batch
    live,
    stopped,  // before an event that cannot be folded: see GenerationStatus::fault. It serves what it has
    closed,
};
std::string_view to_string(ProjectionState state) noexcept;

struct ProjectionStatus {
    std::string name;
    ProjectionState state = ProjectionState::starting;
    bool is_served = false;
    // What is served was folded by another version of the projection, and stands still until the build replaces it.
    bool is_stale = false;
    std::optional<GenerationStatus> live;
    std::optional<BuildStatus> build;
    std::optional<Generation> previous;  // what switch_back() would bring
    std::optional<DifferenceSummary> difference;
    std::optional<Trouble> trouble;  // with the files around the rows
    std::string remark;              // why rows were thrown away last: "the log was replaced"; empty: never
};

struct ProjectionStatistics {
    std::uint64_t events_folded = 0;  // builds included
    std::uint64_t batches = 0;
    std::uint64_t store_failures = 0;  // batches that were tried again
    std::uint64_t faults = 0;          // stops at an event
    std::uint64_t skipped = 0;
    std::uint64_t builds = 0;
    std::uint64_t switches = 0;
    std::uint64_t generations_lost = 0;  // damaged, or of another log
    std::uint64_t waits = 0;
    std::uint64_t waits_timed_out = 0;
    std::uint64_t waits_refused = 0;  // too many at once
    std::size_t waiting = 0;
};

}  // namespace leftfold
