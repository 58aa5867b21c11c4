// The record of a command that left no event: kept in the companion topic, so that a repeat gets the same answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "leftfold/aggregate/decision.hpp"
#include "leftfold/base/error.hpp"
#include "leftfold/base/strong_id.hpp"

namespace leftfold {

struct Outcome {
    std::optional<Rejection> rejection;  // none: accepted, and nothing happened
    Version version;                     // of the aggregate that the decision saw
};

inline constexpr std::string_view kOutcomeType = "leftfold.command.outcome";

std::string encode_outcome(const Outcome& outcome);
Result<Outcome> decode_outcome(std::string_view json_text);

}  // namespace leftfold
