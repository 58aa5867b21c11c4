#include "leftfold/aggregate/runtime.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/murmur2.hpp"

#include "runtime_impl.hpp"

namespace leftfold {

namespace {

// What users' code threw, if it did.
template <class Call>
std::optional<std::string> thrown_by(const Call& call) {
    try {
        call();
    } catch (const std::exception& thrown) {
        return thrown.what();
    } catch (...) {
        return "something that is no std::exception";
    }
    return std::nullopt;
}

// An append that was refused at once. `overloaded` means one aggregate here, and the log means a whole partition.
Error of_refused_append(Error error) {
    // Not the client's: the log and this state disagree, and the log is right.
    if (error.code() == ErrorCode::conflict)
        return Error(ErrorCode::unavailable, "nothing was written, the state is read anew: " + error.message(),
                     Retry::yes);
    if (error.code() != ErrorCode::overloaded)
        return error;
    return Error(ErrorCode::unavailable, "nothing was written, the partition is overloaded: " + error.message(),
                 Retry::yes);
}

}  // namespace

OwnedRequest::OwnedRequest(const CommandRequest& request)
    : key(request.key),
      json(request.json),
      command_id(request.command_id),
      correlation_id(request.correlation_id),
      causation_id(request.causation_id),
      traceparent(request.traceparent),
      actor(request.actor),
      tenant(request.tenant),
      command(request.command),
      expected(request.expected),
      time(request.time) {}

CommandRequest OwnedRequest::view() const noexcept {
    return {.key = key,
            .command = command,
            .json = json,
            .command_id = command_id,
            .expected = expected,
            .time = time,
            .correlation_id = correlation_id,
            .causation_id = causation_id,
            .traceparent = traceparent,
            .actor = actor,
            .tenant = tenant};
}

AggregateRuntime::Impl::Impl(const Env& env, log::EventLog& log, const AggregateModel& model, TopicId topic,
                             TopicId outcomes, AggregateOptions options)
    : env_(env),
      log_(log),
      model_(model),
      topic_(topic),
      outcomes_(outcomes),
      partition_count_(log.topics()[topic.value()].partition_count),
      options_(std::move(options)),
      hot_(options_.hot_aggregates_max) {
    LEFTFOLD_ASSERT(log.topics()[outcomes.value()].partition_count == partition_count_);
    if (options_.snapshot_folder.empty() || options_.snapshot_every < 1)
        return;
    const std::string& name = log.topics()[topic.value()].name;
    const auto identity = snapshot_identity(log.incarnation(), name, model.state_shape(), model.snapshot_version());
    if (identity)
        snapshots_ = std::make_unique<SnapshotStore>(env, join_path(options_.snapshot_folder, name), *identity);
}

log::Slot AggregateRuntime::Impl::slot_of(std::string_view key) const noexcept {
    return {topic_, partition_of(key, partition_count_)};
}

// ---------------------------------------------------------------------------------------------------------------------
// Commands

void AggregateRuntime::Impl::handle(const CommandRequest& request, CommandDone done) {
    const log::Slot slot = slot_of(request.key);
    auto command = model_.read_command(request.command, request.json);
    if (!command) {
        deliver_later({.outcome = CommandMalformed{std::move(command).error()}, .slot = slot}, std::move(done));
        return;
    }
    const auto found = find_hot(request.key);
    if (!found) {
        fail_later(std::move(done), slot, found.error());
        return;
    }
    if (*found == nullptr) {
        const auto head = log_.stream_head(slot, request.key);
        if (!head) {
            fail_later(std::move(done), slot, head.error());
            return;
        }
        load(request.key, slot, head->version);
    }
    HotAggregate& aggregate = *hot_.find(request.key);
    if (aggregate.phase == HotAggregate::Phase::ready) {
        execute(aggregate, request, **command, std::move(done));
        return;
    }
    aggregate.waiting.push_back([this, owned = std::make_unique<OwnedRequest>(request), command = std::move(*command),
                                 done = std::move(done)](HotAggregate& loaded, const Result<>& result) mutable {
        if (!result)
            fail_later(std::move(done), loaded.slot, result.error());
        else if (loaded.phase == HotAggregate::Phase::stale)
            fail_later(std::move(done), loaded.slot,
                       Error(ErrorCode::unavailable, "an append to this aggregate has just failed", Retry::yes));
        else
            execute(loaded, owned->view(), *command, std::move(done));
    });
}

void AggregateRuntime::Impl::execute(HotAggregate& aggregate, const CommandRequest& request,
                                     const AggregateCommand& command, CommandDone done) {
    if (!request.command_id.empty() && answer_repeat(aggregate, request, command, done))
        return;
    if (!request.expected.holds_for(aggregate.version)) {
        reply_behind_barrier(aggregate, {.outcome = CommandConflict{aggregate.version}, .slot = aggregate.slot},
                             std::move(done));
        return;
    }

    std::string made_id;
    CommandContext context{.id = request.command_id,
                           .key = aggregate.key,
                           .version = aggregate.version,
                           .time = request.time.value_or(env_.clock.now()),
                           .actor = request.actor};
    if (context.id.empty()) {
        made_id = make_id().to_string();
        context.id = made_id;
    }

    std::expected<std::vector<DecidedEvent>, Rejection> decided;
    if (const auto thrown = thrown_by([&] { decided = aggregate.state->decide(command, context); })) {
        fail_later(std::move(done), aggregate.slot, Error(ErrorCode::user_code, "decide threw: " + *thrown));
        return;
    }
    if (!decided)
        answer_without_events(aggregate, request, command,
                              {std::move(decided).error(), aggregate.version, aggregate.last_event}, std::move(done));
    else if (decided->empty())
        answer_without_events(aggregate, request, command, {std::nullopt, aggregate.version, aggregate.last_event},
                              std::move(done));
    else
        append_events(aggregate, request, command, context, std::move(*decided), std::move(done));
}

void AggregateRuntime::Impl::append_events(HotAggregate& aggregate, const CommandRequest& request,
                                           const AggregateCommand& command, const CommandContext& context,
                                           std::vector<DecidedEvent> events, CommandDone done) {
    contexts_.clear();
    records_.clear();
    Version version = aggregate.version;
    for (const DecidedEvent& event : events) {
        version = version.next();
        Record record;
        record.meta = {
            .id = make_id(),
            .type = event.type,
            .type_version = event.type_version,
            .key = aggregate.key,
            .version = version,
            .time = context.time,
            .recorded_at = {},
            .command_id = context.id,
            .command_id_source = request.command_id.empty() ? CommandIdSource::server : CommandIdSource::client,
            .payload_hash = command.hash(),
            .correlation_id = request.correlation_id.empty() ? context.id : request.correlation_id,
            .causation_id = request.causation_id.empty() ? context.id : request.causation_id,
            .traceparent = request.traceparent,
            .actor = request.actor,
            .tenant = request.tenant};
        record.payload = event.payload;
        records_.push_back(record);
        contexts_.push_back({.id = record.meta.id,
                             .key = aggregate.key,
                             .version = version,
                             .time = context.time,
                             .actor = request.actor});
    }

    // The state moves first: if evolve throws, nothing has been stored yet.
    if (const auto thrown = thrown_by([&] { aggregate.state->apply_decided(contexts_); })) {
        aggregate.phase = HotAggregate::Phase::stale;
        fail_later(std::move(done), aggregate.slot, Error(ErrorCode::user_code, "evolve threw: " + *thrown));
        ++aggregate.in_flight;
        release(aggregate);
        return;
    }

    const Version before = std::exchange(aggregate.version, version);
    aggregate.last_event = contexts_.back().id;
    aggregate.time_max = std::max(aggregate.time_max, context.time);
    const std::shared_ptr<Snapshot> snapshot = snapshot_if_due(aggregate);
    ++aggregate.in_flight;
    log::AppendDone stored = [this, &aggregate, version, snapshot, created = before == Version(0),
                              done = std::move(done)](Result<log::Appended> appended) mutable {
        CommandReply reply{.outcome = CommandAccepted{version, created}, .slot = aggregate.slot};
        if (appended) {
            reply.position = appended->last_position.next();
            if (snapshot)
                snapshots_->write(aggregate.key, std::move(*snapshot));
        } else {
            aggregate.phase = HotAggregate::Phase::stale;
            reply.outcome = CommandFailed{std::move(appended).error()};
        }
        finish(aggregate, std::move(reply), std::move(done));
    };
    auto accepted = log_.append({.slot = aggregate.slot,
                                 .key = aggregate.key,
                                 .expected = log::ExpectedVersion::exactly(before),
                                 .records = records_},
                                std::move(stored));
    LEFTFOLD_ASSERT(!accepted || accepted->last_version == version);
    if (accepted) {
        aggregate.recorded_at = accepted->recorded_at;
        if (snapshot)
            snapshot->recorded_at = accepted->recorded_at;
    } else {
        aggregate.phase = HotAggregate::Phase::stale;
        // NOLINTNEXTLINE(bugprone-use-after-move): append() moves from it only if it was accepted
        post([stored = std::move(stored), error = of_refused_append(std::move(accepted).error())]() mutable {
            stored(std::unexpected(std::move(error)));
        });
    }
}

void AggregateRuntime::Impl::answer_without_events(HotAggregate& aggregate, const CommandRequest& request,
                                                   const AggregateCommand& command, Outcome outcome, CommandDone done) {
    CommandReply reply{.outcome = CommandAccepted{outcome.version, false}, .slot = aggregate.slot};
    if (outcome.rejection)
        reply.outcome = CommandRejected{*outcome.rejection, outcome.version};
    if (request.command_id.empty()) {
        reply_behind_barrier(aggregate, std::move(reply), std::move(done));
        return;
    }

    const log::Slot slot = aggregate.slot;
    const std::string payload = encode_outcome(outcome);
    const Timestamp now = env_.clock.now();
    Record record;
    record.meta.id = make_id();
    record.meta.type = kOutcomeType;
    record.meta.key = aggregate.key;
    record.meta.time = now;
    record.meta.command_id = request.command_id;
    record.meta.command_id_source = CommandIdSource::client;
    record.meta.payload_hash = command.hash();
    record.meta.actor = request.actor;
    record.meta.tenant = request.tenant;
    record.payload = payload;

    ++aggregate.in_flight;
    const std::uint64_t join =
        begin_join([this, &aggregate, reply = std::move(reply), done = std::move(done)](Result<> durable) mutable {
            if (!durable)
                reply.outcome = CommandFailed{std::move(durable).error()};
            finish(aggregate, std::move(reply), std::move(done));
        });
    log_.barrier(slot, [this, join](Result<> durable) { end_join(join, std::move(durable)); });
    const auto accepted = log_.append({.slot = outcomes_slot_of(slot), .key = aggregate.key, .records = {&record, 1}},
                                      [this, join](Result<log::Appended> appended) {
                                          end_join(join, appended ? Result<>() : std::unexpected(appended.error()));
                                      });
    if (!accepted)
        post([this, join, error = of_refused_append(accepted.error())] { end_join(join, std::unexpected(error)); });
}

// ---------------------------------------------------------------------------------------------------------------------
// Replies

void AggregateRuntime::Impl::reply_behind_barrier(HotAggregate& aggregate, CommandReply reply, CommandDone done) {
    ++aggregate.in_flight;
    log_.barrier(aggregate.slot,
                 [this, &aggregate, reply = std::move(reply), done = std::move(done)](Result<> durable) mutable {
                     if (!durable)
                         reply.outcome = CommandFailed{std::move(durable).error()};
                     finish(aggregate, std::move(reply), std::move(done));
                 });
}

void AggregateRuntime::Impl::finish(HotAggregate& aggregate, CommandReply reply, CommandDone done) {
    release(aggregate);
    // A failed append takes others down with it, of aggregates that are told in the same turn. Who hears of it may send
    // another command at once, and that must not meet a state that is about to be thrown away.
    if (std::holds_alternative<CommandFailed>(reply.outcome)) {
        deliver_later(std::move(reply), std::move(done));
        return;
    }
    if (reply.position == Position())
        if (const auto bounds = log_.bounds(reply.slot))
            reply.position = bounds->durable_end;
    done(std::move(reply));
}

void AggregateRuntime::Impl::fail_later(CommandDone done, log::Slot slot, Error error) {
    deliver_later({.outcome = CommandFailed{std::move(error)}, .slot = slot}, std::move(done));
}

void AggregateRuntime::Impl::deliver_later(CommandReply reply, CommandDone done) {
    post([reply = std::move(reply), done = std::move(done)]() mutable { done(std::move(reply)); });
}

void AggregateRuntime::Impl::answer_later(StateDone done, Error error) {
    post([error = std::move(error), done = std::move(done)]() mutable { done(std::unexpected(std::move(error))); });
}

void AggregateRuntime::Impl::post(Step step) {
    env_.scheduler.post([self = weak_from_this(), step = std::move(step)]() mutable {
        if (const auto runtime = self.lock())
            step();
    });
}

Uuid AggregateRuntime::Impl::make_id() {
    // One after the other: the order in which arguments are evaluated differs between compilers.
    const std::uint64_t high = env_.random.next();
    const std::uint64_t low = env_.random.next();
    return Uuid::v7(env_.clock.now(), high, low);
}

std::uint64_t AggregateRuntime::Impl::begin_join(log::BarrierDone done) {
    const std::uint64_t join = next_join_++;
    joins_.emplace(join, Join{.waiting = 2, .result = {}, .done = std::move(done)});
    return join;
}

void AggregateRuntime::Impl::end_join(std::uint64_t join, Result<> result) {
    const auto found = joins_.find(join);
    LEFTFOLD_ASSERT(found != joins_.end());
    if (!result && found->second.result)
        found->second.result = std::move(result);
    if (--found->second.waiting > 0)
        return;
    Join ended = std::move(found->second);
    joins_.erase(found);
    ended.done(std::move(ended.result));
}

// ---------------------------------------------------------------------------------------------------------------------

AggregateRuntime::AggregateRuntime(const Env& env, log::EventLog& log, const AggregateModel& model, TopicId topic,
                                   TopicId outcomes, AggregateOptions options)
    : impl_(std::make_shared<Impl>(env, log, model, topic, outcomes, std::move(options))) {}

AggregateRuntime::~AggregateRuntime() = default;

const AggregateModel& AggregateRuntime::model() const noexcept {
    return impl_->model_;
}

log::Slot AggregateRuntime::slot_of(std::string_view key) const noexcept {
    return impl_->slot_of(key);
}

void AggregateRuntime::handle(const CommandRequest& request, CommandDone done) {
    impl_->handle(request, std::move(done));
}

void AggregateRuntime::read(std::string_view key, AsOf as_of, StateDone done) {
    impl_->read(key, as_of, std::move(done));
}

const AggregateStatistics& AggregateRuntime::statistics() const noexcept {
    impl_->statistics_.hot = impl_->hot_size();
    return impl_->statistics_;
}

std::string outcomes_topic_name(std::string_view application, std::string_view aggregate) {
    return topic_name(application, aggregate) + ".outcomes";
}

}  // namespace leftfold
