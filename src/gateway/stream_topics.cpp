#include "stream_topics.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "leftfold/base/murmur2.hpp"
#include "leftfold/http/problem.hpp"
#include "leftfold/http/url.hpp"

#include "problems.hpp"

namespace leftfold::gateway {

namespace {

std::unexpected<http::Response> bad_query(std::string_view detail) {
    return std::unexpected(bad_request("bad-query", "The query cannot be understood", detail));
}

std::unexpected<http::Response> beyond_end() {
    return std::unexpected(http::Problem(409, "position-beyond-end", "The position is beyond the end of the log")
                               .detail("the stream is asked for behind events that this log does not have; begin anew")
                               .response());
}

bool holds(const StreamTopic& topic, std::string_view type) noexcept {
    return std::ranges::find(topic.types, type) != topic.types.end();
}

template <class Range, class Projection>
std::string list_of(const Range& range, Projection projection) {
    std::string list;
    for (const auto& one : range)
        list += (list.empty() ? "" : ", ") + std::string(projection(one));
    return list;
}

}  // namespace

bool Selection::takes_type(std::string_view type) const noexcept {
    return types.empty() || std::ranges::binary_search(types, type);
}

void StreamTopics::add(TopicId topic, std::string aggregate, std::string source, std::span<const EventType> types) {
    const log::TopicDeclaration& declaration = log_.topics()[topic.value()];
    StreamTopic added{.topic = topic,
                      .name = declaration.name,
                      .aggregate = std::move(aggregate),
                      .source = std::move(source),
                      .types = {},
                      .hash = log::topic_hash(declaration.name),
                      .first_slot = SlotIndex(static_cast<std::uint32_t>(slots_.size())),
                      .partition_count = declaration.partition_count};
    for (const EventType& type : types)
        added.types.push_back(type.name);
    for (std::uint32_t partition = 0; partition < declaration.partition_count; ++partition)
        slots_.push_back({{topic, PartitionId(partition)}, topics_.size()});
    topics_.push_back(std::move(added));
}

std::optional<SlotIndex> StreamTopics::find(log::Slot slot) const noexcept {
    const auto found = std::ranges::find(topics_, slot.topic, &StreamTopic::topic);
    if (found == topics_.end())
        return std::nullopt;
    return SlotIndex(found->first_slot.value() + slot.partition.value());
}

OrResponse<StreamTopics::Asked> StreamTopics::asked_of_all(std::string_view query) const {
    const auto parameters = http::parse_query(query);
    if (!parameters)
        return bad_query(parameters.error().message());
    std::vector<const StreamTopic*> topics;
    std::vector<std::string> types;
    std::optional<std::string> key;
    std::optional<std::string> from;
    for (const auto& [name, value] : *parameters) {
        const bool by_name = name == "topic";
        if (by_name || name == "aggregate") {
            const auto found = std::ranges::find_if(
                topics_, [&](const StreamTopic& topic) { return value == (by_name ? topic.name : topic.aggregate); });
            if (found == topics_.end())
                return bad_query(
                    fmt::format("there is no {} '{}'; there are: {}", name, value,
                                list_of(topics_, [&](const auto& one) { return by_name ? one.name : one.aggregate; })));
            topics.push_back(&*found);
        } else if (name == "type") {
            types.push_back(value);
        } else if (name == "key" && !key && is_valid_key(value)) {
            key = value;
        } else if (name == "from" && !from) {
            from = value;
        } else {
            return bad_query(
                fmt::format("'{}={}': known are topic, aggregate and type, any number of times, key and "
                            "from, once each",
                            name, value));
        }
    }
    if (topics.empty())
        for (const StreamTopic& topic : topics_)
            topics.push_back(&topic);
    return select(std::move(topics), std::move(types), std::move(key).value_or(""), std::move(from).value_or(""));
}

OrResponse<StreamTopics::Asked> StreamTopics::asked_of_one(TopicId topic, std::string_view key,
                                                           std::string_view query) const {
    const auto parameters = http::parse_query(query);
    if (!parameters)
        return bad_query(parameters.error().message());
    std::vector<std::string> types;
    std::optional<std::string> from;
    for (const auto& [name, value] : *parameters) {
        if (name == "type")
            types.push_back(value);
        else if (name == "from" && !from)
            from = value;
        else
            return bad_query(fmt::format(
                "'{}={}': a live stream knows type, any number of times, and from, once: now, start or a token", name,
                value));
    }
    const auto found = std::ranges::find(topics_, topic, &StreamTopic::topic);
    return select({&*found}, std::move(types), std::string(key), std::move(from).value_or(""));
}

OrResponse<StreamTopics::Asked> StreamTopics::select(std::vector<const StreamTopic*> topics,
                                                     std::vector<std::string> types, std::string key,
                                                     std::string from) const {
    for (const std::string& type : types)
        if (std::ranges::none_of(topics, [&](const auto* one) { return holds(*one, type); }))
            return bad_query(fmt::format(
                "there is no event type '{}'; there are: {}", type,
                list_of(topics, [](const auto* one) { return fmt::format("{}", fmt::join(one->types, ", ")); })));
    if (!types.empty())  // what holds none of them needs not be looked at
        std::erase_if(topics, [&](const auto* one) {
            return std::ranges::none_of(types, [&](const auto& type) { return holds(*one, type); });
        });
    std::ranges::sort(topics, {}, &StreamTopic::hash);
    const auto repeated = std::ranges::unique(topics);
    topics.erase(repeated.begin(), repeated.end());

    Asked asked;
    for (const StreamTopic* topic : topics) {
        const std::uint32_t first = topic->first_slot.value();
        if (!key.empty()) {
            asked.selection.slots.push_back(SlotIndex(first + partition_of(key, topic->partition_count).value()));
            continue;
        }
        for (std::uint32_t partition = 0; partition < topic->partition_count; ++partition)
            asked.selection.slots.push_back(SlotIndex(first + partition));
    }
    if (asked.selection.slots.size() > log::PositionToken::kEntriesMax)
        return bad_query(fmt::format("these are {} partitions, and one stream can follow {}: choose with topic or type",
                                     asked.selection.slots.size(), log::PositionToken::kEntriesMax));
    std::ranges::sort(types);
    const auto repeated_types = std::ranges::unique(types);
    types.erase(repeated_types.begin(), repeated_types.end());
    asked.selection.types = std::move(types);
    asked.selection.key = std::move(key);
    asked.from = std::move(from);
    return asked;
}

OrResponse<Vector> StreamTopics::begin_of(const http::Request& request, std::string_view from,
                                          const Selection& selection) const {
    const std::string_view last_id = request.header("Last-Event-ID").value_or("");
    std::optional<log::PositionToken> token;
    if (!last_id.empty() || (!from.empty() && from != "now" && from != "start")) {
        auto parsed = token_of(last_id.empty() ? from : last_id);
        if (!parsed)
            return std::unexpected(std::move(parsed).error());
        token = std::move(*parsed);
    }
    const bool now = !token && from != "start";
    Vector vector;
    for (const SlotIndex index : selection.slots) {
        Position position(0);
        if (now) {
            const auto bounds = log_.bounds(slot(index));
            if (!bounds)
                return std::unexpected(problem_of(bounds.error()));
            position = bounds->durable_end;
        } else if (token) {
            const auto entry = token->entries().find({topic_of(index).hash, slot(index).partition});
            if (entry != token->entries().end())
                position = entry->second;
        }
        vector.push_back(position);
    }
    return vector;
}

// Everything that it names of topics known here must be there, selected or not: else it was given out by another log.
OrResponse<log::PositionToken> StreamTopics::token_of(std::string_view text) const {
    auto token = log::PositionToken::parse(text);
    if (!token)
        return std::unexpected(
            bad_request("bad-position", "Where the stream is to begin cannot be understood",
                        fmt::format("{}; from takes now, start or the id of an event", token.error().message())));
    if (token->incarnation() != log_.incarnation())
        return std::unexpected(
            http::Problem(409, "foreign-position", "The position is of another log")
                .detail("the stream is asked for behind events of another incarnation of the log; begin anew")
                .response());
    for (const auto& [entry, position] : token->entries()) {
        const auto topic = std::ranges::find(topics_, entry.first, &StreamTopic::hash);
        if (topic == topics_.end())
            continue;
        if (entry.second.value() >= topic->partition_count)
            return beyond_end();
        const auto bounds = log_.bounds({topic->topic, entry.second});
        if (!bounds)
            return std::unexpected(problem_of(bounds.error()));
        if (position > bounds->durable_end)
            return beyond_end();
    }
    return std::move(*token);
}

void StreamTopics::append_token(std::string& out, const Selection& selection, const Vector& vector) const {
    std::vector<log::PositionEntry> entries;
    entries.reserve(vector.size());
    for (std::size_t i = 0; i < vector.size(); ++i)
        if (vector[i] != Position(0))
            entries.push_back({topic_of(selection.slots[i]).hash, slot(selection.slots[i]).partition, vector[i]});
    log::append_position_token(out, log_.incarnation(), entries);
}

}  // namespace leftfold::gateway
