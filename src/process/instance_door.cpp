#include "instance_door.hpp"

#include <utility>

namespace leftfold::process {

void deliver(AggregateRuntime& runtime, const Delivery& delivery, std::move_only_function<void(Result<Taken>)> taken) {
    runtime.handle(
        {.key = delivery.instance,
         .command = delivery.command,
         .json = delivery.json,
         .command_id = delivery.id,
         .time = delivery.time,
         .correlation_id = delivery.correlation_id,
         .causation_id = delivery.causation_id,
         .traceparent = delivery.traceparent,
         .actor = delivery.actor,
         .tenant = delivery.tenant},
        [taken = std::move(taken)](CommandReply reply) mutable {
            if (std::holds_alternative<CommandAccepted>(reply.outcome))
                taken(Taken{reply.slot.partition, reply.position, reply.repeated});
            else if (auto* error = std::get_if<CommandFailed>(&reply.outcome))
                taken(std::unexpected(std::move(error->error)));
            else if (const auto* malformed = std::get_if<CommandMalformed>(&reply.outcome))
                taken(fail(ErrorCode::invalid_argument, malformed->error.message()));
            else
                taken(fail(ErrorCode::invalid_argument, "the instance has taken something else under this id before"));
        });
}

}  // namespace leftfold::process
