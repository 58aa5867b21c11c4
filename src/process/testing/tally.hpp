// Tally: a process that hears another service: for each account it counts what left it, and ignores odd deposits.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>

#include "bank.hpp"

namespace leftfold::testing::tallies {

struct Reset {};  // for clients

struct Counted {
    std::int64_t version = 0;  // of the account's event
    std::int64_t amount = 0;   // negative: it left
};
struct WasReset {};

struct Tally {
    using Command = std::variant<Reset>;
    using Event = std::variant<Counted, WasReset>;
    using Inputs = ReadsFrom<accounts::AccountEvents>;
    using Steps = leftfold::Steps<Tally>;

    std::int64_t count = 0;
    std::int64_t sum = 0;

    static std::optional<std::string> instance(const accounts::Withdrawn&, const EventContext& event) {
        return std::string(event.key);
    }
    static std::optional<std::string> instance(const accounts::Deposited& deposited, const EventContext& event) {
        if (deposited.transfer == "throw")
            throw std::runtime_error("no instance for this one");
        return deposited.amount == 0 ? std::nullopt : std::optional(std::string(event.key));
    }

    Steps decide(const Reset&) const { return WasReset{}; }
    Steps on_event(const accounts::Withdrawn& event, const EventContext& context) const {
        return Counted{context.version.value(), -event.amount};
    }
    Steps on_event(const accounts::Deposited& event, const EventContext& context) const {
        if (event.transfer == "throw in on_event")
            throw std::runtime_error("not this one");
        if (event.amount % 2 != 0)
            return Steps::nothing();
        return Counted{context.version.value(), event.amount};
    }

    void evolve(const Counted& event) {
        ++count;
        sum += event.amount;
    }
    void evolve(const WasReset&) { count = sum = 0; }
};

}  // namespace leftfold::testing::tallies
