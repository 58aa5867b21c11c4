// The record of a command that left no event: kept in the companion topic, so that a repeat gets the same answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "leftfold/aggregate/decision.hpp"
#include "leftfold/base/error.hpp"
#include "leftfold/base/strong_id.hpp"
#include "leftfold/base/uuid.hpp"

namespace leftfold {

struct Outcome {
    std::optional<Rejection> rejection;  // none: accepted, and nothing happened
    Version version;                     // of the aggregate that the decision saw
    // The event at that version; nil if there was none. The outcome reaches the disk by itself, perhaps before that
    // event, and a crash in between takes the event away: then the outcome was never told to anybody, and is void.
    Uuid last_event = {};
};

inline constexpr std::string_view kOutcomeType = "leftfold.command.outcome";

std::string encode_outcome(const Outcome& outcome);
Result<Outcome> decode_outcome(std::string_view json_text);

}  // namespace leftfold
