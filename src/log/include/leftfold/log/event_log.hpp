// EventLog: the port to the backbone of events. Two engines stand behind it, the embedded log and Kafka, and pass one
// conformance suite.
//
// A log holds topics, a topic a fixed number of partitions, a partition records in the order of their positions. The
// stream of an aggregate is the records of one key, all in the partition that murmur2 gives it, with versions 1, 2, 3
// ….
//
// Appends run ahead: append() checks the expected version against all that was accepted before, durable or not, and
// gives out versions at once; the outcome comes when it is durable. If it fails, everything accepted behind it on that
// partition fails too, in order, and the run-ahead state falls back to what is durable.
//
// Thread rule: everything belongs to one shard; callbacks are steps of its scheduler, in the order of the appends of
// their partition. Callbacks never come within the call that takes them. Views given to append() are copied before it
// returns; views got from a read live as long as the ReadBatch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/base/strong_id.hpp"
#include "leftfold/base/uuid.hpp"
#include "leftfold/env/scheduler.hpp"
#include "leftfold/event/record.hpp"

namespace leftfold::log {

inline constexpr std::uint32_t kDefaultPartitionCount = 4;

struct TopicDeclaration {
    std::string name;  // [a-z0-9.-], at most 200 characters
    std::uint32_t partition_count = kDefaultPartitionCount;
};

// One partition of one topic.
struct Slot {
    TopicId topic;
    PartitionId partition;

    friend auto operator<=>(const Slot&, const Slot&) = default;
};

// What an append expects of its stream.
class ExpectedVersion {
  public:
    static constexpr ExpectedVersion any() noexcept { return ExpectedVersion(kAny); }
    static constexpr ExpectedVersion exists() noexcept { return ExpectedVersion(kExists); }
    // No event yet.
    static constexpr ExpectedVersion none() noexcept { return ExpectedVersion(0); }
    static constexpr ExpectedVersion exactly(Version version) noexcept { return ExpectedVersion(version.value()); }

    constexpr bool holds_for(Version current) const noexcept {
        return value_ == kAny || (value_ == kExists ? current.value() > 0 : current.value() == value_);
    }
    // For messages: "any", "exists" or the number.
    std::string to_string() const;

  private:
    static constexpr std::int64_t kAny = -1;
    static constexpr std::int64_t kExists = -2;
    constexpr explicit ExpectedVersion(std::int64_t value) noexcept : value_(value) {}

    std::int64_t value_;
};

// All records of one append go to one stream and become visible together or not at all.
struct AppendRequest {
    Slot slot;
    std::string_view key;
    ExpectedVersion expected = ExpectedVersion::any();
    // At least one. The log sets version, recorded_at and position, and takes the key from above.
    std::span<const Record> records;
};

// Given at once: what the records will be, if the append succeeds.
struct Accepted {
    Version first_version;
    Version last_version;
    Timestamp recorded_at;
};

struct Appended {
    Position first_position;
    Position last_position;
};

// An error is `no_space` or `read_only` where surely nothing was written, else `unavailable`: perhaps written, never
// answer no.
using AppendDone = std::move_only_function<void(Result<Appended>)>;
using BarrierDone = std::move_only_function<void(Result<>)>;

struct StreamHead {
    Version version;  // 0: no such stream
};

// Where the events of a command are.
struct CommandEvents {
    Version first_version;
    Version last_version;
    std::optional<Position> last_position;  // none while not durable
    PayloadHash payload_hash{};
};

// Owns the bytes that its records view.
class ReadBatch {
  public:
    ReadBatch() = default;
    ReadBatch(std::vector<std::string> buffers, std::vector<Record> records, Position next) noexcept
        : buffers_(std::move(buffers)), records_(std::move(records)), next_(next) {}

    std::span<const Record> records() const noexcept { return records_; }
    // Where to read on: behind the last record given, also where the positions between hold nothing.
    Position next() const noexcept { return next_; }

  private:
    std::vector<std::string> buffers_;  // each stays where it is: records view them
    std::vector<Record> records_;
    Position next_;
};

// A limit for reads: stops before the append that would pass it, but always gives at least one.
inline constexpr std::size_t kReadBytesDefault = 256 * 1024;

struct SlotBounds {
    Position start;        // of the oldest record kept
    Position durable_end;  // behind the last durable record: what readers see
};

class EventLog {
  public:
    virtual ~EventLog() = default;

    // Of this log's data: another log with the same topics has another incarnation.
    virtual const Uuid& incarnation() const noexcept = 0;
    virtual std::span<const TopicDeclaration> topics() const noexcept = 0;

    // Errors at once: conflict (the message carries the current version), too_large, overloaded (the bytes not yet
    // durable passed their bound), unavailable or read_only (the partition has stopped). `done` is moved from only if
    // the append was accepted, so that the caller can still use it after an error at once.
    virtual Result<Accepted> append(const AppendRequest& request, AppendDone&& done) = 0;

    // Calls `done` once every append accepted before is durable, and, where ownership can move, once it is proved that
    // this owner still held the partition at the time of this call. Fails if one of those appends fails.
    virtual void barrier(Slot slot, BarrierDone done) = 0;

    // With all that was accepted, durable or not.
    virtual Result<StreamHead> stream_head(Slot slot, std::string_view key) = 0;
    // Only ids that a client chose. With all that was accepted, durable or not.
    virtual Result<std::optional<CommandEvents>> find_command(Slot slot, std::string_view key,
                                                              std::string_view command_id) = 0;

    virtual Result<SlotBounds> bounds(Slot slot) = 0;
    // Durable records from `from` on, in order; none at the end.
    virtual Result<ReadBatch> read(Slot slot, Position from, std::size_t bytes_max = kReadBytesDefault) = 0;
    // Durable records of one stream, from a version on, in order; none at the end. next() has no meaning here.
    virtual Result<ReadBatch> read_stream(Slot slot, std::string_view key, Version from,
                                          std::size_t bytes_max = kReadBytesDefault) = 0;

    // Calls `advanced` (a step) whenever the durable end of a partition has moved; several moves may share one call.
    using Advanced = std::move_only_function<void(Slot, Position durable_end)>;
    using WatchId = StrongId<struct WatchIdTag, std::uint64_t>;
    virtual WatchId watch(Advanced advanced) = 0;
    virtual void unwatch(WatchId watch) = 0;

    // Takes no more appends, waits for those accepted, closes files. `stopped` is called once.
    virtual void stop(Step stopped) = 0;
};

}  // namespace leftfold::log
