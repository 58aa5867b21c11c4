// ForwardingLog: an EventLog that passes everything on, for tests that change one thing about it.
#pragma once

#include <utility>

#include "leftfold/log/event_log.hpp"

namespace leftfold::testing {

class ForwardingLog : public log::EventLog {
  public:
    explicit ForwardingLog(log::EventLog& log) : log_(log) {}

    const Uuid& incarnation() const noexcept override { return log_.incarnation(); }
    std::span<const log::TopicDeclaration> topics() const noexcept override { return log_.topics(); }
    Result<log::Accepted> append(const log::AppendRequest& request, log::AppendDone&& done) override {
        return log_.append(request, std::move(done));
    }
    void barrier(log::Slot slot, log::BarrierDone done) override { log_.barrier(slot, std::move(done)); }
    Result<log::StreamHead> stream_head(log::Slot slot, std::string_view key) override {
        return log_.stream_head(slot, key);
    }
    Result<std::optional<log::CommandEvents>> find_command(log::Slot slot, std::string_view key,
                                                           std::string_view command_id) override {
        return log_.find_command(slot, key, command_id);
    }
    Result<log::SlotBounds> bounds(log::Slot slot) override { return log_.bounds(slot); }
    Result<log::ReadBatch> read(log::Slot slot, Position from, std::size_t bytes_max) override {
        return log_.read(slot, from, bytes_max);
    }
    Result<log::ReadBatch> read_stream(log::Slot slot, std::string_view key, Version from,
                                       std::size_t bytes_max) override {
        return log_.read_stream(slot, key, from, bytes_max);
    }
    WatchId watch(Advanced advanced) override { return log_.watch(std::move(advanced)); }
    void unwatch(WatchId watch) override { log_.unwatch(watch); }
    void stop(Step stopped) override { log_.stop(std::move(stopped)); }

  protected:
    log::EventLog& log_;
};

}  // namespace leftfold::testing
