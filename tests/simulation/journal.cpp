#include "journal.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <set>

#include <fmt/format.h>

namespace leftfold::simulation {

namespace {

using Problem = std::optional<std::string>;

std::int64_t number_in(std::string_view payload, std::string_view name) {
    const std::string field = fmt::format("\"{}\":", name);
    const std::size_t at = payload.find(field);
    return at == std::string_view::npos ? 0 : std::atoll(std::string(payload.substr(at + field.size(), 24)).c_str());
}

StoredEvent stored(const Record& record) {
    StoredEvent event;
    event.type = record.meta.type.substr(record.meta.type.rfind('.') + 1);
    event.tag = number_in(record.payload, "tag");
    event.number = number_in(record.payload, event.type == "opened" ? "limit" : "amount");
    event.version = record.meta.version.value();
    event.id = record.meta.command_id_source == CommandIdSource::client ? record.meta.command_id : "";
    event.time = record.meta.time;
    event.recorded_at = record.meta.recorded_at;
    return event;
}

std::size_t event_count_of(const Ask& ask) {
    if (ask.verb == Verb::look || ask.verb == Verb::read)
        return 0;
    return ask.verb == Verb::open && ask.amount != 0 ? 2 : 1;
}

std::int64_t money_of(const Ask& ask) {
    return ask.verb == Verb::withdraw ? -ask.amount
                                      : (ask.verb == Verb::deposit || ask.verb == Verb::open ? ask.amount : 0);
}

const std::vector<StoredEvent>& stream_of(const Streams& streams, const std::string& key) {
    static const std::vector<StoredEvent> none;
    const auto found = streams.find(key);
    return found == streams.end() ? none : found->second;
}

bool is_answer(const Told& told) {
    return told.kind == Told::Kind::accepted || told.kind == Told::Kind::rejected;
}

}  // namespace

Result<Streams> scan(log::EventLog& log, TopicId topic) {
    Streams streams;
    for (std::uint32_t p = 0; p < log.topics()[topic.value()].partition_count; ++p) {
        Position from;
        for (bool more = true; more;) {
            LEFTFOLD_TRY(batch, log.read({topic, PartitionId(p)}, from));
            for (const Record& record : batch.records())
                streams[std::string(record.meta.key)].push_back(stored(record));
            from = batch.next();
            more = !batch.records().empty();
        }
    }
    return streams;
}

Shadow apply(const Shadow& before, const StoredEvent& event) {
    Shadow now = before;
    now.version = event.version;
    if (event.type == "opened") {
        now.open = true;
        now.limit = event.number;
    } else if (event.type == "deposited") {
        now.balance += event.number;
    } else if (event.type == "withdrawn") {
        now.balance -= event.number;
    } else {
        now.open = false;
        now.closed = true;
    }
    return now;
}

Shadow fold(const std::vector<StoredEvent>& events, std::size_t count) {
    Shadow shadow;
    for (std::size_t i = 0; i < count; ++i)
        shadow = apply(shadow, events[i]);
    return shadow;
}

std::size_t Journal::asked(std::uint32_t client, const Ask& ask) {
    history_.call(client, ask);
    attempts_.push_back({ask, std::nullopt});
    return attempts_.size() - 1;
}

void Journal::told(std::size_t attempt, const Told& told) {
    attempts_[attempt].told = told;
    // Of what failed it is not known whether it took place: for the history it has not returned.
    if (told.kind != Told::Kind::unknown && told.kind != Told::Kind::not_done)
        history_.returned(attempt, told);
}

Problem Journal::check_after_start(const Streams& streams) {
    for (const auto& [key, before] : seen_) {
        const auto& now = stream_of(streams, key);
        if (now.size() < before.size() || !std::equal(before.begin(), before.end(), now.begin()))
            return fmt::format("{}: the {} events of an earlier start are not the first of the {} of now", key,
                               before.size(), now.size());
    }
    seen_ = streams;
    if (auto problem = check_versions_told(streams))
        return problem;
    if (auto problem = check_events(streams))
        return problem;
    return check_acknowledged(streams);
}

Problem Journal::check_at_the_end(const Streams& streams) const {
    if (auto problem = check_answers(streams))
        return problem;
    if (auto problem = check_repeats())
        return problem;
    if (auto problem = check_money(streams))
        return problem;
    return check_order(streams);
}

// Nobody was told of a version that is not there.
Problem Journal::check_versions_told(const Streams& streams) const {
    for (const auto& [ask, told] : attempts_) {
        const auto there = static_cast<std::int64_t>(stream_of(streams, ask.key).size());
        if (told && told->version > there)
            return fmt::format("told of a version that is not there, the stream ends at {}: {} -> {}", there,
                               describe(ask), describe(*told));
    }
    return std::nullopt;
}

// Versions without gaps; every event from a command that was sent, whole and once.
Problem Journal::check_events(const Streams& streams) const {
    std::map<std::int64_t, const Ask*> by_tag;
    for (const auto& attempt : attempts_)
        by_tag.emplace(attempt.ask.tag, &attempt.ask);
    std::set<std::int64_t> tags_seen;
    for (const auto& [key, events] : streams) {
        std::set<std::string> ids_seen;
        for (std::size_t i = 0; i < events.size();) {
            const StoredEvent& first = events[i];
            const auto from = by_tag.find(first.tag);
            if (from == by_tag.end() || from->second->key != key)
                return fmt::format("{}: version {} with tag {} comes from no command", key, first.version, first.tag);
            if (!tags_seen.insert(first.tag).second)
                return fmt::format("{}: events twice, at version {}: {}", key, first.version, describe(*from->second));
            if (!first.id.empty() && !ids_seen.insert(first.id).second)
                return fmt::format("{}: command id '{}' twice", key, first.id);
            for (std::size_t n = event_count_of(*from->second); n > 0; --n, ++i) {
                if (i == events.size() || events[i].tag != first.tag || events[i].id != first.id)
                    return fmt::format("{}: only a part of the events: {}", key, describe(*from->second));
                if (events[i].version != static_cast<std::int64_t>(i + 1))
                    return fmt::format("{}: version {} at place {}", key, events[i].version, i + 1);
            }
        }
    }
    return std::nullopt;
}

Problem Journal::check_acknowledged(const Streams& streams) const {
    std::map<std::int64_t, bool> surely_not_done;
    for (const auto& [ask, told] : attempts_) {
        auto& absent = surely_not_done.emplace(ask.tag, true).first->second;
        absent = absent && told && told->kind == Told::Kind::not_done;
        if (!told || told->kind != Told::Kind::accepted || event_count_of(ask) == 0)
            continue;
        const StoredEvent& last = stream_of(streams, ask.key)[static_cast<std::size_t>(told->version - 1)];
        if (last.tag != ask.tag)
            return fmt::format("acknowledged, but not there: {} -> {}", describe(ask), describe(*told));
    }
    for (const auto& [key, events] : streams)
        for (const StoredEvent& event : events)
            if (surely_not_done[event.tag])
                return fmt::format("{}: version {} is there, though the client was told that nothing was written", key,
                                   event.version);
    return std::nullopt;
}

// What was answered was right at the version that it names.
Problem Journal::check_answers(const Streams& streams) const {
    for (const auto& [ask, told] : attempts_) {
        if (!told)
            continue;
        Problem wrong;
        const Shadow then = fold(stream_of(streams, ask.key), static_cast<std::size_t>(told->version));
        if (told->kind == Told::Kind::rejected && refusal(then, ask) != told->text)
            wrong = refusal(then, ask).value_or("accepted");
        if (told->kind == Told::Kind::state && members(then) != told->text)
            wrong = members(then);
        if (told->kind == Told::Kind::conflict && told->version == ask.expected)
            wrong = "no conflict";
        if (wrong)
            return fmt::format("{} -> {}; right was {}", describe(ask), describe(*told), *wrong);
    }
    return std::nullopt;
}

Problem Journal::check_repeats() const {
    std::map<std::pair<std::string, std::int64_t>, const Attempt*> firsts;
    for (const Attempt& attempt : attempts_) {
        if (attempt.ask.id.empty() || !attempt.told || !is_answer(*attempt.told))
            continue;
        const Attempt* first = firsts.emplace(std::pair(attempt.ask.id, attempt.ask.tag), &attempt).first->second;
        if (!first->told->same_answer(*attempt.told))
            return fmt::format("two answers to one command: {} -> {}, then {}", describe(attempt.ask),
                               describe(*first->told), describe(*attempt.told));
    }
    return std::nullopt;
}

Problem Journal::check_money(const Streams& streams) const {
    std::set<std::int64_t> accepted;
    std::set<std::int64_t> open;
    std::map<std::int64_t, const Ask*> by_tag;
    for (const auto& [ask, told] : attempts_) {
        by_tag.emplace(ask.tag, &ask);
        if (told && told->kind == Told::Kind::accepted)
            accepted.insert(ask.tag);
        else if (!told || told->kind == Told::Kind::unknown)
            open.insert(ask.tag);
    }
    std::int64_t there = 0;
    for (const auto& [key, events] : streams) {
        there += fold(events, events.size()).balance;
        for (const StoredEvent& event : events)
            if (open.contains(event.tag))
                accepted.insert(event.tag);
    }
    std::int64_t expected = 0;
    for (const std::int64_t tag : accepted)
        expected += money_of(*by_tag.at(tag));
    if (there != expected)
        return fmt::format("{} in all purses, {} by what was acknowledged", there, expected);
    return std::nullopt;
}

Problem Journal::check_order(const Streams& streams) const {
    std::set<std::string> once;
    std::set<std::string> repeated;
    for (const Attempt& attempt : attempts_)
        if (!attempt.ask.id.empty() && !once.insert(attempt.ask.id).second)
            repeated.insert(attempt.ask.id);
    const auto result = sim::check_linearizability(PurseModel(std::move(repeated)), explained_history(streams));
    if (result.verdict == sim::Verdict::ok)
        return std::nullopt;
    return fmt::format("linearizability {}: {}", sim::to_string(result.verdict), result.explanation);
}

// What was never answered took place at any time, or never: so many orders that the search would not end. The log knows
// which did and at what version, and that the others left at most the outcome of a refusal.
std::vector<sim::Operation<PurseModel>> Journal::explained_history(const Streams& streams) const {
    std::map<std::int64_t, std::int64_t> versions;  // by tag
    for (const auto& [key, events] : streams)
        for (const StoredEvent& event : events)
            versions[event.tag] = event.version;
    std::set<std::int64_t> explained;  // tags of which it is known which attempt took place
    for (const auto& [ask, told] : attempts_)
        if (told && is_answer(*told) && !told->repeated)
            explained.insert(ask.tag);
    std::vector<sim::Operation<PurseModel>> history;
    for (sim::Operation<PurseModel> operation : history_.operations()) {
        const Ask& ask = operation.input;
        if (!operation.output) {
            // Of several attempts the first stands for all: it leaves the most freedom.
            if (!explained.insert(ask.tag).second)
                continue;
            if (const auto found = versions.find(ask.tag); found != versions.end()) {
                operation.output = Told{.kind = Told::Kind::accepted, .version = found->second};
                operation.returned = std::numeric_limits<std::int64_t>::max();
            } else if (ask.id.empty()) {
                continue;
            } else {
                operation.input.left_no_event = true;
            }
        }
        history.push_back(std::move(operation));
    }
    return history;
}

std::int64_t Journal::version_told(const std::string& key) const {
    std::int64_t version = 0;
    for (const Attempt& attempt : attempts_)
        if (attempt.told && attempt.ask.key == key)
            version = std::max(version, attempt.told->version);
    return version;
}

std::size_t Journal::told_count(Told::Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        attempts_, [kind](const Attempt& attempt) { return attempt.told && attempt.told->kind == kind; }));
}

std::size_t Journal::repeated_count() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        attempts_, [](const Attempt& attempt) { return attempt.told && attempt.told->repeated; }));
}

}  // namespace leftfold::simulation
