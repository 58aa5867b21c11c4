// Partition: the append and commit pipeline of one partition, and the run-ahead state in front of what is durable.
//
//   append ──► open group ──► (one posted step, nothing in flight) ──► worker: write, sync ──► durable, callbacks in
//   order
//
// Belongs to the shard. Groups alternate between two buffers, so that steady work allocates nothing. Steps and jobs
// hold it weakly or are waited for by the workers' destructors: destroy the workers first.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/env/env.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/log/event_log.hpp"

#include "commit.hpp"
#include "memory_index.hpp"
#include "segment_set.hpp"

namespace leftfold::log {

struct PartitionSettings {
    Slot slot;
    std::string name;    // "accounts/3", for messages
    std::string folder;  // of its segments
    Uuid incarnation;
    std::string topic;
    Epoch epoch;
    std::uint64_t hash_seed = 0;
    std::uint64_t segment_bytes = 0;
    std::uint64_t pending_bytes_max = 0;
    std::uint64_t append_bytes_max = 0;
};

class Partition : public std::enable_shared_from_this<Partition> {
  public:
    using Advanced = std::function<void(Slot, Position durable_end)>;

    // `committer` writes and syncs; `keeper` does what no append waits for.
    Partition(const Env& env, Worker& committer, Worker& keeper, PartitionSettings settings, SegmentSet durable,
              Advanced advanced);

    Result<Accepted> append(const AppendRequest& request, AppendDone&& done);
    void barrier(BarrierDone done);

    Result<StreamHead> stream_head(std::string_view key);
    Result<std::optional<CommandEvents>> find_command(std::string_view key, std::string_view command_id);
    SlotBounds bounds() const noexcept { return {durable_.start(), durable_.end()}; }
    Result<ReadBatch> read(Position from, std::size_t bytes_max) { return durable_.read(from, bytes_max); }
    Result<ReadBatch> read_stream(std::string_view key, Version from, std::size_t bytes_max);

    // Takes no more appends; calls `idle`, in a later step, once nothing is pending.
    void stop(Step idle);
    bool has_failed() const noexcept { return failure_.has_value(); }

  private:
    struct Waiter {
        Appended appended;
        AppendDone append_done;  // one of the two
        BarrierDone barrier_done;
    };
    // Batches that go to the disk together, and who waits for them.
    struct Group {
        std::string bytes;
        MemoryIndex index;
        std::vector<Waiter> waiters;
        Position base;
        Timestamp recorded_at_last;

        bool is_empty() const noexcept { return bytes.empty(); }
        void clear();
    };

    Result<> check(const AppendRequest& request) const;
    Result<Version> head(std::uint64_t hash, std::string_view key);
    std::optional<CommandEvents> find_pending_command(const Group& group, std::uint64_t hash, std::string_view key,
                                                      std::string_view command_id);
    void add_to_open_group(const AppendRequest& request, std::uint64_t hash, const BatchFields& fields,
                           std::size_t bytes);
    void schedule_commit();
    void start_commit();
    void commit_ended();
    void write_index_of(const Segment& closed);
    void fail_pending(const Error& error);
    void settle(std::vector<Waiter>& waiters, const Error* error);
    void note_idle();

    Env env_;
    Worker& committer_;
    Worker& keeper_;
    PartitionSettings settings_;
    SegmentSet durable_;
    Advanced advanced_;

    Group open_;
    Group in_flight_;
    bool commit_scheduled_ = false;
    bool commit_running_ = false;
    CommitJob job_;
    std::size_t indexes_in_work_ = 0;  // of closed segments, on their way to files
    std::vector<Waiter> settling_;
    std::vector<Record> scratch_records_;

    Position next_position_;
    Timestamp recorded_at_last_;
    std::optional<Error> failure_;
    bool stopping_ = false;
    Step idle_;
};

}  // namespace leftfold::log
