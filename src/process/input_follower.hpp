// InputFollower: gives the events of one partition of another stream to the instances that they are for. To one
// instance in their order, one after the other; to different ones at once, within a window. What is before the first
// that is not taken yet is the position that the rows keep.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>

#include "command_pump.hpp"
#include "instance_door.hpp"

namespace leftfold::process {

class InputFollower {
  public:
    // Borrows all.
    InputFollower(const DispatchContext& context, RowKeeper& rows, std::string topic, log::Slot slot);

    // From where the rows say; once they are there.
    void start();
    bool is_started() const noexcept { return is_started_; }
    // The log has more, perhaps.
    void go_on();
    log::Slot slot() const noexcept { return slot_; }
    InputProgress progress() const;

  private:
    struct Input {
        std::uint64_t number;
        Position next;  // behind it, and behind what follows and is for nobody
        std::string instance;
        std::string json;
        std::string id;
        std::string event_id;
        std::string correlation_id;
        std::string traceparent;
        std::string actor;
        std::string tenant;
        Timestamp time;
        enum class Phase : std::uint8_t { waiting, in_flight, failed, taken } phase = Phase::waiting;
        std::uint32_t failures = 0;
        MonotonicTime retry_at = {};  // if failed
    };

    bool has_room() const noexcept;
    void try_again();
    Backoff backoff_for(const Error& error) const noexcept;
    void read();
    void add(const Record& record, ProcessInput input);
    void give(Input& input);
    void ended(std::uint64_t number, const Result<Taken>& result);
    void give_next_of(const std::string& instance);
    void take();
    void stalled(const Error& error);

    DispatchContext context_;
    RowKeeper& rows_;
    const std::string topic_;
    const log::Slot slot_;
    bool is_started_ = false;
    bool is_reading_ = false;  // a step will
    Position read_up_to_;
    Position taken_up_to_;
    std::deque<Input> window_;
    std::size_t window_bytes_ = 0;
    std::set<std::string> busy_;  // instances with one in flight, or failed
    std::uint64_t next_number_ = 0;
    std::uint32_t read_failures_ = 0;
    MonotonicTime read_again_at_ = {};
    std::string last_error_;
    Alarm retry_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace leftfold::process
