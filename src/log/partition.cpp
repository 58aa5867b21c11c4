#include "partition.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

#include "hash.hpp"

namespace leftfold::log {
namespace {

// Buffers are reused, but a burst is not paid for ever.
constexpr std::size_t kGroupBytesKept = 1024 * 1024;

// While the shard is busy, commands gather this long for one commit: it costs the processor as much as several
// commands.
constexpr Duration kGatherMost = std::chrono::milliseconds(1);

// Closed segments whose index is in memory only. With so many, commits wait for the keeper.
constexpr std::size_t kIndexesInWorkMax = 2;

}  // namespace

void Partition::Group::clear() {
    bytes.clear();
    if (bytes.capacity() > kGroupBytesKept)
        bytes.shrink_to_fit();
    index.clear();
    waiters.clear();
}

Partition::Partition(const Env& env, Worker& committer, Worker& keeper, PartitionSettings settings, SegmentSet durable,
                     Advanced advanced)
    : env_(env),
      committer_(committer),
      keeper_(keeper),
      settings_(std::move(settings)),
      durable_(std::move(durable)),
      advanced_(std::move(advanced)),
      next_position_(durable_.end()),
      recorded_at_last_(durable_.recorded_at_last()) {
    job_.files = &env_.files;
    job_.folder = settings_.folder;
    job_.segment_bytes = settings_.segment_bytes;
}

Result<> Partition::check(const AppendRequest& request) const {
    if (failure_)
        return std::unexpected(*failure_);
    if (stopping_)
        return fail(ErrorCode::unavailable, fmt::format("{}: the log is stopping", settings_.name), Retry::yes);
    if (request.records.empty())
        return fail(ErrorCode::invalid_argument, fmt::format("{}: an append without records", settings_.name));
    if (request.key.empty())
        return fail(ErrorCode::invalid_argument, fmt::format("{}: an append without a key", settings_.name));
    if (request.key.size() > kKeyBytesMax) {
        return fail(ErrorCode::too_large, fmt::format("{}: a key of {} bytes; at most {} fit", settings_.name,
                                                      request.key.size(), kKeyBytesMax));
    }
    return {};
}

Result<Version> Partition::head(std::uint64_t hash, std::string_view key) {
    for (const Group* group : {&open_, &in_flight_}) {
        if (const MemoryIndex::Stream* stream = group->index.find(hash, key))
            return group->index.head(*stream).last_version();
    }
    return durable_.head(hash, key);
}

Result<Accepted> Partition::append(const AppendRequest& request, AppendDone&& done) {
    LEFTFOLD_CHECK(check(request));
    const std::uint64_t hash = key_hash(settings_.hash_seed, request.key);
    LEFTFOLD_TRY(current, head(hash, request.key));
    if (!request.expected.holds_for(current)) {
        return fail(ErrorCode::conflict, fmt::format("stream '{}' is at version {}, expected {}", request.key,
                                                     current.value(), request.expected.to_string()));
    }
    BatchFields fields;
    fields.key = request.key;
    fields.base = next_position_;
    fields.first_version = current.next();
    fields.recorded_at = std::max(recorded_at_last_, env_.clock.now());
    fields.epoch = settings_.epoch;
    const std::size_t bytes = encoded_batch_bytes(fields, request.records);
    if (bytes > settings_.append_bytes_max) {
        return fail(ErrorCode::too_large, fmt::format("{}: an append of {} bytes; at most {} fit (append_bytes_max)",
                                                      settings_.name, bytes, settings_.append_bytes_max));
    }
    const std::size_t pending = open_.bytes.size() + in_flight_.bytes.size();
    if (pending != 0 && pending + bytes > settings_.pending_bytes_max) {
        return fail(ErrorCode::overloaded,
                    fmt::format("{}: {} bytes wait for the disk; at most {} may (pending_bytes_max)", settings_.name,
                                pending, settings_.pending_bytes_max),
                    Retry::yes);
    }
    add_to_open_group(request, hash, fields, bytes);

    const auto count = static_cast<std::int64_t>(request.records.size());
    const Position last_position(fields.base.value() + count - 1);
    open_.waiters.push_back({{fields.base, last_position}, std::move(done), nullptr});
    next_position_ = last_position.next();
    recorded_at_last_ = fields.recorded_at;
    schedule_commit();
    return Accepted{fields.first_version, Version(fields.first_version.value() + count - 1), fields.recorded_at};
}

void Partition::add_to_open_group(const AppendRequest& request, std::uint64_t hash, const BatchFields& fields,
                                  std::size_t bytes) {
    const auto offset = static_cast<std::uint32_t>(open_.bytes.size());
    if (open_.is_empty())
        open_.base = fields.base;
    // The size given to the callback is not to be used: libstdc++ 12 passes the capacity.
    open_.bytes.resize_and_overwrite(offset + bytes, [&](char* to, std::size_t) {
        encode_batch(to + offset, bytes, fields, request.records);
        return offset + bytes;
    });
    const auto count = static_cast<std::uint32_t>(request.records.size());
    open_.recorded_at_last = fields.recorded_at;
    open_.index.add_batch(hash, request.key, offset, fields.first_version, count);
    std::string_view previous;
    for (const Record& record : request.records) {
        const std::string_view id = record.meta.command_id;
        if (record.meta.command_id_source == CommandIdSource::client && !id.empty() && id != previous)
            open_.index.add_command(command_hash(hash, id), offset);
        previous = id;
    }
}

void Partition::barrier(BarrierDone done) {
    if (!open_.is_empty()) {
        open_.waiters.push_back({{}, nullptr, std::move(done)});
    } else if (commit_running_) {
        in_flight_.waiters.push_back({{}, nullptr, std::move(done)});
    } else {
        env_.scheduler.post([failure = failure_, done = std::move(done)]() mutable {
            if (failure)
                done(std::unexpected(*std::move(failure)));
            else
                done({});
        });
    }
}

Result<StreamHead> Partition::stream_head(std::string_view key) {
    LEFTFOLD_TRY(version, head(key_hash(settings_.hash_seed, key), key));
    return StreamHead{version};
}

Result<std::optional<CommandEvents>> Partition::find_command(std::string_view key, std::string_view command_id) {
    const std::uint64_t hash = command_hash(key_hash(settings_.hash_seed, key), command_id);
    for (const Group* group : {&open_, &in_flight_}) {
        if (auto found = find_pending_command(*group, hash, key, command_id))
            return found;
    }
    return durable_.find_command(hash, key, command_id);
}

std::optional<CommandEvents> Partition::find_pending_command(const Group& group, std::uint64_t hash,
                                                             std::string_view key, std::string_view command_id) {
    std::optional<CommandEvents> found;
    group.index.find_command(hash, [&](std::uint32_t offset) {
        const BatchView batch = view_unsealed_batch(std::string_view(group.bytes).substr(offset));
        scratch_records_.clear();
        if (batch.key != key || !decode_records(batch, scratch_records_))
            return false;
        if (auto events = command_events(scratch_records_, command_id))
            found = events;
        return false;  // the newest counts
    });
    if (found)
        found->last_position.reset();
    return found;
}

Result<ReadBatch> Partition::read_stream(std::string_view key, Version from, std::size_t bytes_max) {
    return durable_.read_stream(key_hash(settings_.hash_seed, key), key, from, bytes_max);
}

void Partition::schedule_commit() {
    if (commit_scheduled_ || commit_running_ || open_.is_empty())
        return;
    commit_scheduled_ = true;
    env_.scheduler.post_when_idle(
        [self = weak_from_this()] {
            if (const auto partition = self.lock()) {
                partition->commit_scheduled_ = false;
                partition->start_commit();
            }
        },
        kGatherMost);
}

void Partition::start_commit() {
    if (commit_running_ || open_.is_empty() || indexes_in_work_ >= kIndexesInWorkMax)
        return;
    commit_running_ = true;
    std::swap(open_, in_flight_);
    job_.group = &in_flight_.bytes;
    // Nothing else is in flight: all before this group is durable.
    job_.durable_up_to = in_flight_.base;
    durable_.plan(job_, in_flight_.bytes.size(),
                  {.incarnation = settings_.incarnation,
                   .topic = settings_.topic,
                   .partition = settings_.slot.partition,
                   .base = in_flight_.base,
                   .created_at = recorded_at_last_,
                   .epoch = settings_.epoch});
    committer_.submit([job = &job_] { run(*job); },
                      [self = weak_from_this()] {
                          if (const auto partition = self.lock())
                              partition->commit_ended();
                      });
}

void Partition::commit_ended() {
    commit_running_ = false;
    if (const Segment* closed = durable_.adopt(job_))
        write_index_of(*closed);
    if (!job_.result) {
        const Error& cause = job_.result.error();
        const bool is_refused = cause.code() == ErrorCode::no_space || cause.code() == ErrorCode::read_only;
        if (is_refused && job_.surely_not_written)
            return fail_pending(Error(
                cause.code(), fmt::format("{}: nothing was written: {}", settings_.name, cause.message()), Retry::yes));
        failure_ =
            Error(ErrorCode::unavailable,
                  fmt::format("{}: writing failed, and what reached the disk is unknown; the partition takes no more "
                              "appends until the process is started again: {}",
                              settings_.name, cause.message()));
        return fail_pending(*failure_);
    }
    durable_.committed(job_, in_flight_.index, in_flight_.base, in_flight_.recorded_at_last);
    LEFTFOLD_ASSERT(settling_.empty());
    std::swap(settling_, in_flight_.waiters);
    in_flight_.clear();
    schedule_commit();
    settle(settling_, nullptr);
    settling_.clear();
    advanced_(settings_.slot, durable_.end());
    note_idle();
}

void Partition::write_index_of(const Segment& closed) {
    struct IndexJob {
        FileSystem& files;
        std::string path;
        std::shared_ptr<const SegmentIndex> index;
        IndexedSegment segment;
        Result<std::unique_ptr<IndexFile>> result;
    };
    auto job = std::make_shared<IndexJob>(env_.files, index_path(closed.path()), closed.memory(),
                                          closed.indexed(settings_.hash_seed), nullptr);
    ++indexes_in_work_;
    keeper_.submit([job] { job->result = write_index(job->files, job->path, *job->index, job->segment); },
                   [job, base = closed.base(), self = weak_from_this()] {
                       const auto partition = self.lock();
                       if (!partition)
                           return;
                       // Without the file, memory goes on to answer, and the next start makes it.
                       if (job->result)
                           partition->durable_.set_index_file(base, *std::move(job->result));
                       --partition->indexes_in_work_;
                       partition->start_commit();
                       partition->note_idle();
                   });
}

// Nothing pending will be: the run-ahead state falls back to what is durable, then everybody is told, in order.
void Partition::fail_pending(const Error& error) {
    std::vector<Waiter> waiters = std::exchange(in_flight_.waiters, {});
    std::ranges::move(open_.waiters, std::back_inserter(waiters));
    in_flight_.clear();
    open_.clear();
    next_position_ = durable_.end();
    settle(waiters, &error);
    note_idle();
}

void Partition::settle(std::vector<Waiter>& waiters, const Error* error) {
    for (Waiter& waiter : waiters) {
        if (waiter.append_done) {
            if (error == nullptr)
                waiter.append_done(waiter.appended);
            else
                waiter.append_done(std::unexpected(*error));
        } else {
            if (error == nullptr)
                waiter.barrier_done({});
            else
                waiter.barrier_done(std::unexpected(*error));
        }
    }
}

void Partition::stop(Step idle) {
    stopping_ = true;
    idle_ = std::move(idle);
    note_idle();
}

void Partition::note_idle() {
    if (idle_ && !commit_running_ && open_.is_empty())
        env_.scheduler.post(std::exchange(idle_, nullptr));
}

}  // namespace leftfold::log
