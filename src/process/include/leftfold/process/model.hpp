// ProcessModel: one type of process with its template arguments erased. It is an AggregateModel, so that
// AggregateRuntime runs its instances; its last three commands no route reaches: an event of another stream, the answer
// to a command that it sent, a timer that is due. ProcessDispatcher gives those. Users do not write one:
// typed_process.hpp makes it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "leftfold/aggregate/model.hpp"
#include "leftfold/base/error.hpp"
#include "leftfold/event/record.hpp"
#include "leftfold/process/answer.hpp"

namespace leftfold {

// A kind of command that the process sends.
struct SentCommandType {
    std::string aggregate;  // "account"
    std::string name;       // "withdraw"
    std::string shape;      // of its JSON, as the sender declares it
};

// An event of another stream, on its way to an instance.
struct ProcessInput {
    std::string instance;
    std::string json;  // body of the command
};

class ProcessModel : public AggregateModel {
  public:
    ProcessModel(std::string_view application, std::string_view name);

    const std::string& name() const noexcept final { return name_; }  // "transfer"
    const std::string& topic() const noexcept { return topic_; }      // "bank.transfer"

    virtual std::span<const SentCommandType> sends() const noexcept = 0;
    // Topics of other aggregates whose events it hears: "bank.account".
    virtual std::span<const std::string> input_topics() const noexcept = 0;
    // For which instance an event of such a topic is; none: nothing to do. `user_code`: instance() threw; `corrupt` or
    // `unsupported`: an event that it hears cannot be read.
    virtual Result<std::optional<ProcessInput>> route_input(const Record& record) const = 0;

    // Indexes into commands().
    std::size_t event_command() const noexcept { return commands().size() - 3; }
    std::size_t answer_command() const noexcept { return commands().size() - 2; }
    std::size_t timer_command() const noexcept { return commands().size() - 1; }

    // Ids that every delivery of the same thing has, in every life: no position is in them.
    //
    // Of the command that an instance asked for with the event of this version.
    std::string id_of_command(std::string_view instance, Version version) const;
    // Of what comes in; they are told apart within an instance.
    static std::string id_of_event(std::string_view topic, const EventMeta& meta);
    static std::string id_of_answer(Version request);
    static std::string id_of_timer(Version timer);

    // The bodies of those commands.
    static std::string answer_json(Version request, const Answer& answer);
    static std::string timer_json(Version timer);

  private:
    std::string name_;
    std::string topic_;
};

}  // namespace leftfold
