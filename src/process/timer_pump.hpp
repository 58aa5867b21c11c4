// TimerPump: fires the timers whose time has come on the recorded clock. The others are rows; of them it knows the
// next.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "command_pump.hpp"
#include "instance_door.hpp"

namespace leftfold::process {

class TimerPump {
  public:
    // Borrows all.
    TimerPump(const DispatchContext& context, RowKeeper& rows);

    void rows_changed();
    const Attempts& attempts() const noexcept { return attempts_; }

  private:
    void go_on();
    // Looks through the rows by due time, one page in a step, from where it stands.
    void scan();
    void scan_from_the_start();
    void fire_again(const Place& place);
    void fire(const TimerRow& row);
    void ended(const Place& place, const std::string& name, const Result<Taken>& result);
    void wake_at(Timestamp due);

    DispatchContext context_;
    RowKeeper& rows_;
    Attempts attempts_;
    // Those whose rows are still there; they count as in flight until these are folded away.
    std::map<Place, Taken> fired_;
    std::vector<rows::Cell> after_;  // the row that the scan saw last
    bool is_scanning_ = false;
    bool must_scan_again_ = false;   // rows came while it went on
    bool is_short_of_room_ = false;  // there were more that are due
    Alarm alarm_;
    Alarm retry_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace leftfold::process
