#include "leftfold/process/stored.hpp"

#include <algorithm>

namespace leftfold::process {

Answered answered(Version request, const Answer& answer) {
    Answered event;
    event.request = request.value();
    event.outcome = answer.outcome;
    if (answer.rejection) {
        event.reason = answer.rejection->reason();
        // A rejection gathers its details as members of an object; they are well-formed.
        if (auto details = json::Value::parse("{" + answer.rejection->details() + "}");
            details && !answer.rejection->details().empty())
            event.details = *std::move(details);
    }
    if (answer.failed())
        event.failure = answer.failure;
    if (answer.version != Version(0))
        event.version = answer.version.value();
    return event;
}

void Book::apply(const CommandRequested& event, Version version) {
    requests.push_back({version.value(), event});
}

void Book::apply(const TimerSet& event, Version version) {
    timers.push_back({event.name, version.value()});
}

void Book::apply(const TimerCancelled& event, Version) {
    std::erase_if(timers, [&](const OpenTimer& timer) { return timer.version == event.timer; });
}

void Book::apply(const Answered& event, Version) {
    std::erase_if(requests, [&](const OpenRequest& request) { return request.version == event.request; });
}

void Book::apply(const TimerFired& event, Version) {
    std::erase_if(timers, [&](const OpenTimer& timer) { return timer.version == event.timer; });
}

const CommandRequested* Book::find_request(Version version) const noexcept {
    const auto found = std::ranges::find(requests, version.value(), &OpenRequest::version);
    return found == requests.end() ? nullptr : &found->request;
}

const OpenTimer* Book::find_timer(Version version) const noexcept {
    const auto found = std::ranges::find(timers, version.value(), &OpenTimer::version);
    return found == timers.end() ? nullptr : &*found;
}

const OpenTimer* Book::find_timer(std::string_view name) const noexcept {
    const auto found = std::ranges::find(timers, name, &OpenTimer::name);
    return found == timers.end() ? nullptr : &*found;
}

}  // namespace leftfold::process
