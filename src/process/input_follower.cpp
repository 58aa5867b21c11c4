#include "input_follower.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold::process {

InputFollower::InputFollower(const DispatchContext& context, RowKeeper& rows, std::string topic, log::Slot slot)
    : context_(context), rows_(rows), topic_(std::move(topic)), slot_(slot), retry_(context.env, [this] {
          try_again();
      }) {}

bool InputFollower::has_room() const noexcept {
    return window_.size() < context_.options.inputs_in_flight_max && window_bytes_ < context_.options.batch_bytes_max;
}

void InputFollower::try_again() {
    const MonotonicTime now = context_.env.clock.monotonic();
    for (Input& input : window_) {
        if (input.phase != Input::Phase::failed)
            continue;
        if (input.retry_at <= now)
            give(input);
        else
            retry_.at(input.retry_at);
    }
    if (read_again_at_ > now)
        retry_.at(read_again_at_);
    else
        go_on();
}

Backoff InputFollower::backoff_for(const Error& error) const noexcept {
    const ProcessOptions& options = context_.options;
    return is_slow(error.code()) ? Backoff{options.slow_retry_first, options.slow_retry_max}
                                 : Backoff{options.retry_first, options.retry_max};
}

void InputFollower::start() {
    is_started_ = true;
    taken_up_to_ = read_up_to_ = rows_.taken_up_to(topic_, slot_.partition).value_or(Position());
    go_on();
}

InputProgress InputFollower::progress() const {
    const auto bounds = context_.log.bounds(slot_);
    return {.topic = topic_,
            .partition = slot_.partition,
            .position = taken_up_to_,
            .durable_end = bounds ? bounds->durable_end : taken_up_to_,
            .last_error = last_error_};
}

void InputFollower::go_on() {
    if (!is_started_ || is_reading_ || !has_room() || read_again_at_ > context_.env.clock.monotonic())
        return;
    const auto bounds = context_.log.bounds(slot_);
    if (bounds && read_up_to_ >= bounds->durable_end)
        return;
    is_reading_ = true;
    context_.env.scheduler.post([this, alive = std::weak_ptr(alive_)] {
        if (alive.expired())
            return;
        is_reading_ = false;
        read();
    });
}

// One batch; what does not fit into the window is read again.
void InputFollower::read() {
    const auto batch = context_.log.read(slot_, read_up_to_, context_.options.batch_bytes_max);
    if (!batch) {
        stalled(batch.error());
        return;
    }
    Position next = batch->next();
    for (const Record& record : batch->records()) {
        if (!has_room()) {
            next = record.position;
            break;
        }
        auto input = context_.model.route_input(record);
        if (!input) {
            read_up_to_ = record.position;
            take();
            stalled(input.error());
            return;
        }
        if (*input)
            add(record, **std::move(input));
        else if (!window_.empty())
            window_.back().next = record.position.next();
    }
    if (!window_.empty())
        window_.back().next = std::max(window_.back().next, next);
    read_up_to_ = next;
    read_failures_ = 0;
    take();
    go_on();
}

void InputFollower::stalled(const Error& error) {
    last_error_ = error.message();
    context_.tell(fmt::format("events of {} for {}", topic_, context_.model.name()), error);
    read_again_at_ = context_.env.clock.monotonic() + backoff_for(error).after(++read_failures_);
    retry_.at(read_again_at_);
}

void InputFollower::add(const Record& record, ProcessInput input) {
    const EventMeta& meta = record.meta;
    window_.push_back({.number = next_number_++,
                       .next = record.position.next(),
                       .instance = std::move(input.instance),
                       .json = std::move(input.json),
                       .id = ProcessModel::id_of_event(topic_, meta),
                       .event_id = meta.id.to_string(),
                       .correlation_id = std::string(meta.correlation_id),
                       .traceparent = std::string(meta.traceparent),
                       .actor = std::string(meta.actor),
                       .tenant = std::string(meta.tenant),
                       .time = meta.time});
    window_bytes_ += window_.back().json.size();
    if (!busy_.contains(window_.back().instance))
        give(window_.back());
}

void InputFollower::give(Input& input) {
    input.phase = Input::Phase::in_flight;
    busy_.insert(input.instance);
    deliver(context_.runtime,
            {.instance = input.instance,
             .command = context_.model.event_command(),
             .json = input.json,
             .id = input.id,
             .time = input.time,
             .correlation_id = input.correlation_id,
             .causation_id = input.event_id,
             .traceparent = input.traceparent,
             .actor = input.actor,
             .tenant = input.tenant},
            [this, alive = std::weak_ptr(alive_), number = input.number](const Result<Taken>& taken) {
                if (!alive.expired())
                    ended(number, taken);
            });
}

void InputFollower::ended(std::uint64_t number, const Result<Taken>& result) {
    LEFTFOLD_ASSERT(!window_.empty() && number >= window_.front().number);
    Input& input = window_[number - window_.front().number];
    if (!result) {
        const Error& error = result.error();
        input.phase = Input::Phase::failed;
        last_error_ = error.message();
        context_.tell(fmt::format("event {} for {} '{}'", input.id, context_.model.name(), input.instance), error);
        input.retry_at = context_.env.clock.monotonic() + backoff_for(error).after(++input.failures);
        retry_.at(input.retry_at);
        return;
    }
    ++context_.statistics.inputs;
    context_.statistics.repeats += result->is_repeat ? 1U : 0U;
    input.phase = Input::Phase::taken;
    busy_.erase(input.instance);
    give_next_of(std::string(input.instance));
    take();
    go_on();
}

void InputFollower::give_next_of(const std::string& instance) {
    const auto next = std::ranges::find_if(window_, [&](const Input& input) {
        return input.phase == Input::Phase::waiting && input.instance == instance;
    });
    if (next != window_.end())
        give(*next);
}

void InputFollower::take() {
    Position taken = taken_up_to_;
    while (!window_.empty() && window_.front().phase == Input::Phase::taken) {
        taken = window_.front().next;
        window_bytes_ -= window_.front().json.size();
        window_.pop_front();
    }
    if (window_.empty()) {
        taken = read_up_to_;
        if (read_failures_ == 0)
            last_error_.clear();
    }
    if (taken == taken_up_to_)
        return;
    taken_up_to_ = taken;
    rows_.take_up_to(topic_, slot_.partition, taken);
}

}  // namespace leftfold::process
