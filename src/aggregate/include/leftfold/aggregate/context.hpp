// What decide and evolve may know beyond their command or event: an optional second parameter.
//
// Both are the same on the first run and on every replay. (When the log recorded an event is not among them: on Kafka
// it is known only after the state has moved on.)
#pragma once

#include <string_view>

#include "leftfold/base/strong_id.hpp"
#include "leftfold/base/time.hpp"
#include "leftfold/base/uuid.hpp"

namespace leftfold {

struct CommandContext {
    std::string_view id;     // of the command
    std::string_view key;    // of the aggregate
    Version version;         // of the aggregate before the command; 0: it does not exist
    Timestamp time;          // when the command was given, or happened, if a trusted source said so
    std::string_view actor;  // who gave it; empty if unknown
};

struct EventContext {
    Uuid id;
    std::string_view key;
    Version version;  // of the aggregate after the event
    Timestamp time;
    std::string_view actor;
};

}  // namespace leftfold
