// The state of an aggregate, now and as of a version or a time.

#include <fmt/format.h>

#include "runtime_impl.hpp"

namespace leftfold {

namespace {

enum class Belongs : std::uint8_t { yes, no, no_more };

// SEMANTICS 9: a version and recorded_at ask for a prefix of the stream; `time` for the events by then, in version
// order.
Belongs belongs(const AsOf& as_of, const EventMeta& meta) {
    if (const auto* version = std::get_if<AsOfVersion>(&as_of))
        return meta.version <= version->version ? Belongs::yes : Belongs::no_more;
    if (const auto* recorded = std::get_if<AsOfRecorded>(&as_of))
        return meta.recorded_at <= recorded->time ? Belongs::yes : Belongs::no_more;
    if (const auto* time = std::get_if<AsOfTime>(&as_of))
        return meta.time <= time->time ? Belongs::yes : Belongs::no;
    return Belongs::yes;
}

// Whether all that was folded belongs to the answer.
bool belongs(const AsOf& as_of, const Snapshot& snapshot) {
    if (const auto* version = std::get_if<AsOfVersion>(&as_of))
        return snapshot.version <= version->version;
    if (const auto* recorded = std::get_if<AsOfRecorded>(&as_of))
        return snapshot.recorded_at <= recorded->time;
    if (const auto* time = std::get_if<AsOfTime>(&as_of))
        return snapshot.time_max <= time->time;
    return true;
}

}  // namespace

struct AggregateRuntime::Impl::HistoryRead {
    std::string key;
    log::Slot slot;
    AsOf as_of;
    std::unique_ptr<AggregateInstance> state;
    Version read;    // up to here
    Version folded;  // the last that belonged
    StateDone done;
};

void AggregateRuntime::Impl::read(std::string_view key, AsOf as_of, StateDone done) {
    if (std::holds_alternative<std::monostate>(as_of)) {
        read_current(key, std::move(done));
        return;
    }
    auto history = std::make_unique<HistoryRead>();
    history->key = key;
    history->slot = slot_of(key);
    history->as_of = as_of;
    history->state = model_.initial();
    history->done = std::move(done);
    const auto head = snapshots_ ? log_.stream_head(history->slot, key) : log::StreamHead{};
    if (!head || head->version.value() < options_.snapshot_every) {
        post([this, history = std::move(history)]() mutable { history_step(std::move(history)); });
        return;
    }
    read_snapshot(key, [this, history = std::move(history)](const std::optional<Snapshot>& snapshot) mutable {
        if (snapshot && belongs(history->as_of, *snapshot) &&
            restore(*snapshot, history->slot, history->key, *history->state))
            history->read = history->folded = snapshot->version;
        history_step(std::move(history));
    });
}

void AggregateRuntime::Impl::read_current(std::string_view key, StateDone done) {
    auto found = find_hot(key);
    if (!found) {
        answer_later(std::move(done), std::move(found).error());
        return;
    }
    if (*found == nullptr) {
        const log::Slot slot = slot_of(key);
        const auto head = log_.stream_head(slot, key);
        if (!head) {
            answer_later(std::move(done), head.error());
            return;
        }
        if (head->version == Version(0)) {
            answer_absent(slot, key, std::move(done));
            return;
        }
        load(key, slot, head->version);
    }
    HotAggregate& aggregate = *hot_.find(key);
    if (aggregate.phase == HotAggregate::Phase::ready) {
        answer_state(aggregate, std::move(done));
        return;
    }
    aggregate.waiting.push_back([this, done = std::move(done)](HotAggregate& loaded, const Result<>& result) mutable {
        if (result && loaded.phase == HotAggregate::Phase::ready)
            answer_state(loaded, std::move(done));
        else
            answer_later(std::move(done), result ? Error(ErrorCode::unavailable,
                                                         "an append to this aggregate has just failed", Retry::yes)
                                                 : result.error());
    });
}

void AggregateRuntime::Impl::answer_state(HotAggregate& aggregate, StateDone done) {
    if (aggregate.version == Version(0)) {
        answer_absent(aggregate.slot, aggregate.key, std::move(done));
        return;
    }
    StateReply reply{.members = {}, .version = aggregate.version, .slot = aggregate.slot, .position = {}};
    aggregate.state->write_members(reply.members);
    ++aggregate.in_flight;
    log_.barrier(aggregate.slot,
                 [this, &aggregate, reply = std::move(reply), done = std::move(done)](Result<> durable) mutable {
                     release(aggregate);
                     if (!durable) {
                         answer_later(std::move(done), std::move(durable).error());  // as finish() does
                         return;
                     }
                     if (const auto bounds = log_.bounds(reply.slot))
                         reply.position = bounds->durable_end;
                     done(std::move(reply));
                 });
}

void AggregateRuntime::Impl::answer_absent(log::Slot slot, std::string_view key, StateDone done) {
    log_.barrier(slot, [this, message = fmt::format("there is no {} '{}'", model_.name(), key),
                        done = std::move(done)](Result<> durable) mutable {
        if (durable)
            done(fail(ErrorCode::not_found, std::move(message)));
        else
            answer_later(std::move(done), std::move(durable).error());
    });
}

void AggregateRuntime::Impl::history_step(std::unique_ptr<HistoryRead> history) {
    const auto batch = log_.read_stream(history->slot, history->key, history->read.next(), options_.bytes_per_turn);
    if (!batch) {
        history->done(std::unexpected(batch.error()));
        return;
    }
    bool more = !batch->records().empty();
    for (const Record& record : batch->records()) {
        const Belongs answer = belongs(history->as_of, record.meta);
        if (answer == Belongs::no_more) {
            more = false;
            break;
        }
        history->read = record.meta.version;
        if (answer == Belongs::no)
            continue;
        if (auto applied = history->state->apply(record); !applied) {
            history->done(std::unexpected(std::move(applied).error()));
            return;
        }
        history->folded = record.meta.version;
    }
    if (more) {
        post([this, history = std::move(history)]() mutable { history_step(std::move(history)); });
        return;
    }
    const auto* asked = std::get_if<AsOfVersion>(&history->as_of);
    if (asked != nullptr && history->folded != Version(0) && history->folded < asked->version) {
        history->done(fail(ErrorCode::not_found, fmt::format("{} '{}' is at version {}", model_.name(), history->key,
                                                             history->folded.value())));
        return;
    }
    if (history->folded == Version(0)) {
        history->done(fail(ErrorCode::not_found,
                           fmt::format("there is no {} '{}', or was none then", model_.name(), history->key)));
        return;
    }
    StateReply reply{.members = {},
                     .version = history->folded,
                     .slot = history->slot,
                     .position = log_.bounds(history->slot)->durable_end};
    history->state->write_members(reply.members);
    history->done(std::move(reply));
}

}  // namespace leftfold
