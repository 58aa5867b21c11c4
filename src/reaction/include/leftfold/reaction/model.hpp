// ReactionModel: one reaction with its template arguments erased, so that the runner is compiled once. Users do not
// write one: typed_reaction.hpp makes it from their struct.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "leftfold/env/task.hpp"
#include "leftfold/reaction/context.hpp"
#include "leftfold/reaction/result.hpp"

namespace leftfold {

// Immutable: any thread, but for react().
class ReactionModel {
  public:
    virtual ~ReactionModel() = default;

    virtual const std::string& name() const noexcept = 0;              // "notify-owner": names its folder
    virtual std::span<const std::string> topics() const noexcept = 0;  // "bank.account"
    virtual bool handles(std::string_view type) const noexcept = 0;    // others pass
    // One attempt. May throw: the attempt failed. The model outlives the task.
    virtual Task<ReactionResult> react(std::shared_ptr<const StoredEvent> event, ReactionContext context) const = 0;
};

}  // namespace leftfold
