#include "outcome.hpp"

#include <cstdint>

#include "leftfold/event/json.hpp"

namespace leftfold {

namespace {

// As stored. The details are a text that holds JSON members, so that they come back to the letter.
struct StoredOutcome {
    std::int64_t version = 0;
    std::optional<std::string> last_event;
    std::optional<std::string> rejected;
    std::optional<std::string> details;
};

}  // namespace

std::string encode_outcome(const Outcome& outcome) {
    StoredOutcome stored{outcome.version.value(), std::nullopt, std::nullopt, std::nullopt};
    if (!outcome.last_event.is_nil())
        stored.last_event = outcome.last_event.to_string();
    if (outcome.rejection) {
        stored.rejected = outcome.rejection->reason();
        if (!outcome.rejection->details().empty())
            stored.details = outcome.rejection->details();
    }
    std::string json_text;
    json::write(json_text, stored);
    return json_text;
}

Result<Outcome> decode_outcome(std::string_view json_text) {
    auto stored = json::read<StoredOutcome>(json_text, json::Strictness::lenient);
    if (!stored)
        return fail(ErrorCode::corrupt,
                    "recorded outcome of a command: " + stored.error().path + ": " + stored.error().problem);
    Outcome outcome{std::nullopt, Version(stored->version)};
    if (stored->last_event) {
        const auto last_event = Uuid::parse(*stored->last_event);
        if (!last_event)
            return fail(ErrorCode::corrupt,
                        "recorded outcome of a command: /last_event: " + last_event.error().message());
        outcome.last_event = *last_event;
    }
    if (stored->rejected)
        outcome.rejection = Rejection::recorded(*stored->rejected, stored->details.value_or(""));
    return outcome;
}

}  // namespace leftfold
