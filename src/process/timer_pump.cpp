#include "timer_pump.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace leftfold::process {

namespace {
constexpr std::size_t kPageRows = 64;
}

TimerPump::TimerPump(const DispatchContext& context, RowKeeper& rows)
    : context_(context),
      rows_(rows),
      attempts_({.in_flight_max = context.options.timers_in_flight_max,
                 .retries_max = context.options.retries_max,
                 .backoff = {context.options.retry_first, context.options.retry_max},
                 .slow_backoff = {context.options.slow_retry_first, context.options.slow_retry_max}}),
      alarm_(context.env, [this] { scan_from_the_start(); }),
      retry_(context.env, [this] { go_on(); }) {}

void TimerPump::rows_changed() {
    for (auto at = fired_.begin(); at != fired_.end();) {
        const bool is_folded = at->second.position <= rows_.folded(at->second.partition);
        if (is_folded)
            attempts_.ended(at->first);
        at = is_folded ? fired_.erase(at) : std::next(at);
    }
    scan_from_the_start();
    go_on();
}

void TimerPump::go_on() {
    if (!rows_.is_caught_up())
        return;
    while (const auto place = attempts_.retry(context_.env.clock.monotonic()))
        fire_again(*place);
    if (const auto next = attempts_.next_retry())
        retry_.at(*next);
    // Half of the room at once: what is in flight is passed over anew by each scan.
    if (is_short_of_room_ && attempts_.in_flight() <= context_.options.timers_in_flight_max / 2)
        scan_from_the_start();
}

void TimerPump::scan_from_the_start() {
    if (!rows_.is_caught_up())
        return;
    if (is_scanning_) {
        must_scan_again_ = true;
        return;
    }
    is_scanning_ = true;
    is_short_of_room_ = false;
    must_scan_again_ = false;
    after_.clear();
    scan();
}

void TimerPump::scan() {
    is_scanning_ = false;
    rows::RowReader* reader = rows_.is_caught_up() ? rows_.reader() : nullptr;
    if (reader == nullptr)
        return;
    auto page = reader->query({.table = kTimers,
                               .filters = {},
                               .order = kTimersByDue,
                               .descending = false,
                               .after = after_,
                               .limit = kPageRows});
    if (!page) {
        rows_.read_failed(page.error());
        alarm_.after(context_.options.retry_first);
        return;
    }
    const bool is_last = page->size() < kPageRows;
    for (rows::Row& cells : *page) {
        const TimerRow row = timer_row(std::move(cells));
        after_ = {to_micros(row.due), row.place.instance, row.place.version.value()};
        if (attempts_.find(row.place) != nullptr)
            continue;
        if (row.due > context_.env.clock.now()) {
            wake_at(row.due);
            return;
        }
        if (!attempts_.has_room()) {
            is_short_of_room_ = true;
            return;
        }
        attempts_.begin(row.place);
        fire(row);
    }
    if (is_last && !std::exchange(must_scan_again_, false))
        return;
    if (is_last)
        after_.clear();
    is_scanning_ = true;
    context_.env.scheduler.post([this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired())
            scan();
    });
}

void TimerPump::wake_at(Timestamp due) {
    const Duration left = due - context_.env.clock.now();
    // Civil time may be set ahead meanwhile.
    alarm_.after(std::min(left, context_.options.clock_check_every));
    if (std::exchange(must_scan_again_, false))
        scan_from_the_start();
}

void TimerPump::fire_again(const Place& place) {
    rows::RowReader* reader = rows_.reader();
    auto found = reader == nullptr ? Result<std::optional<rows::Row>>(fail(ErrorCode::unavailable, "no rows"))
                                   : reader->get(kTimers, key_of(place));
    if (!found) {
        rows_.read_failed(found.error());
        attempts_.failed(place, found.error(), context_.env.clock.monotonic());
    } else if (!*found) {
        attempts_.ended(place);  // fired or cancelled by now
    } else {
        fire(timer_row(std::move(**found)));
    }
}

void TimerPump::fire(const TimerRow& row) {
    // Why it was set, for who traces it, stands in the log.
    const log::Slot slot = context_.runtime.slot_of(row.place.instance);
    const auto set = context_.log.read_stream(slot, row.place.instance, row.place.version, 1);
    EventMeta meta;
    std::string event_id;
    if (set && !set->records().empty()) {
        meta = set->records().front().meta;
        event_id = meta.id.to_string();
    }
    const std::string json = ProcessModel::timer_json(row.place.version);
    const std::string id = ProcessModel::id_of_timer(row.place.version);
    deliver(context_.runtime,
            {.instance = row.place.instance,
             .command = context_.model.timer_command(),
             .json = json,
             .id = id,
             .correlation_id = meta.correlation_id,
             .causation_id = event_id,
             .traceparent = meta.traceparent,
             .actor = meta.actor,
             .tenant = meta.tenant},
            [this, alive = std::weak_ptr(alive_), place = row.place, name = row.name](const Result<Taken>& taken) {
                if (!alive.expired())
                    ended(place, name, taken);
            });
}

void TimerPump::ended(const Place& place, const std::string& name, const Result<Taken>& result) {
    if (result) {
        ++context_.statistics.timers_fired;
        context_.statistics.repeats += result->is_repeat ? 1U : 0U;
        fired_.emplace(place, *result);
    } else {
        attempts_.failed(place, result.error(), context_.env.clock.monotonic());
        context_.tell(fmt::format("timer '{}' of {} '{}'", name, context_.model.name(), place.instance),
                      result.error());
    }
    go_on();
}

}  // namespace leftfold::process
