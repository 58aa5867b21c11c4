// Bugs on purpose, as decorators around what is right: each must be found by the simulation, else it is worth nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "leftfold/aggregate/model.hpp"
#include "leftfold/env/env.hpp"
#include "leftfold/log/event_log.hpp"
#include "leftfold/process/sender.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold::testing {

struct Plant {
    bool dispatch_is_ahead = false;    // the dispatcher sees events that are not durable yet
    bool answer_is_ahead = false;      // the target answers before its events are durable
    bool ids_are_fresh = false;        // a command that is sent again has another id
    bool clock_is_wrong = false;       // timers run on a clock that does not know how the recorded one was set
    bool checkpoint_is_apart = false;  // the positions are written before the rows, in a transaction of their own
};

// Everything as it is; the base of the others.
class LogDecorator : public log::EventLog {
  public:
    explicit LogDecorator(log::EventLog& inner) : inner_(inner) {}

    const Uuid& incarnation() const noexcept override { return inner_.incarnation(); }
    std::span<const log::TopicDeclaration> topics() const noexcept override { return inner_.topics(); }
    Result<log::Accepted> append(const log::AppendRequest& request, log::AppendDone&& done) override {
        return inner_.append(request, std::move(done));
    }
    void barrier(log::Slot slot, log::BarrierDone done) override { inner_.barrier(slot, std::move(done)); }
    Result<log::StreamHead> stream_head(log::Slot slot, std::string_view key) override {
        return inner_.stream_head(slot, key);
    }
    Result<std::optional<log::CommandEvents>> find_command(log::Slot slot, std::string_view key,
                                                           std::string_view command_id) override {
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

  protected:
    log::EventLog& inner_;
};

// Says that what a process asked for is durable when it is only accepted.
class HastyLog final : public LogDecorator {
  public:
    HastyLog(log::EventLog& inner, Scheduler& scheduler) : LogDecorator(inner), scheduler_(scheduler) {}

    Result<log::Accepted> append(const log::AppendRequest& request, log::AppendDone&& done) override {
        if (!request.records.front().meta.command_id.starts_with(kDerivedIdPrefix))
            return inner_.append(request, std::move(done));
        auto accepted = inner_.append(request, [](const Result<log::Appended>&) {});
        if (accepted)
            scheduler_.post([done = std::move(done)]() mutable { done(log::Appended{}); });
        return accepted;
    }

  private:
    Scheduler& scheduler_;
};

// Shows what is accepted as if it were durable.
class ForwardLog final : public LogDecorator {
  public:
    ForwardLog(log::EventLog& inner, Scheduler& scheduler) : LogDecorator(inner), scheduler_(scheduler) {}

    Result<log::Accepted> append(const log::AppendRequest& request, log::AppendDone&& done) override;
    Result<log::SlotBounds> bounds(log::Slot slot) override;
    Result<log::ReadBatch> read(log::Slot slot, Position from, std::size_t bytes_max) override;
    WatchId watch(Advanced advanced) override;

  private:
    struct Kept {
        Record record;
        std::string texts[10];
    };
    Scheduler& scheduler_;
    std::map<log::Slot, std::map<Position, Kept*>> kept_;
    std::deque<Kept> all_;  // batches under way view them
    std::vector<std::shared_ptr<Advanced>> watchers_;
};

class FreshIdSender final : public CommandSender {
  public:
    explicit FreshIdSender(CommandSender& inner, Random& random) noexcept : inner_(inner), random_(random) {}

    void send(const OutgoingCommand& command, CommandAnswered answered) override {
        OutgoingCommand other = command;
        other.id += "/" + std::to_string(random_.next());
        inner_.send(other, std::move(answered));
    }

  private:
    CommandSender& inner_;
    Random& random_;
};

// Goes on as the machine started, whatever was done to its clock.
class OtherClock final : public Clock {
  public:
    OtherClock(const Clock& inner, Timestamp start) noexcept : inner_(inner), start_(start) {}

    Timestamp now() const noexcept override {
        return start_ + std::chrono::duration_cast<std::chrono::microseconds>(inner_.monotonic().time_since_epoch());
    }
    MonotonicTime monotonic() const noexcept override { return inner_.monotonic(); }

  private:
    const Clock& inner_;
    Timestamp start_;
};

// Everything as it is; the base of the others.
class StoreDecorator : public rows::RowStore {
  public:
    explicit StoreDecorator(std::unique_ptr<rows::RowStore> inner) noexcept : inner_(std::move(inner)) {}

    Result<std::optional<rows::Row>> get(rows::TableId table, std::span<const rows::Cell> key) override {
        return inner_->get(table, key);
    }
    Result<std::vector<rows::Row>> query(const rows::Query& query) override { return inner_->query(query); }
    Result<std::uint64_t> count(const rows::Query& query) override { return inner_->count(query); }
    Result<std::vector<rows::FoldedPosition>> positions() override { return inner_->positions(); }
    Result<std::optional<std::string>> value(std::string_view name) override { return inner_->value(name); }
    const rows::Schema& schema() const noexcept override { return inner_->schema(); }
    Result<> begin() override { return inner_->begin(); }
    Result<> put(rows::TableId table, std::span<const rows::Cell> row) override { return inner_->put(table, row); }
    Result<> erase(rows::TableId table, std::span<const rows::Cell> key) override { return inner_->erase(table, key); }
    Result<> set_position(const rows::FoldedPosition& position) override { return inner_->set_position(position); }
    Result<> set_value(std::string_view name, std::string_view value) override {
        return inner_->set_value(name, value);
    }
    Result<> commit() override { return inner_->commit(); }
    void rollback() override { inner_->rollback(); }
    Result<std::unique_ptr<rows::RowReader>> reader() override { return inner_->reader(); }
    Result<> sync() override { return inner_->sync(); }
    Result<> copy_to(const std::string& path) override { return inner_->copy_to(path); }

  protected:
    std::unique_ptr<rows::RowStore> inner_;
};

// Keeps what a transaction writes until its positions are on the disk.
class SplitStore final : public StoreDecorator {
  public:
    using StoreDecorator::StoreDecorator;

    Result<> begin() override {
        rollback();
        return {};
    }
    Result<> put(rows::TableId table, std::span<const rows::Cell> row) override {
        changes_.push_back({table, {row.begin(), row.end()}, false});
        return {};
    }
    Result<> erase(rows::TableId table, std::span<const rows::Cell> key) override {
        changes_.push_back({table, {key.begin(), key.end()}, true});
        return {};
    }
    Result<> set_position(const rows::FoldedPosition& position) override {
        positions_.push_back(position);
        return {};
    }
    Result<> set_value(std::string_view name, std::string_view value) override {
        values_.emplace_back(name, value);
        return {};
    }
    Result<> commit() override;
    void rollback() override {
        changes_.clear();
        positions_.clear();
        values_.clear();
    }

  private:
    struct Change {
        rows::TableId table;
        rows::Row cells;
        bool is_erasure;
    };
    std::vector<Change> changes_;
    std::vector<rows::FoldedPosition> positions_;
    std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace leftfold::testing
