// The rows of a dispatcher: commands without an answer and timers that wait, as a projection of the process's topic.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "leftfold/event/event_codec.hpp"
#include "leftfold/process/dispatcher.hpp"
#include "leftfold/process/stored.hpp"
#include "leftfold/projection/model.hpp"

namespace leftfold::process {

inline constexpr rows::TableId kCommands(0);
inline constexpr rows::TableId kTimers(1);
inline constexpr rows::IndexId kCommandsByPosition(0);
inline constexpr rows::IndexId kTimersByDue(0);

// Columns of both begin with instance and version, which are the key.
inline constexpr std::uint32_t kInstance = 0;
inline constexpr std::uint32_t kCommandPartition = 2;
inline constexpr std::uint32_t kCommandPosition = 3;
inline constexpr std::uint32_t kTimerDue = 3;

// The event that asked for a command or timer.
struct Place {
    std::string instance;
    Version version;

    friend auto operator<=>(const Place&, const Place&) = default;
};

struct CommandRow {
    Place place;
    Position position;
    Timestamp requested_at;
    OutgoingCommand command;  // but for its id
};
struct TimerRow {
    Place place;
    std::string name;
    Timestamp due;
};

std::vector<rows::Cell> key_of(const Place& place);
CommandRow command_row(rows::Row&& row);
TimerRow timer_row(rows::Row&& row);

class DispatchProjection final : public ProjectionModel {
  public:
    // `topic` and partitions of the process; the model is borrowed.
    DispatchProjection(const ProcessModel& model, std::uint32_t partition_count);

    const std::string& name() const noexcept override { return model_.name(); }
    const rows::Schema& schema() const noexcept override { return schema_; }
    const std::string& shape() const noexcept override { return shape_; }
    std::span<const std::string> topics() const noexcept override { return topics_; }
    std::unique_ptr<ProjectionFold> fold_into(rows::RowStore& store) const override;

  private:
    const ProcessModel& model_;
    const std::uint32_t partition_count_;
    rows::Schema schema_;
    std::string shape_;
    std::vector<std::string> topics_;
};

}  // namespace leftfold::process
