#include "append_oracle.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace leftfold::log {
namespace {

constexpr std::size_t kReadBytes = 3000;
constexpr Position kAbsent{-1};

// "<number>/<index>:<padding>"
bool parse_payload(std::string_view payload, std::size_t& number, std::size_t& index) {
    const char* end = payload.data() + payload.size();
    const auto first = std::from_chars(payload.data(), end, number);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '/')
        return false;
    const auto second = std::from_chars(first.ptr + 1, end, index);
    return second.ec == std::errc() && second.ptr != end && *second.ptr == ':' &&
           std::string_view(second.ptr + 1, end).find_first_not_of('x') == std::string_view::npos;
}

}  // namespace

std::string AppendOracle::payload(std::size_t number, std::size_t index, std::size_t padding) {
    return fmt::format("{}/{}:{}", number, index, std::string(padding, 'x'));
}

void AppendOracle::ended(std::size_t number, const Result<Appended>& result) {
    Append& append = appends_[number];
    if (result) {
        append.state = State::durable;
        append.first_position = result->first_position;
    } else if (result.error().code() == ErrorCode::no_space || result.error().code() == ErrorCode::read_only) {
        append.state = State::gone;
    }
}

std::size_t AppendOracle::durable_count() const {
    return static_cast<std::size_t>(std::ranges::count(appends_, State::durable, &Append::state));
}

std::optional<std::string> AppendOracle::check(EventLog& log, Moment moment) {
    for (std::uint32_t t = 0; t < log.topics().size(); ++t) {
        for (std::uint32_t p = 0; p < log.topics()[t].partition_count; ++p) {
            if (auto problem = check_partition(log, {TopicId(t), PartitionId(p)}, moment))
                return fmt::format("partition {}/{}: {}", t, p, *problem);
        }
    }
    return std::nullopt;
}

std::optional<std::string> AppendOracle::check_partition(EventLog& log, Slot slot, Moment moment) {
    Seen seen;
    seen.positions.assign(appends_.size(), kAbsent);
    const auto bounds = log.bounds(slot);
    if (!bounds)
        return bounds.error().message();
    Position expected(0);
    std::size_t number = 0;
    std::size_t left = 0;  // records of the append `number` still to come
    for (Position from(0);;) {
        const auto batch = log.read(slot, from, kReadBytes);
        if (!batch)
            return batch.error().message();
        if (batch->records().empty())
            break;
        for (const Record& record : batch->records()) {
            if (record.position != expected)
                return fmt::format("position {} follows {}", record.position.value(), expected.value() - 1);
            expected = expected.next();
            if (auto problem = check_record(record, slot, seen, number, left))
                return fmt::format("at position {}: {}", record.position.value(), *problem);
        }
        from = batch->next();
    }
    if (left != 0)
        return fmt::format("append {} ends {} records too early", number, left);
    if (bounds->durable_end != expected)
        return fmt::format("the durable end is {}, the records end at {}", bounds->durable_end.value(),
                           expected.value());
    if (auto problem = check_streams(log, slot, seen))
        return problem;
    return check_appends(log, slot, seen, moment);
}

std::optional<std::string> AppendOracle::check_record(const Record& record, Slot slot, Seen& seen, std::size_t& number,
                                                      std::size_t& left) {
    std::size_t of = 0;
    std::size_t index = 0;
    if (!parse_payload(record.payload, of, index) || of >= appends_.size())
        return fmt::format("a payload that nobody appended: '{}'", record.payload.substr(0, 40));
    const Append& append = appends_[of];
    if (left == 0) {
        number = of;
        left = append.record_count;
        if (seen.positions[of] != kAbsent)
            return fmt::format("append {} a second time", of);
        seen.positions[of] = record.position;
    }
    if (of != number || index != append.record_count - left)
        return fmt::format("record {} of append {} where {} of {} must be", index, of,
                           appends_[number].record_count - left, number);
    --left;
    const Version version(append.first_version.value() + static_cast<std::int64_t>(index));
    if (append.slot != slot || record.meta.key != append.key || record.meta.version != version ||
        record.meta.recorded_at != append.recorded_at || record.meta.command_id != append.command_id)
        return fmt::format("append {} is not as it was accepted (key '{}', version {})", of, record.meta.key,
                           record.meta.version.value());
    std::vector<std::string>& stream = seen.streams[append.key];
    if (record.meta.version.value() != static_cast<std::int64_t>(stream.size()) + 1)
        return fmt::format("stream '{}' has version {} behind {}", append.key, record.meta.version.value(),
                           stream.size());
    stream.emplace_back(record.payload);
    return std::nullopt;
}

std::optional<std::string> AppendOracle::check_streams(EventLog& log, Slot slot, const Seen& seen) {
    for (const auto& [key, payloads] : seen.streams) {
        const auto head = log.stream_head(slot, key);
        if (!head || head->version.value() != static_cast<std::int64_t>(payloads.size()))
            return fmt::format("the head of '{}' is {}, of {} events", key, head ? head->version.value() : -1,
                               payloads.size());
        std::size_t at = 0;
        for (;;) {
            const auto batch = log.read_stream(slot, key, Version(static_cast<std::int64_t>(at) + 1), kReadBytes);
            if (!batch)
                return batch.error().message();
            if (batch->records().empty())
                break;
            for (const Record& record : batch->records()) {
                if (at >= payloads.size() || record.payload != payloads[at] ||
                    record.meta.version.value() != static_cast<std::int64_t>(at) + 1)
                    return fmt::format("reading stream '{}' gives something else at version {}", key, at + 1);
                ++at;
            }
        }
        if (at != payloads.size())
            return fmt::format("reading stream '{}' gives {} of {} events", key, at, payloads.size());
    }
    return std::nullopt;
}

std::optional<std::string> AppendOracle::check_appends(EventLog& log, Slot slot, const Seen& seen, Moment moment) {
    for (std::size_t number = 0; number < appends_.size(); ++number) {
        Append& append = appends_[number];
        if (append.slot != slot)
            continue;
        const bool is_there = seen.positions[number] != kAbsent;
        if (append.state == State::durable && !is_there)
            return fmt::format("append {} was acknowledged and is lost ('{}' from version {})", number, append.key,
                               append.first_version.value());
        if (append.state == State::gone && is_there)
            return fmt::format("append {} came back ('{}' from version {})", number, append.key,
                               append.first_version.value());
        if (is_there && append.first_position && append.first_position != seen.positions[number])
            return fmt::format("append {} moved from position {} to {}", number, append.first_position->value(),
                               seen.positions[number].value());
        const auto found = log.find_command(slot, append.key, append.command_id);
        if (!found)
            return found.error().message();
        if (found->has_value() != is_there)
            return fmt::format("command '{}' is {}, append {} is {}", append.command_id, *found ? "found" : "not found",
                               number, is_there ? "there" : "not");
        if (is_there && (*found)->first_version != append.first_version)
            return fmt::format("command '{}' is found at version {}", append.command_id,
                               (*found)->first_version.value());
        if (is_there) {
            append.state = State::durable;
            append.first_position = seen.positions[number];
        } else if (moment == Moment::opened) {
            append.state = State::gone;
        }
    }
    return std::nullopt;
}

}  // namespace leftfold::log
