// CommandPump: sends the commands without an answer, and gives the answers to the instances that sent them.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "alarm.hpp"
#include "attempts.hpp"
#include "dispatch_rows.hpp"
#include "row_keeper.hpp"

namespace leftfold::process {

// What the parts of a dispatcher share.
struct DispatchContext {
    Env env;
    log::EventLog& log;
    const ProcessModel& model;
    TopicId topic;
    AggregateRuntime& runtime;
    const ProcessOptions& options;
    ProcessStatistics& statistics;
    ProcessDispatcher::Trouble& trouble;

    // Tells who must act, if somebody must.
    void tell(const std::string& what, const Error& error) const;
};

class CommandPump {
  public:
    // Borrows all.
    CommandPump(const DispatchContext& context, RowKeeper& rows, CommandSender& sender);

    // The rows have changed.
    void rows_changed();
    const Attempts& attempts() const noexcept { return attempts_; }

  private:
    void go_on();
    // False: there are none for now.
    bool send_next(std::size_t partition);
    void send_again(const Place& place);
    void send(CommandRow row);
    void answered(const std::shared_ptr<const CommandRow>& row, Result<Answer> answer);
    void ended(const CommandRow& row, const Error* error);

    DispatchContext context_;
    RowKeeper& rows_;
    CommandSender& sender_;
    Attempts attempts_;
    // Rows come in the order of their positions: all before this one have been begun in this life.
    std::vector<Position> begun_up_to_;
    std::vector<bool> may_have_more_;
    Alarm retry_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace leftfold::process
