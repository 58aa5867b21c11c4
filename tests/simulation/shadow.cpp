#include "shadow.hpp"

#include <functional>

#include <fmt/format.h>

#include "purse.hpp"

namespace leftfold::simulation {

namespace {

constexpr const char* kVerbs[] = {"open", "deposit", "withdraw", "close", "look", "read"};
constexpr const char* kKinds[] = {"accepted", "rejected",  "conflict", "id reused",
                                  "state",    "not found", "unknown",  "not done"};

bool expectation_holds(std::int64_t expected, std::int64_t version) {
    return expected == -1 || (expected == -2 ? version > 0 : version == expected);
}

}  // namespace

std::string describe(const Ask& ask) {
    return fmt::format("{} {} tag {} amount {} limit {} id '{}' expected {}", kVerbs[static_cast<int>(ask.verb)],
                       ask.key, ask.tag, ask.amount, ask.limit, ask.id, ask.expected);
}

std::string describe(const Told& told) {
    return fmt::format("{}{} at version {} {}", told.repeated ? "again " : "", kKinds[static_cast<int>(told.kind)],
                       told.version, told.text);
}

std::optional<std::string> refusal(const Shadow& before, const Ask& ask) {
    switch (ask.verb) {
        case Verb::open:
            return before.open || before.closed ? std::optional<std::string>("was-opened{}") : std::nullopt;
        case Verb::deposit:
            if (before.open && before.balance + ask.amount > kPurseHolds)
                return fmt::format("purse-full{{\"balance\":{},\"holds\":{}}}", before.balance, kPurseHolds);
            break;
        case Verb::withdraw:
            if (before.open && before.balance + before.limit < ask.amount)
                return fmt::format("too-little{{\"balance\":{}}}", before.balance);
            break;
        case Verb::close:
            if (before.open && before.balance != 0)
                return fmt::format("not-empty{{\"balance\":{}}}", before.balance);
            break;
        case Verb::look:
        case Verb::read:
            break;
    }
    return before.open ? std::nullopt : std::optional<std::string>("not-open{}");
}

Shadow after(const Shadow& before, const Ask& ask) {
    Shadow now = before;
    switch (ask.verb) {
        case Verb::open:
            now.open = true;
            now.limit = ask.limit;
            now.balance = ask.amount;
            now.version += ask.amount != 0 ? 2 : 1;
            break;
        case Verb::deposit:
            now.balance += ask.amount;
            now.version += 1;
            break;
        case Verb::withdraw:
            now.balance -= ask.amount;
            now.version += 1;
            break;
        case Verb::close:
            now.open = false;
            now.closed = true;
            now.version += 1;
            break;
        case Verb::look:
        case Verb::read:
            break;
    }
    return now;
}

std::string members(const Shadow& shadow) {
    return fmt::format("\"open\":{},\"closed\":{},\"balance\":{},\"limit\":{}", shadow.open, shadow.closed,
                       shadow.balance, shadow.limit);
}

std::optional<PurseModel::State> PurseModel::step(const State& state, const Ask& ask,
                                                  const std::optional<Told>& told) const {
    Told right;
    State next = state;
    if (ask.verb == Verb::read) {
        right.kind = state.shadow.version == 0 ? Told::Kind::not_found : Told::Kind::state;
        right.version = state.shadow.version;
        right.text = state.shadow.version == 0 ? "" : members(state.shadow);
    } else if (const auto known = state.ids.find(ask.id); !ask.id.empty() && known != state.ids.end()) {
        if (known->second.first == ask.tag) {
            right = known->second.second;
            right.repeated = true;
        } else {
            right.kind = Told::Kind::id_reused;
        }
    } else if (!expectation_holds(ask.expected, state.shadow.version)) {
        right.kind = Told::Kind::conflict;
        right.version = state.shadow.version;
    } else {
        if (auto refused = refusal(state.shadow, ask)) {
            right.kind = Told::Kind::rejected;
            right.text = *std::move(refused);
        } else {
            right.kind = Told::Kind::accepted;
            next.shadow = after(state.shadow, ask);
            if (ask.left_no_event && next.shadow != state.shadow)
                return std::nullopt;
        }
        right.version = next.shadow.version;
        if (repeated_ids_.contains(ask.id))
            next.ids.emplace(ask.id, std::pair(ask.tag, right));
    }
    if (told && *told != right)
        return std::nullopt;
    return next;
}

std::size_t PurseModel::hash(const State& state) const {
    std::size_t hash = std::hash<std::int64_t>()(state.shadow.version * 1'000'003 + state.shadow.balance);
    for (const auto& [id, answer] : state.ids)
        hash = hash * 31 + std::hash<std::string>()(id) + static_cast<std::size_t>(answer.second.version);
    return hash;
}

std::string PurseModel::describe(const Ask& ask, const std::optional<Told>& told) const {
    return simulation::describe(ask) + " -> " + (told ? simulation::describe(*told) : "never answered");
}

std::string PurseModel::describe(const State& state) const {
    return fmt::format("version {}: {}", state.shadow.version, members(state.shadow));
}

bool PurseModel::reads_only(const Ask& ask, const std::optional<Told>& told) const {
    if (ask.verb == Verb::read)
        return true;
    if (!told)
        return false;
    return told->repeated || told->kind == Told::Kind::conflict || told->kind == Told::Kind::id_reused ||
           (told->kind == Told::Kind::rejected && !repeated_ids_.contains(ask.id));
}

}  // namespace leftfold::simulation
