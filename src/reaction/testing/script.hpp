// Script: what a reaction of the tests does with each event, and what came of it.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/reaction/typed_reaction.hpp"

#include "testing/journal.hpp"

namespace leftfold::testing {

struct Noted {
    std::int64_t amount = 0;
};
struct Ignored {
    std::int64_t amount = 0;
};
struct BookEvents {
    static constexpr std::string_view aggregate = "book";
    using Event = std::variant<Noted, Ignored>;
};

struct Act {
    enum class End : std::uint8_t { done, retry, give_up, throws, never };
    End end = End::done;
    Duration delay = {};
    Duration at_least = {};
};

struct Script {
    std::function<Act(const Place& place, std::uint32_t attempt)> act = [](const Place&, std::uint32_t) {
        return Act();
    };
    std::function<void(const Place& place, const Uuid& id)> begun = [](const Place&, const Uuid&) {};
    std::function<void(const Place& place)> done = [](const Place&) {};

    std::vector<Place> began;
    std::vector<Place> completed;
    std::size_t under_way = 0;
    std::size_t under_way_max = 0;
    std::size_t cancelled = 0;

    std::vector<std::int64_t> completed_of(const std::string& key) const {
        std::vector<std::int64_t> versions;
        for (const Place& place : completed)
            if (place.first == key)
                versions.push_back(place.second);
        return versions;
    }
};

// Names an attempt that is under way, however it ends.
class UnderWay {
  public:
    explicit UnderWay(Script& script) noexcept : script_(script) {
        script_.under_way_max = std::max(script_.under_way_max, ++script_.under_way);
    }
    ~UnderWay() { --script_.under_way; }
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;

  private:
    Script& script_;
};

struct Probe {
    using Events = ReadsFrom<BookEvents>;

    Script* script = nullptr;

    Task<ReactionResult> on(Noted, ReactionContext context) const {
        Script& told = *script;
        const Place place{std::string(context.meta.key), context.meta.version.value()};
        const UnderWay under_way(told);
        told.began.push_back(place);
        told.begun(place, context.meta.id);
        const Act act = told.act(place, context.attempt);
        if (act.end == Act::End::throws && act.delay == Duration(0))
            throw std::runtime_error("at once");
        const Duration delay = act.end == Act::End::never ? std::chrono::hours(1'000) : act.delay;
        if (delay > Duration(0)) {
            if (const auto slept = co_await context.sleep(delay); !slept) {
                ++told.cancelled;
                co_return ReactionResult::retry("cancelled");
            }
        }
        switch (act.end) {
            case Act::End::done:
            case Act::End::never:
                break;
            case Act::End::retry:
                co_return ReactionResult::retry("later", act.at_least);
            case Act::End::give_up:
                co_return ReactionResult::give_up("never");
            case Act::End::throws:
                throw std::runtime_error("after a while");
        }
        told.completed.push_back(place);
        told.done(place);
        co_return ReactionResult::done();
    }
};

}  // namespace leftfold::testing
