#include "journal.hpp"

#include <fmt/format.h>

namespace leftfold::testing {

namespace {

std::string name(const Place& place) {
    return fmt::format("{}/{}", place.first, place.second);
}

}  // namespace

void Journal::fail(std::string problem) {
    if (!problem_)
        problem_ = std::move(problem);
}

void Journal::tell(std::string_view what, const Place& place) {
    story_ += fmt::format("{} {}\n", what, name(place));
}

void Journal::new_generation() {
    ++generation_;
    story_ += fmt::format("generation {}\n", generation_);
}

void Journal::discard_asked(const Place& place) {
    tell("discard", place);
    discards_asked_.insert(place);
}

void Journal::discard_confirmed(const Place& place) {
    tell("discarded", place);
    discards_told_.insert(place);
}

void Journal::began(const Place& place, const Uuid& id, const std::vector<LoggedEvent>& stream) {
    const auto& [key, version] = place;
    tell("began", place);
    begun_.insert_or_assign(place, id);
    if (static_cast<std::size_t>(version) > stream.size() || stream[static_cast<std::size_t>(version) - 1].id != id) {
        fail(fmt::format("{} began, and the log does not have it", name(place)));
        return;
    }
    for (std::int64_t before = version - 1; before >= 1; --before) {
        if (!stream[static_cast<std::size_t>(before) - 1].is_handled)
            continue;
        const Place previous{key, before};
        if (!is_settled(previous))
            fail(fmt::format("{} began before {} was done or discarded", name(place), name(previous)));
        if (!done_.contains(previous))
            discards_relied_on_.insert(previous);
        break;
    }
    if (discards_told_.contains(place))
        fail(fmt::format("{} began, though its discard was confirmed", name(place)));
    std::int64_t& last = last_begun_[{generation_, key}];
    if (version < last)
        fail(fmt::format("{} began after {}", name(place), name({key, last})));
    last = version;
    if (const auto done = last_done_.find({generation_, key}); done != last_done_.end() && version <= done->second)
        fail(fmt::format("{} began again after {} was done", name(place), name({key, done->second})));
}

void Journal::completed(const Place& place, std::uint64_t generation) {
    const auto& [key, version] = place;
    tell("done", place);
    ++completions_;
    done_.insert(place);
    std::int64_t& last = last_done_[{generation, key}];
    if (version <= last)
        fail(fmt::format("{} was done after {}", name(place), name({key, last})));
    last = version;
}

Problem Journal::check_after_start(const Streams& streams, const std::set<Place>& discarded) const {
    for (const auto& [place, id] : begun_) {
        const auto stream = streams.find(place.first);
        if (stream == streams.end() || static_cast<std::size_t>(place.second) > stream->second.size() ||
            stream->second[static_cast<std::size_t>(place.second) - 1].id != id)
            return fmt::format("{} was reacted to, and was not durable", name(place));
    }
    for (const Place& place : discards_told_)
        if (!discarded.contains(place))
            return fmt::format("the discard of {} was confirmed, and is gone", name(place));
    for (const Place& place : discards_relied_on_)
        if (!discarded.contains(place))
            return fmt::format("what comes behind {} began, and its discard is gone", name(place));
    for (const Place& place : discarded)
        if (!discards_asked_.contains(place))
            return fmt::format("{} is discarded, and nobody asked for it", name(place));
    return std::nullopt;
}

Problem Journal::check_at_rest(const Streams& streams, const std::map<std::string, std::int64_t>& dead,
                               const std::set<Place>& discarded) const {
    for (const auto& [key, stream] : streams) {
        const auto letter = dead.find(key);
        for (std::size_t i = 0; i < stream.size(); ++i) {
            const Place place{key, static_cast<std::int64_t>(i) + 1};
            if (!stream[i].is_handled)
                continue;
            if (letter != dead.end() && place.second >= letter->second)
                break;
            if (!done_.contains(place) && !discarded.contains(place))
                return fmt::format("{} was skipped: neither done nor discarded", name(place));
        }
        if (letter == dead.end())
            continue;
        const auto last = last_begun_.find({generation_, key});
        if (last != last_begun_.end() && last->second > letter->second)
            return fmt::format("{} began, though {} is dead", name({key, last->second}), name({key, letter->second}));
    }
    return std::nullopt;
}

}  // namespace leftfold::testing
