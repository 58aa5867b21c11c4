#include "bank_audit.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "bank_machine.hpp"

namespace leftfold::testing {

namespace {

Result<AuditStreams> streams_of(log::EventLog& log, TopicId topic) {
    AuditStreams streams;
    const log::TopicDeclaration& declared = log.topics()[topic.value()];
    for (std::uint32_t i = 0; i < declared.partition_count; ++i) {
        for (Position next{};;) {
            LEFTFOLD_TRY(batch, log.read({topic, PartitionId(i)}, next));
            if (batch.records().empty())
                break;
            for (const Record& record : batch.records()) {
                auto payload = json::Value::parse(record.payload);
                if (!payload)
                    return fail(ErrorCode::corrupt, payload.error().message());
                streams[std::string(record.meta.key)].push_back(
                    {.type = std::string(record.meta.type.substr(declared.name.size() + 1)),
                     .version = record.meta.version.value(),
                     .recorded_at = record.meta.recorded_at,
                     .payload = *std::move(payload)});
            }
            next = batch.next();
        }
    }
    return streams;
}

const std::vector<AuditEvent>& stream(const AuditStreams& streams, const std::string& key) {
    static const std::vector<AuditEvent> kNone;
    const auto found = streams.find(key);
    return found == streams.end() ? kNone : found->second;
}

int count(const std::vector<AuditEvent>& events, std::string_view type) {
    return static_cast<int>(std::ranges::count(events, type, &AuditEvent::type));
}

const AuditEvent* at_version(const std::vector<AuditEvent>& events, std::int64_t version) {
    const auto found = std::ranges::find(events, version, &AuditEvent::version);
    return found == events.end() ? nullptr : &*found;
}

// The event by which a command for an account shows.
std::string effect_of(std::string_view command) {
    return command == "withdraw" ? "withdrawn" : command == "deposit" ? "deposited" : "refunded";
}

}  // namespace

std::int64_t AuditEvent::number(std::string_view field) const {
    const json::Value* value = payload.find(field);
    return value == nullptr ? 0 : value->integer().value_or(0);
}

std::string AuditEvent::text(std::string_view field) const {
    const json::Value* value = payload.find(field);
    return value == nullptr || value->string() == nullptr ? std::string() : *value->string();
}

Result<Audit> Audit::of(log::EventLog& log) {
    Audit audit;
    LEFTFOLD_TRY(accounts, streams_of(log, BankMachine::kAccounts));
    LEFTFOLD_TRY(transfers, streams_of(log, BankMachine::kTransfers));
    LEFTFOLD_TRY(tallies, streams_of(log, BankMachine::kTallies));
    audit.accounts_ = std::move(accounts);
    audit.transfers_ = std::move(transfers);
    audit.tallies_ = std::move(tallies);
    return audit;
}

Audit::Effects Audit::effects_of(const std::string& transfer) const {
    Effects effects;
    for (const auto& [key, events] : accounts_) {
        for (const AuditEvent& event : events) {
            if (event.text("transfer") != transfer)
                continue;
            effects.withdrawn += event.type == "withdrawn";
            effects.deposited += event.type == "deposited";
            effects.refunded += event.type == "refunded";
            effects.in_transit += event.type == "withdrawn" ? event.number("amount") : -event.number("amount");
        }
    }
    return effects;
}

Problem Audit::check() const {
    for (const auto& [key, events] : transfers_) {
        if (auto problem = check_transfer(key, events))
            return fmt::format("transfer {}: {}", key, *problem);
        if (auto problem = check_timers(key, events))
            return fmt::format("transfer {}: {}", key, *problem);
    }
    // Nobody else gives these commands.
    for (const auto& [key, events] : accounts_) {
        for (const AuditEvent& event : events) {
            const std::string transfer = event.text("transfer");
            if (transfer.empty())
                continue;
            const auto& asked = stream(transfers_, transfer);
            const bool is_asked = std::ranges::any_of(asked, [&](const AuditEvent& request) {
                return request.type == "process.command-requested" && request.text("key") == key &&
                       effect_of(request.text("command")) == event.type;
            });
            if (!is_asked)
                return fmt::format("account {} has a '{}' for transfer {}, which has not asked for it", key, event.type,
                                   transfer);
        }
        if (auto problem = check_tally(key, false))
            return problem;
    }
    return std::nullopt;
}

Problem Audit::check_transfer(const std::string& key, const std::vector<AuditEvent>& events) const {
    const Effects effects = effects_of(key);
    if (effects.withdrawn > 1 || effects.deposited > 1 || effects.refunded > 1)
        return fmt::format("{} withdrawals, {} deposits, {} refunds", effects.withdrawn, effects.deposited,
                           effects.refunded);
    if (effects.deposited + effects.refunded > effects.withdrawn)
        return fmt::format("gave what it has not taken: {} deposits, {} refunds", effects.deposited, effects.refunded);
    std::set<std::int64_t> answered;
    for (const AuditEvent& event : events) {
        if (event.type != "process.answered")
            continue;
        const AuditEvent* request = at_version(events, event.number("request"));
        if (request == nullptr || request->version >= event.version || request->type != "process.command-requested")
            return fmt::format("version {} answers what was not asked", event.version);
        if (!answered.insert(request->version).second)
            return fmt::format("version {} answers version {} again", event.version, request->version);
        if (event.text("outcome") != "accepted")
            continue;
        const auto& account = stream(accounts_, request->text("key"));
        const bool is_there = std::ranges::any_of(account, [&](const AuditEvent& effect) {
            return effect.text("transfer") == key && effect.type == effect_of(request->text("command"));
        });
        if (!is_there)
            return fmt::format("'{}' was accepted, and account {} knows nothing of it", request->text("command"),
                               request->text("key"));
    }
    return std::nullopt;
}

Problem Audit::check_timers(const std::string& key, const std::vector<AuditEvent>& events) const {
    std::set<std::int64_t> ended;
    for (const AuditEvent& event : events) {
        if (event.type != "process.timer-fired" && event.type != "process.timer-cancelled")
            continue;
        const AuditEvent* set = at_version(events, event.number("timer"));
        if (set == nullptr || set->type != "process.timer-set" || set->text("name") != event.text("name"))
            return fmt::format("version {} ends a timer that was not set", event.version);
        if (!ended.insert(set->version).second)
            return fmt::format("version {} ends the timer of version {} again", event.version, set->version);
        const Timestamp due = set->recorded_at + std::chrono::microseconds(set->number("delay_us"));
        if (event.type == "process.timer-fired" && event.recorded_at < due)
            return fmt::format("timer '{}' of {} fired {} us early", event.text("name"), key,
                               (due - event.recorded_at).count());
    }
    return std::nullopt;
}

Problem Audit::check_tally(const std::string& key, bool is_complete) const {
    std::vector<std::int64_t> expected;
    for (const AuditEvent& event : stream(accounts_, key))
        if (event.type == "withdrawn" || (event.type == "deposited" && event.number("amount") % 2 == 0))
            expected.push_back(event.version);
    std::vector<std::int64_t> counted;
    for (const AuditEvent& event : stream(tallies_, key))
        counted.push_back(event.number("version"));
    const bool is_prefix =
        counted.size() <= expected.size() && std::ranges::equal(counted, std::span(expected).first(counted.size()));
    if (!is_prefix || (is_complete && counted.size() != expected.size()))
        return fmt::format("tally of account {}: counted {} of {}, or not in their order", key, counted.size(),
                           expected.size());
    return std::nullopt;
}

Problem Audit::check_at_the_end() const {
    std::int64_t opened = 0;
    std::int64_t balances = 0;
    for (const auto& [key, events] : accounts_) {
        for (const AuditEvent& event : events) {
            const std::int64_t amount = event.number("amount");
            opened += event.type == "opened" ? event.number("balance") : 0;
            balances += event.type == "opened" ? event.number("balance") : event.type == "withdrawn" ? -amount : amount;
        }
        if (auto problem = check_tally(key, true))
            return problem;
    }
    for (const auto& [key, events] : transfers_)
        if (auto problem = check_end_of(key, events))
            return fmt::format("transfer {}: {}", key, *problem);
    if (opened != balances)
        return fmt::format("there were {}, and are {}", opened, balances);
    return std::nullopt;
}

Problem Audit::check_end_of(const std::string& key, const std::vector<AuditEvent>& events) const {
    const int completed = count(events, "completed");
    const int compensated = count(events, "compensated");
    const int refused = count(events, "refused");
    if (count(events, "started") != 1 || completed + compensated + refused != 1)
        return fmt::format("started {} times; {} times completed, {} compensated, {} refused", count(events, "started"),
                           completed, compensated, refused);
    const Effects effects = effects_of(key);
    if (effects.withdrawn != completed + compensated || effects.deposited != completed ||
        effects.refunded != compensated || effects.in_transit != 0)
        return fmt::format("{} withdrawals, {} deposits, {} refunds, and it was {}", effects.withdrawn,
                           effects.deposited, effects.refunded,
                           completed == 1     ? "completed"
                           : compensated == 1 ? "compensated"
                                              : "refused");
    if (count(events, "process.command-requested") != count(events, "process.answered"))
        return "a command has no answer";
    if (count(events, "process.timer-set") !=
        count(events, "process.timer-fired") + count(events, "process.timer-cancelled"))
        return "a timer was lost";
    return std::nullopt;
}

}  // namespace leftfold::testing
