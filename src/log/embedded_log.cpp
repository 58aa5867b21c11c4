#include "leftfold/log/embedded_log.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/murmur2.hpp"

#include "format.hpp"
#include "manifest.hpp"
#include "partition.hpp"
#include "recovery.hpp"

namespace leftfold::log {
namespace {

// Threads that wait for the disk. Partitions of one topic are spread over them.
constexpr std::size_t kCommittersMax = 8;

class EmbeddedLog final : public EventLog {
  public:
    EmbeddedLog(const Env& env, EmbeddedLogOptions options, std::unique_ptr<FileLock> lock, Manifest manifest)
        : env_(env), options_(std::move(options)), lock_(std::move(lock)), manifest_(std::move(manifest)) {}

    ~EmbeddedLog() override {
        // A job may still write from a partition's buffers.
        committers_.clear();
        keeper_.reset();
    }

    Result<> start();

    const Uuid& incarnation() const noexcept override { return manifest_.incarnation; }
    std::span<const TopicDeclaration> topics() const noexcept override { return options_.topics; }

    Result<Accepted> append(const AppendRequest& request, AppendDone&& done) override;
    void barrier(Slot slot, BarrierDone done) override;
    Result<StreamHead> stream_head(Slot slot, std::string_view key) override;
    Result<std::optional<CommandEvents>> find_command(Slot slot, std::string_view key,
                                                      std::string_view command_id) override;
    Result<SlotBounds> bounds(Slot slot) override;
    Result<ReadBatch> read(Slot slot, Position from, std::size_t bytes_max) override;
    Result<ReadBatch> read_stream(Slot slot, std::string_view key, Version from, std::size_t bytes_max) override;
    WatchId watch(Advanced advanced) override;
    void unwatch(WatchId watch) override;
    void stop(Step stopped) override;

  private:
    struct Watcher {
        WatchId id;
        Advanced advanced;  // empty: removed
    };

    // nullptr if there is no such partition.
    Partition* find(Slot slot) noexcept;
    std::unexpected<Error> no_such(Slot slot) const;
    void tell_watchers(Slot slot, Position durable_end);
    void partition_stopped();

    Env env_;
    EmbeddedLogOptions options_;
    std::unique_ptr<FileLock> lock_;
    Manifest manifest_;
    std::vector<std::vector<std::shared_ptr<Partition>>> partitions_;  // by topic
    std::vector<std::unique_ptr<Worker>> committers_;
    std::unique_ptr<Worker> keeper_;  // for what nobody waits for

    std::vector<std::unique_ptr<Watcher>> watchers_;
    std::uint64_t next_watch_ = 1;
    bool telling_ = false;

