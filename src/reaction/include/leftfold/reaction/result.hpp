// ReactionResult: how one attempt of a reaction ended.
//
//   co_return leftfold::ReactionResult::done();
//   co_return leftfold::ReactionResult::retry("the printer is out of paper");   // again, with back-off
//   co_return leftfold::ReactionResult::give_up("no such customer");            // a dead letter, at once
//   co_return leftfold::ReactionResult::of(answer);                             // by the answer to an HTTP call
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "leftfold/base/error.hpp"
#include "leftfold/base/time.hpp"
#include "leftfold/http/client.hpp"

namespace leftfold {

enum class ReactionOutcome : std::uint8_t { done, retry, give_up };

class [[nodiscard]] ReactionResult {
  public:
    static ReactionResult done() { return ReactionResult(ReactionOutcome::done, {}, {}); }
    // `error` is for the operator, who sees it with the key that waits. No sooner than `at_least` (and no later than
    // the longest back-off).
    static ReactionResult retry(std::string error, Duration at_least = {}) {
        return ReactionResult(ReactionOutcome::retry, std::move(error), at_least);
    }
    static ReactionResult give_up(std::string error) {
        return ReactionResult(ReactionOutcome::give_up, std::move(error), {});
    }
    // 2xx: done. 408, 425, 429, 5xx and what the network failed at: retry, as late as Retry-After (in seconds) asks.
    // All else will be refused the next time as well: give_up.
    static ReactionResult of(const Result<http::ClientResponse>& answer);

    ReactionOutcome outcome() const noexcept { return outcome_; }
    const std::string& error() const noexcept { return error_; }
    Duration at_least() const noexcept { return at_least_; }

  private:
    ReactionResult(ReactionOutcome outcome, std::string error, Duration at_least) noexcept
        : error_(std::move(error)), at_least_(at_least), outcome_(outcome) {}

    std::string error_;
    Duration at_least_;
    ReactionOutcome outcome_;
};

}  // namespace leftfold
