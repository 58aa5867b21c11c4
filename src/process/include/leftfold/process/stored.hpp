// What a process stores beside its own events: what it asked for, and what came of it. In the same stream, in the same
// append as the decision, under "<application>.<process>.process.command-requested" and so on.
//
// A command or timer is named by the version of the event that asked for it, within its instance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "leftfold/base/strong_id.hpp"
#include "leftfold/event/json_value.hpp"
#include "leftfold/process/answer.hpp"

namespace leftfold::process {

struct CommandRequested {
    static constexpr std::string_view event_name = "process.command-requested";
    std::string aggregate;  // "account"
    std::string key;        // of the target
    std::string command;    // "withdraw"
    json::Value body;
};

struct TimerSet {
    static constexpr std::string_view event_name = "process.timer-set";
    std::string name;
    std::int64_t delay_us = 0;  // due: recorded_at of this event + delay
};

// Also where another timer takes the name.
struct TimerCancelled {
    static constexpr std::string_view event_name = "process.timer-cancelled";
    std::string name;
    std::int64_t timer = 0;
};

struct Answered {
    static constexpr std::string_view event_name = "process.answered";
    std::int64_t request = 0;
    AnswerOutcome outcome = AnswerOutcome::accepted;
    std::optional<std::string> reason;
    std::optional<json::Value> details;
    std::optional<std::string> failure;
    std::optional<std::int64_t> version;  // of the target
};

struct TimerFired {
    static constexpr std::string_view event_name = "process.timer-fired";
    std::string name;
    std::int64_t timer = 0;
};

using StoredEvent = std::variant<CommandRequested, TimerSet, TimerCancelled, Answered, TimerFired>;

Answered answered(Version request, const Answer& answer);

// The commands without an answer and the timers that wait, of one instance: the part of its state that no user writes.
struct OpenRequest {
    std::int64_t version = 0;
    CommandRequested request;
};
struct OpenTimer {
    std::string name;
    std::int64_t version = 0;
};
struct Book {
    std::vector<OpenRequest> requests;  // by version
    std::vector<OpenTimer> timers;

    void apply(const CommandRequested& event, Version version);
    void apply(const TimerSet& event, Version version);
    void apply(const TimerCancelled& event, Version version);
    void apply(const Answered& event, Version version);
    void apply(const TimerFired& event, Version version);

    // nullptr: none is open.
    const CommandRequested* find_request(Version version) const noexcept;
    const OpenTimer* find_timer(Version version) const noexcept;
    const OpenTimer* find_timer(std::string_view name) const noexcept;
};

}  // namespace leftfold::process
