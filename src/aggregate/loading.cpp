// How the state of an aggregate comes into memory: from a snapshot, if there is one, and from its stream.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

#include "runtime_impl.hpp"

namespace leftfold {

// In memory, known to be unusable, or nullptr: not in memory.
Result<HotAggregate*> AggregateRuntime::Impl::find_hot(std::string_view key) {
    if (HotAggregate* known = hot_.find(key)) {
        if (known->phase == HotAggregate::Phase::stale)
            return fail(ErrorCode::unavailable, "an append to this aggregate has just failed; its state is read anew",
                        Retry::yes);
        if (known->backlog() >= options_.commands_in_flight_max)
            return fail(ErrorCode::overloaded,
                        fmt::format("{} commands of this aggregate are waiting already", known->backlog()), Retry::yes);
        return known;
    }
    return nullptr;
}

HotAggregate& AggregateRuntime::Impl::load(std::string_view key, log::Slot slot, Version head) {
    HotAggregate& aggregate = hot_.insert(key, slot);
    aggregate.state = model_.initial();
    aggregate.version_to_reach = head;
    if (head == Version(0)) {
        aggregate.phase = HotAggregate::Phase::ready;
        return aggregate;
    }
    ++statistics_.loads;
    if (snapshots_ == nullptr || head.value() < options_.snapshot_every) {
        post([this, name = aggregate.key] { load_step(name); });
        return aggregate;
    }
    read_snapshot(key, [this, name = aggregate.key](const std::optional<Snapshot>& snapshot) {
        HotAggregate& found = *hot_.find(name);
        if (snapshot && snapshot->version <= found.version_to_reach &&
            restore(*snapshot, found.slot, name, *found.state)) {
            found.version = found.snapshot = snapshot->version;
            found.last_event = snapshot->last_event;
            found.time_max = snapshot->time_max;
            found.recorded_at = snapshot->recorded_at;
            ++statistics_.loads_from_snapshot;
        }
        load_step(name);
    });
    return aggregate;
}

// Folds one read's worth of events, then lets others take their turn.
void AggregateRuntime::Impl::load_step(const std::string& key) {
    HotAggregate* aggregate = hot_.find(key);
    LEFTFOLD_ASSERT(aggregate != nullptr && aggregate->phase == HotAggregate::Phase::loading);
    const auto batch = log_.read_stream(aggregate->slot, key, aggregate->version.next(), options_.bytes_per_turn);
    if (!batch) {
        finish_load(*aggregate, std::unexpected(Error(batch.error()).with_context("reading the aggregate's events")));
        return;
    }
    for (const Record& record : batch->records()) {
        if (record.meta.version > aggregate->version_to_reach)
            break;
        if (record.meta.version != aggregate->version.next()) {
            finish_load(*aggregate,
                        fail(ErrorCode::corrupt, fmt::format("version {} of the stream follows version {}",
                                                             record.meta.version.value(), aggregate->version.value())));
            return;
        }
        if (auto applied = aggregate->state->apply(record); !applied) {
            finish_load(*aggregate, applied);
            return;
        }
        aggregate->version = record.meta.version;
        aggregate->last_event = record.meta.id;
        aggregate->time_max = std::max(aggregate->time_max, record.meta.time);
        aggregate->recorded_at = record.meta.recorded_at;
    }
    if (aggregate->version == aggregate->version_to_reach) {
        finish_load(*aggregate, {});
    } else if (batch->records().empty()) {
        finish_load(*aggregate, fail(ErrorCode::corrupt,
                                     fmt::format("the stream ends at version {} of {}", aggregate->version.value(),
                                                 aggregate->version_to_reach.value())));
    } else {
        post([this, key] { load_step(key); });
    }
}

void AggregateRuntime::Impl::finish_load(HotAggregate& aggregate, const Result<>& result) {
    std::vector<HotAggregate::Waiter> waiting = std::move(aggregate.waiting);
    aggregate.waiting.clear();
    // Stays pinned while the waiters run: one of them may insert another aggregate, and that may drop this one.
    ++aggregate.in_flight;
    aggregate.phase = result ? HotAggregate::Phase::ready : HotAggregate::Phase::stale;
    // It was long, and all of it is durable.
    if (const auto snapshot = result ? snapshot_if_due(aggregate) : nullptr)
        snapshots_->write(aggregate.key, std::move(*snapshot));
    for (HotAggregate::Waiter& waiter : waiting)
        waiter(aggregate, result);
    release(aggregate);
}

void AggregateRuntime::Impl::release(HotAggregate& aggregate) {
    LEFTFOLD_ASSERT(aggregate.in_flight > 0);
    if (--aggregate.in_flight != 0)
        return;
    // One that does not exist is not worth a place: else a client could push all others out by asking for names.
    const bool is_nothing = aggregate.phase == HotAggregate::Phase::ready && aggregate.version == Version(0);
    if (aggregate.phase == HotAggregate::Phase::stale || is_nothing)
        hot_.erase(aggregate);
}

void AggregateRuntime::Impl::read_snapshot(std::string_view key, SnapshotStore::ReadDone then) {
    snapshots_->read(key, [self = weak_from_this(), then = std::move(then)](std::optional<Snapshot> snapshot) mutable {
        if (const auto runtime = self.lock())
            then(std::move(snapshot));
    });
}

bool AggregateRuntime::Impl::restore(const Snapshot& snapshot, log::Slot slot, std::string_view key,
                                     AggregateInstance& state) {
    // A log that was put back from a copy may end earlier, or have gone on otherwise.
    const auto batch = log_.read_stream(slot, key, snapshot.version, 1);
    if (!batch || batch->records().empty())
        return false;
    const EventMeta& meta = batch->records().front().meta;
    return meta.version == snapshot.version && meta.id == snapshot.last_event && state.read_state(snapshot.state);
}

std::shared_ptr<Snapshot> AggregateRuntime::Impl::snapshot_if_due(HotAggregate& aggregate) {
    if (snapshots_ == nullptr || aggregate.version.value() - aggregate.snapshot.value() < options_.snapshot_every)
        return nullptr;
    aggregate.snapshot = aggregate.version;  // also if it does not come about: the next attempt is as far away
    auto snapshot = std::make_shared<Snapshot>(Snapshot{.version = aggregate.version,
                                                        .last_event = aggregate.last_event,
                                                        .time_max = aggregate.time_max,
                                                        .recorded_at = aggregate.recorded_at,
                                                        .state = {}});
    try {
        aggregate.state->write_state(snapshot->state);
    } catch (const std::exception&) {
        return nullptr;  // a value without a written form
    }
    return snapshot;
}

}  // namespace leftfold