    Step stopped_;
    std::size_t partitions_running_ = 0;
};

Result<> EmbeddedLog::start() {
    std::size_t count = 0;
    for (const TopicDeclaration& topic : options_.topics)
        count += topic.partition_count;
    for (std::size_t i = 0; i < std::min(count, kCommittersMax); ++i)
        committers_.push_back(env_.workers.start(fmt::format("log-commit-{}", i), env_.scheduler, JobLength::brief));
    keeper_ = env_.workers.start("log-keeper", env_.scheduler);

    std::size_t number = 0;
    for (std::uint32_t t = 0; t < options_.topics.size(); ++t) {
        const TopicDeclaration& topic = options_.topics[t];
        StoredTopic& stored = *manifest_.find(topic.name);
        partitions_.emplace_back();
        for (std::uint32_t p = 0; p < topic.partition_count; ++p, ++number) {
            const std::string folder = partition_folder(options_.directory, topic.name, PartitionId(p));
            LEFTFOLD_TRY(recovered, recover_partition({env_.files,
                                                       options_.directory,
                                                       folder,
                                                       {manifest_.incarnation, topic.name, PartitionId(p)},
                                                       manifest_.hash_seed,
                                                       stored.durable[p]}));
            PartitionSettings settings{.slot = {TopicId(t), PartitionId(p)},
                                       .name = fmt::format("{}/{}", topic.name, p),
                                       .folder = folder,
                                       .incarnation = manifest_.incarnation,
                                       .topic = topic.name,
                                       .epoch = manifest_.epoch.next(),
                                       .hash_seed = manifest_.hash_seed,
                                       .segment_bytes = options_.segment_bytes,
                                       .pending_bytes_max = options_.pending_bytes_max,
                                       .append_bytes_max = options_.append_bytes_max};
            partitions_.back().push_back(std::make_shared<Partition>(
                env_, *committers_[number % committers_.size()], *keeper_, std::move(settings),
                SegmentSet(env_.files, manifest_.hash_seed, std::move(recovered.segments), recovered.allocated),
                [this](Slot slot, Position durable_end) { tell_watchers(slot, durable_end); }));
            stored.durable[p] = partitions_.back().back()->bounds().durable_end;
        }
    }
    // Nothing is served, and so nothing written, by an epoch that is not on the disk.
    manifest_.epoch = manifest_.epoch.next();
    return replace_file(env_.files, join_path(options_.directory, kManifestName), encode_manifest(manifest_));
}

Partition* EmbeddedLog::find(Slot slot) noexcept {
    if (slot.topic.value() >= partitions_.size() || slot.partition.value() >= partitions_[slot.topic.value()].size())
        return nullptr;
    return partitions_[slot.topic.value()][slot.partition.value()].get();
}

std::unexpected<Error> EmbeddedLog::no_such(Slot slot) const {
    return fail(ErrorCode::invalid_argument,
                fmt::format("no partition {} of topic number {} in the log '{}'", slot.partition.value(),
                            slot.topic.value(), options_.directory));
}

Result<Accepted> EmbeddedLog::append(const AppendRequest& request, AppendDone&& done) {
    Partition* partition = find(request.slot);
    if (partition == nullptr)
        return no_such(request.slot);
    const std::uint32_t count = options_.topics[request.slot.topic.value()].partition_count;
    if (partition_of(request.key, count) != request.slot.partition) {
        return fail(ErrorCode::invalid_argument,
                    fmt::format("key '{}' belongs to partition {} of topic '{}', not to {}", request.key,
                                partition_of(request.key, count).value(),
                                options_.topics[request.slot.topic.value()].name, request.slot.partition.value()));
    }
    return partition->append(request, std::move(done));
}

void EmbeddedLog::barrier(Slot slot, BarrierDone done) {
    if (Partition* partition = find(slot))
        return partition->barrier(std::move(done));
    env_.scheduler.post([error = no_such(slot), done = std::move(done)]() mutable { done(std::move(error)); });
}

Result<StreamHead> EmbeddedLog::stream_head(Slot slot, std::string_view key) {
    Partition* partition = find(slot);
    return partition == nullptr ? no_such(slot) : partition->stream_head(key);
}

Result<std::optional<CommandEvents>> EmbeddedLog::find_command(Slot slot, std::string_view key,
                                                               std::string_view command_id) {
    Partition* partition = find(slot);
    return partition == nullptr ? no_such(slot) : partition->find_command(key, command_id);
}

Result<SlotBounds> EmbeddedLog::bounds(Slot slot) {
    Partition* partition = find(slot);
    if (partition == nullptr)
        return no_such(slot);
    return partition->bounds();
}

Result<ReadBatch> EmbeddedLog::read(Slot slot, Position from, std::size_t bytes_max) {
    Partition* partition = find(slot);
    return partition == nullptr ? no_such(slot) : partition->read(from, bytes_max);
}

Result<ReadBatch> EmbeddedLog::read_stream(Slot slot, std::string_view key, Version from, std::size_t bytes_max) {
    Partition* partition = find(slot);
    return partition == nullptr ? no_such(slot) : partition->read_stream(key, from, bytes_max);
}

EventLog::WatchId EmbeddedLog::watch(Advanced advanced) {
    const WatchId id(next_watch_++);
    watchers_.push_back(std::make_unique<Watcher>(id, std::move(advanced)));
    return id;
}

void EmbeddedLog::unwatch(WatchId watch) {
    const auto found = std::ranges::find(watchers_, watch, [](const auto& watcher) { return watcher->id; });
    if (found == watchers_.end())
        return;
    if (telling_)
        (*found)->id = WatchId(0);  // it may be the one that is running: dropped when all were told
    else
        watchers_.erase(found);
}

void EmbeddedLog::tell_watchers(Slot slot, Position durable_end) {
    LEFTFOLD_ASSERT(!telling_);
    telling_ = true;
    const std::size_t count = watchers_.size();  // those that are added meanwhile wait for the next move
    for (std::size_t i = 0; i < count; ++i) {
        if (watchers_[i]->id != WatchId(0))
            watchers_[i]->advanced(slot, durable_end);
    }
    telling_ = false;
    std::erase_if(watchers_, [](const auto& watcher) { return watcher->id == WatchId(0); });
}

void EmbeddedLog::stop(Step stopped) {
    LEFTFOLD_ASSERT(!stopped_);
    stopped_ = std::move(stopped);
    partitions_running_ = 1;
    for (const auto& topic : partitions_) {
        for (const auto& partition : topic) {
            ++partitions_running_;
            partition->stop([this] { partition_stopped(); });
        }
    }
    env_.scheduler.post([this] { partition_stopped(); });
}

void EmbeddedLog::partition_stopped() {
    if (--partitions_running_ != 0)
        return;
    // Tells the next start how far all is durable: then it has nothing to write again.
    for (std::uint32_t t = 0; t < partitions_.size(); ++t) {
        StoredTopic& stored = *manifest_.find(options_.topics[t].name);
        for (std::uint32_t p = 0; p < partitions_[t].size(); ++p)
            stored.durable[p] = partitions_[t][p]->bounds().durable_end;
    }
    keeper_->submit(
        [this] {
            // If it fails, the next start does what it does after a crash.
            static_cast<void>(
                replace_file(env_.files, join_path(options_.directory, kManifestName), encode_manifest(manifest_)));
        },
        [this] { std::exchange(stopped_, nullptr)(); });
}

Result<> check_options(const EmbeddedLogOptions& options) {
    constexpr std::uint64_t kPendingBytesMax = 1ULL << 30;
    std::vector<std::string> problems;
    if (options.directory.empty())
        problems.emplace_back("no directory is named");
    if (options.segment_bytes < 4096 || options.segment_bytes > kSegmentBytesMax)
        problems.push_back(
            fmt::format("segment_bytes is {}, not in 4096 to {}", options.segment_bytes, kSegmentBytesMax));
    if (options.append_bytes_max == 0 || options.append_bytes_max > kBatchBytesMax)
        problems.push_back(
            fmt::format("append_bytes_max is {}, not in 1 to {}", options.append_bytes_max, kBatchBytesMax));
    if (options.pending_bytes_max == 0 || options.pending_bytes_max > kPendingBytesMax)
        problems.push_back(
            fmt::format("pending_bytes_max is {}, not in 1 to {}", options.pending_bytes_max, kPendingBytesMax));
    for (std::size_t i = 0; i < options.topics.size(); ++i) {
        const TopicDeclaration& topic = options.topics[i];
        if (auto named = check_topic_name(topic.name); !named)
            problems.push_back(named.error().message());
        if (topic.partition_count == 0 || topic.partition_count > kPartitionCountMax)
            problems.push_back(fmt::format("topic '{}' is declared with {} partitions, not 1 to {}", topic.name,
                                           topic.partition_count, kPartitionCountMax));
        if (std::ranges::count(options.topics, topic.name, &TopicDeclaration::name) > 1 &&
            std::ranges::find(options.topics, topic.name, &TopicDeclaration::name) - options.topics.begin() ==
                static_cast<std::ptrdiff_t>(i))
            problems.push_back(fmt::format("topic '{}' is declared twice", topic.name));
    }
    if (problems.empty())
        return {};
    return fail(ErrorCode::invalid_argument, fmt::format("{}", fmt::join(problems, "; ")));
}

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// Creates the data directory so that its name, and those of the folders above it, survive a crash. All are synced, also
// those that exist: a start before this one may have made them, and ended before it synced.
Result<> make_directory(FileSystem& files, const std::string& directory) {
    LEFTFOLD_TRY(has_manifest, files.exists(join_path(directory, kManifestName)));
    if (has_manifest)
        return {};
    LEFTFOLD_CHECK(files.create_directories(directory));
    for (std::string path = directory; path != "." && path != "/";) {
        path = parent_of(path);
        auto synced = files.sync_directory(path);
        // What cannot even be read was not made by a start of ours.
        if (!synced && synced.error().code() != ErrorCode::permission_denied)
            return synced;
    }
    return {};
}

// Synced even where they exist: the start that made them may have ended before it did that.
Result<> make_folders(FileSystem& files, const EmbeddedLogOptions& options) {
    const std::string topics = join_path(options.directory, kTopicsName);
    for (const TopicDeclaration& topic : options.topics) {
        for (std::uint32_t p = 0; p < topic.partition_count; ++p)
            LEFTFOLD_CHECK(files.create_directories(partition_folder(options.directory, topic.name, PartitionId(p))));
        LEFTFOLD_CHECK(files.sync_directory(join_path(topics, topic.name)));
    }
    if (!options.topics.empty())
        LEFTFOLD_CHECK(files.sync_directory(topics));
    return files.sync_directory(options.directory);
}

Result<Manifest> find_or_make_manifest(const Env& env, const EmbeddedLogOptions& options) {
    LEFTFOLD_TRY(stored, read_manifest(env.files, options.directory));
    Manifest manifest;
    if (stored) {
        manifest = *std::move(stored);
    } else {
        LEFTFOLD_TRY(has_topics, env.files.exists(join_path(options.directory, kTopicsName)));
        if (has_topics) {
            return fail(ErrorCode::corrupt,
                        fmt::format("'{}' holds topics, but no manifest: put it back, or use another directory",
                                    options.directory));
        }
        // Named before the evaluation order could differ between compilers: one seed, one incarnation.
        const std::uint64_t high = env.random.next();
        const std::uint64_t low = env.random.next();
        manifest.incarnation = Uuid::v7(env.clock.now(), high, low);
        manifest.hash_seed = env.random.next();
    }
    for (const TopicDeclaration& topic : options.topics) {
        StoredTopic* known = manifest.find(topic.name);
        if (known == nullptr) {
            manifest.topics.push_back({topic.name, std::vector<Position>(topic.partition_count)});
        } else if (known->durable.size() != topic.partition_count) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("topic '{}' is stored with {} partitions and declared with {}: the number cannot change, "
                            "since it decides where each stream lies; declare {}",
                            topic.name, known->durable.size(), topic.partition_count, known->durable.size()));
        }
    }
    return manifest;
}

}  // namespace

