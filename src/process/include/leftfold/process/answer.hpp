// Answer: how a command that a process sent ended.
//
//   Steps on_answer(const Withdraw& sent, const Answer& answer) const {
//       if (answer.accepted()) …
//       if (answer.rejected("insufficient-funds")) …
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "leftfold/aggregate/decision.hpp"
#include "leftfold/base/strong_id.hpp"

namespace leftfold {

enum class AnswerOutcome : std::uint8_t {
    accepted,
    rejected,  // by the target's decide
    failed,    // for good: the target cannot read such a command, say. It had no effect, and never will
};

struct Answer {
    AnswerOutcome outcome = AnswerOutcome::accepted;
    std::optional<Rejection> rejection = {};  // if rejected
    std::string failure = {};                 // if failed: for people
    Version version = {};                     // of the target, if it decided: after the command, or that it decided on

    bool accepted() const noexcept { return outcome == AnswerOutcome::accepted; }
    bool rejected() const noexcept { return outcome == AnswerOutcome::rejected; }
    bool rejected(std::string_view reason) const noexcept { return rejected() && this->reason() == reason; }
    bool failed() const noexcept { return outcome == AnswerOutcome::failed; }
    // Of a rejection: "insufficient-funds"; else empty.
    std::string_view reason() const noexcept { return rejection ? std::string_view(rejection->reason()) : ""; }

    friend bool operator==(const Answer&, const Answer&) = default;
};

}  // namespace leftfold
