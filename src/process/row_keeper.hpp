// RowKeeper: keeps the rows of a dispatcher up with the process's topic, and with them the positions of the streams
// that it hears. The log is read on the shard's thread; store and fold belong to a worker, and each batch is a
// transaction.
//
// Rows that are damaged, of another log or another shape, or ahead of the log are thrown away, and folded from the
// beginning. Another failure of the store is tried again with back-off. An event that cannot be read stops it for good.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alarm.hpp"
#include "attempts.hpp"
#include "dispatch_rows.hpp"
#include "opened_rows.hpp"

namespace leftfold::process {

class RowKeeper {
  public:
    // All borrowed. `changed` is called, as a part of a step, when the rows have caught up, and after each commit.
    RowKeeper(const Env& env, log::EventLog& log, const DispatchProjection& projection, TopicId topic,
              const ProcessOptions& options, ProcessStatistics& statistics, std::function<void()> changed);
    ~RowKeeper();
    RowKeeper(const RowKeeper&) = delete;
    RowKeeper& operator=(const RowKeeper&) = delete;

    void start();
    void stop(Step stopped);

    // nullptr while there are none.
    rows::RowReader* reader() noexcept { return rows_ != nullptr ? rows_->reader.get() : nullptr; }
    // The rows hold all that the log held when they were opened.
    bool is_caught_up() const noexcept { return rows_ != nullptr && is_caught_up_; }
    // Of the process's topic.
    Position folded(PartitionId partition) const noexcept { return folded_[partition.value()]; }
    // A read of reader() failed.
    void read_failed(const Error& error);

    // Of a stream heard; none: nothing is taken yet. Only with a reader.
    std::optional<Position> taken_up_to(const std::string& topic, PartitionId partition) const;
    // To be written with the next transaction.
    void take_up_to(const std::string& topic, PartitionId partition, Position position);

    // Empty: all is well.
    const std::string& trouble() const noexcept { return trouble_; }
    std::int64_t lag() const;

  private:
    void open(bool discard);
    void opened(Result<std::unique_ptr<OpenedRows>> opened);
    void go_on();
    // False if there is nothing to do.
    Result<bool> gather(RowBatch& batch);
    void committed(RowBatch& batch, const BatchResult& result);
    void failed(const Error& error);
    void close();
    void submit(Job job, Step done);
    log::Slot slot(std::size_t partition) const noexcept;

    Env env_;
    log::EventLog& log_;
    const DispatchProjection& projection_;
    const TopicId topic_;
    const ProcessOptions& options_;
    ProcessStatistics& statistics_;
    std::function<void()> changed_;

    std::unique_ptr<OpenedRows> rows_;
    std::vector<Position> folded_;       // by partition
    std::vector<Position> catch_up_to_;  // the log's ends when the rows were opened
    bool is_caught_up_ = false;
    std::size_t first_ = 0;  // the partition that the next batch begins with
    std::map<std::pair<std::string, PartitionId>, Position> taken_;
    std::map<std::pair<std::string, PartitionId>, Position> unwritten_;  // of taken_
    bool are_positions_due_ = false;
    bool is_busy_ = false;  // a job is under way
    bool must_discard_ = false;
    bool is_stuck_ = false;    // at an event that cannot be read
    bool is_waiting_ = false;  // to try again
    std::uint32_t failures_ = 0;
    std::string trouble_;
    Step stopped_;  // set: stopping
    std::optional<log::EventLog::WatchId> watch_;
    Alarm retry_;
    Alarm positions_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::unique_ptr<Worker> worker_;  // last: its jobs use the rows
};

}  // namespace leftfold::process