Result<std::unique_ptr<EventLog>> open_embedded_log(const Env& env, EmbeddedLogOptions options) {
    LEFTFOLD_CHECK(check_options(options));
    while (options.directory.size() > 1 && options.directory.ends_with('/'))
        options.directory.pop_back();
    LEFTFOLD_CHECK(make_directory(env.files, options.directory));
    auto lock = env.files.lock(join_path(options.directory, kLockName));
    if (!lock) {
        if (lock.error().code() == ErrorCode::unavailable) {
            return fail(
                ErrorCode::unavailable,
                fmt::format("the data directory '{}' is held by a running process: stop that one first, or use another "
                            "directory (`fuser {}` names it)",
                            options.directory, join_path(options.directory, kLockName)),
                Retry::yes);
        }
        return std::unexpected(std::move(lock).error());
    }
    LEFTFOLD_TRY(manifest, find_or_make_manifest(env, options));
    // Before the folders: topics without a manifest would be refused as damage.
    LEFTFOLD_CHECK(replace_file(env.files, join_path(options.directory, kManifestName), encode_manifest(manifest)));
    LEFTFOLD_CHECK(make_folders(env.files, options));
    auto log = std::make_unique<EmbeddedLog>(env, std::move(options), *std::move(lock), std::move(manifest));
    LEFTFOLD_CHECK(log->start());
    return log;
}

}  // namespace leftfold::log
