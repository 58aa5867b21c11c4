// CommandSender: how the commands of processes reach their targets. LocalSender: to the runtimes of this program.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "leftfold/aggregate/runtime.hpp"
#include "leftfold/env/scheduler.hpp"
#include "leftfold/log/event_log.hpp"
#include "leftfold/process/answer.hpp"

namespace leftfold {

struct OutgoingCommand {
    std::string id;  // the same at every try
    std::string aggregate;
    std::string key;
    std::string command;
    std::string json;
    std::string correlation_id;
    std::string causation_id;
    std::string traceparent;
    std::string actor;
    std::string tenant;
};

// An error: it is not known what became of the command, or somebody must act first; it is sent again. Those that stay
// (`user_code`, `not_found`, `corrupt`, `unsupported`, `invalid_argument`) slowly.
using CommandAnswered = std::move_only_function<void(Result<Answer>)>;

class CommandSender {
  public:
    virtual ~CommandSender() = default;

    // `answered` comes once, in a later step, when the answer is durable at the target; or never, after a stop.
    virtual void send(const OutgoingCommand& command, CommandAnswered answered) = 0;
};

// Borrows everything; the runtimes live as long as it does.
class LocalSender final : public CommandSender {
  public:
    LocalSender(Scheduler& scheduler, log::EventLog& log) noexcept : scheduler_(scheduler), log_(log) {}

    // Under the name of its model.
    void add(AggregateRuntime& runtime);
    // Whether there is such an aggregate with such a command, for clients as well; else why not.
    Result<> check(std::string_view aggregate, std::string_view command) const;

    void send(const OutgoingCommand& command, CommandAnswered answered) override;

  private:
    Scheduler& scheduler_;
    log::EventLog& log_;
    std::map<std::string, AggregateRuntime*, std::less<>> runtimes_;
};

}  // namespace leftfold
