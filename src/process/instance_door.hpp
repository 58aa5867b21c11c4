// How something comes to an instance: as a command that no route reaches, with an id that is always the same.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "leftfold/aggregate/runtime.hpp"
#include "leftfold/base/error.hpp"

namespace leftfold::process {

struct Delivery {
    std::string_view instance;
    std::size_t command = 0;
    std::string_view json;
    std::string_view id;
    std::optional<Timestamp> time = {};
    std::string_view correlation_id = {};
    std::string_view causation_id = {};
    std::string_view traceparent = {};
    std::string_view actor = {};
    std::string_view tenant = {};
};

// Behind all that the instance made of it, which is durable.
struct Taken {
    PartitionId partition;
    Position position;
    bool is_repeat = false;
};

// `taken` comes in a later step.
void deliver(AggregateRuntime& runtime, const Delivery& delivery, std::move_only_function<void(Result<Taken>)> taken);

}  // namespace leftfold::process
