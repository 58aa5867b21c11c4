// Inbox: events that others send, kept as they come. A service declares what it takes (app/service.hpp); to the rest of
// the house an inbox is an aggregate without a state, whose commands are its events.
//
//   struct ReviewEvents {
//       static constexpr std::string_view aggregate = "review";
//       using Event = std::variant<Approved, Flagged>;
//   };
#pragma once

#include <cstdint>

#include "leftfold/aggregate/decision.hpp"
#include "leftfold/event/event_stream.hpp"

namespace leftfold {

template <EventStream S>
struct Inbox {
    using Command = typename S::Event;
    using Event = typename S::Event;
    static constexpr std::uint32_t snapshot_version = 1;  // of nothing

    template <class E>
    Decision<Event> decide(const E& event) const {
        return event;
    }
    template <class E>
    void evolve(const E&) {}
};

}  // namespace leftfold
