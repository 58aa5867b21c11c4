// Notes: events that a service takes from others.
#pragma once

#include <string>
#include <variant>

#include "leftfold/aggregate/inbox.hpp"

namespace notes {

struct Written {
    std::string text;
    int stars = 0;
};
struct Erased {};
struct Moved {
    std::string to;
    static constexpr std::string_view event_name = "note-moved";
    static constexpr std::uint32_t event_version = 2;
    static void upcast(leftfold::json::Value&, std::uint32_t) {}
};

struct NoteEvents {
    static constexpr std::string_view aggregate = "note";
    using Event = std::variant<Written, Erased, Moved>;
};

}  // namespace notes
