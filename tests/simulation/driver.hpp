// Driver: hands the asks of these tests to a runtime, and its replies back as what a client is told.
#pragma once

#include <functional>

#include "leftfold/aggregate/runtime.hpp"

#include "shadow.hpp"

namespace leftfold::simulation {

using ToldDone = std::move_only_function<void(const Told&)>;

void send(AggregateRuntime& runtime, const Ask& ask, ToldDone done);

}  // namespace leftfold::simulation
