// Bugs on purpose, as decorators around what is right: each must be found by the checkers, else these are worth
// nothing.
#pragma once

#include <memory>
#include <utility>

#include "leftfold/env/files.hpp"
#include "leftfold/env/scheduler.hpp"
#include "leftfold/log/event_log.hpp"

namespace leftfold::simulation {

struct Plant {
    bool sync_data_lies = false;       // the fdatasync taken out
    bool barrier_passes = false;       // refusals, conflicts and reads do not wait for the disk
    bool ids_are_forgotten = false;    // by every start but the first
    bool torn_batch_believed = false;  // a batch whose checksum does not hold is taken for good
};

class PlantedLog final : public log::EventLog {
  public:
    PlantedLog(log::EventLog& inner, Scheduler& scheduler, Plant plant, bool is_first_start)
        : inner_(inner), scheduler_(scheduler), plant_(plant), is_first_start_(is_first_start) {}

    const Uuid& incarnation() const noexcept override { return inner_.incarnation(); }
    std::span<const log::TopicDeclaration> topics() const noexcept override { return inner_.topics(); }
    Result<log::Accepted> append(const log::AppendRequest& request, log::AppendDone&& done) override {
        return inner_.append(request, std::move(done));
    }
    void barrier(log::Slot slot, log::BarrierDone done) override {
        if (plant_.barrier_passes)
            scheduler_.post([done = std::move(done)]() mutable { done({}); });
        else
            inner_.barrier(slot, std::move(done));
    }
    Result<log::StreamHead> stream_head(log::Slot slot, std::string_view key) override {
        return inner_.stream_head(slot, key);
    }
    Result<std::optional<log::CommandEvents>> find_command(log::Slot slot, std::string_view key,
                                                           std::string_view command_id) override {
        if (plant_.ids_are_forgotten && !is_first_start_)
            return std::nullopt;
        return inner_.find_command(slot, key, command_id);
    }
    Result<log::SlotBounds> bounds(log::Slot slot) override { return inner_.bounds(slot); }
    Result<log::ReadBatch> read(log::Slot slot, Position from, std::size_t bytes_max) override {
        return inner_.read(slot, from, bytes_max);
    }
    Result<log::ReadBatch> read_stream(log::Slot slot, std::string_view key, Version from,
                                       std::size_t bytes_max) override {
        return inner_.read_stream(slot, key, from, bytes_max);
    }
    WatchId watch(Advanced advanced) override { return inner_.watch(std::move(advanced)); }
    void unwatch(WatchId watch) override { inner_.unwatch(watch); }
    void stop(Step stopped) override { inner_.stop(std::move(stopped)); }

  private:
    log::EventLog& inner_;
    Scheduler& scheduler_;
    Plant plant_;
    bool is_first_start_;
};

// Gives torn batches a checksum that holds, whenever they are read.
class BelievingFileSystem final : public FileSystem {
  public:
    explicit BelievingFileSystem(FileSystem& inner) noexcept : inner_(inner) {}

    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    Result<bool> exists(const std::string& path) override { return inner_.exists(path); }
    Result<> create_directories(const std::string& path) override { return inner_.create_directories(path); }
    Result<std::vector<DirectoryEntry>> list(const std::string& path) override { return inner_.list(path); }
    Result<> rename(const std::string& from, const std::string& to) override { return inner_.rename(from, to); }
    Result<> remove(const std::string& path) override { return inner_.remove(path); }
    Result<> sync_directory(const std::string& path) override { return inner_.sync_directory(path); }
    Result<std::unique_ptr<FileLock>> lock(const std::string& path) override { return inner_.lock(path); }

  private:
    FileSystem& inner_;
};

}  // namespace leftfold::simulation
