#include "command_pump.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "instance_door.hpp"

namespace leftfold::process {

namespace {
constexpr std::size_t kPageRows = 64;
}

void DispatchContext::tell(const std::string& what, const Error& error) const {
    ++statistics.failures;
    if (is_slow(error.code()) && trouble)
        trouble(what, error);
}

CommandPump::CommandPump(const DispatchContext& context, RowKeeper& rows, CommandSender& sender)
    : context_(context),
      rows_(rows),
      sender_(sender),
      attempts_({.in_flight_max = context.options.commands_in_flight_max,
                 .retries_max = context.options.retries_max,
                 .backoff = {context.options.retry_first, context.options.retry_max},
                 .slow_backoff = {context.options.slow_retry_first, context.options.slow_retry_max}}),
      begun_up_to_(context.log.topics()[context.topic.value()].partition_count),
      may_have_more_(begun_up_to_.size(), true),
      retry_(context.env, [this] { go_on(); }) {}

void CommandPump::rows_changed() {
    may_have_more_.assign(may_have_more_.size(), true);
    go_on();
}

void CommandPump::go_on() {
    if (!rows_.is_caught_up())
        return;
    while (const auto place = attempts_.retry(context_.env.clock.monotonic()))
        send_again(*place);
    // Round after round, so that no partition waits for another to run dry.
    for (bool is_any = true; is_any && attempts_.has_room();) {
        is_any = false;
        for (std::size_t i = 0; i < begun_up_to_.size() && attempts_.has_room(); ++i)
            is_any = (may_have_more_[i] && send_next(i)) || is_any;
    }
    if (const auto next = attempts_.next_retry())
        retry_.at(*next);
}

bool CommandPump::send_next(std::size_t partition) {
    const std::size_t room = context_.options.commands_in_flight_max - attempts_.in_flight();
    const std::size_t limit = std::min(kPageRows, room);
    const auto partition_cell = rows::Cell(static_cast<std::int64_t>(partition));
    const std::int64_t from = begun_up_to_[partition].value();
    rows::RowReader* reader = rows_.reader();
    if (reader == nullptr)
        return false;
    auto page = reader->query({.table = kCommands,
                               .filters = {{.column = kCommandPartition,
                                            .low = rows::Bound{partition_cell, true},
                                            .high = rows::Bound{partition_cell, true}},
                                           {.column = kCommandPosition, .low = rows::Bound{from, true}, .high = {}}},
                               .order = kCommandsByPosition,
                               .descending = false,
                               .after = {},
                               .limit = limit});
    if (!page) {
        rows_.read_failed(page.error());
        retry_.after(context_.options.retry_first);
        return false;
    }
    may_have_more_[partition] = page->size() == limit;
    for (rows::Row& cells : *page) {
        CommandRow row = command_row(std::move(cells));
        begun_up_to_[partition] = row.position.next();
        if (!attempts_.has_room()) {
            begun_up_to_[partition] = row.position;
            may_have_more_[partition] = true;
            break;
        }
        attempts_.begin(row.place);
        send(std::move(row));
    }
    return !page->empty();
}

void CommandPump::send_again(const Place& place) {
    rows::RowReader* reader = rows_.reader();
    auto found = reader == nullptr ? Result<std::optional<rows::Row>>(fail(ErrorCode::unavailable, "no rows"))
                                   : reader->get(kCommands, key_of(place));
    if (!found) {
        rows_.read_failed(found.error());
        attempts_.failed(place, found.error(), context_.env.clock.monotonic());
    } else if (!*found) {
        attempts_.ended(place);  // answered by now
    } else {
        send(command_row(std::move(**found)));
    }
}

void CommandPump::send(CommandRow row) {
    row.command.id = context_.model.id_of_command(row.place.instance, row.place.version);
    const auto shared = std::make_shared<const CommandRow>(std::move(row));
    ++context_.statistics.commands_sent;
    sender_.send(shared->command, [this, alive = std::weak_ptr(alive_), shared](Result<Answer> answer) {
        if (!alive.expired())
            answered(shared, std::move(answer));
    });
}

void CommandPump::answered(const std::shared_ptr<const CommandRow>& row, Result<Answer> answer) {
    if (!answer) {
        ended(*row, &answer.error());
        return;
    }
    const std::string json = ProcessModel::answer_json(row->place.version, *answer);
    const std::string id = ProcessModel::id_of_answer(row->place.version);
    deliver(context_.runtime,
            {.instance = row->place.instance,
             .command = context_.model.answer_command(),
             .json = json,
             .id = id,
             .correlation_id = row->command.correlation_id,
             .causation_id = row->command.causation_id,
             .traceparent = row->command.traceparent,
             .actor = row->command.actor,
             .tenant = row->command.tenant},
            [this, alive = std::weak_ptr(alive_), row](const Result<Taken>& taken) {
                if (alive.expired())
                    return;
                if (taken) {
                    ++context_.statistics.answers;
                    context_.statistics.repeats += taken->is_repeat ? 1U : 0U;
                }
                ended(*row, taken ? nullptr : &taken.error());
            });
}

void CommandPump::ended(const CommandRow& row, const Error* error) {
    if (error == nullptr) {
        attempts_.ended(row.place);
    } else {
        attempts_.failed(row.place, *error, context_.env.clock.monotonic());
        context_.tell(fmt::format("command '{}' of {} '{}' to {} '{}'", row.command.command, context_.model.name(),
                                  row.place.instance, row.command.aggregate, row.command.key),
                      *error);
    }
    go_on();
}

}  // namespace leftfold::process
