// AccountModel: one bank account as a sequential object, written from the bank's wire form and SEMANTICS [4], [5]
// alone: a command id answers as it did before, then the condition is looked at, then the money. For
// check_linearizability().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/sim/linearizability.hpp"

namespace leftfold::system_test {

struct AccountModel {
    enum class Kind : std::uint8_t { deposit, withdraw, read };

    // What a command expects of the version: a number from 1 on, or one of these.
    static constexpr std::int64_t kAnyVersion = -1;
    static constexpr std::int64_t kExists = -2;
    static constexpr std::int64_t kNew = -3;
    // A command id that is used once only.
    static constexpr int kOwnId = -1;

    struct Input {
        Kind kind = Kind::read;
        std::int64_t amount = 0;
        std::int64_t expected = kAnyVersion;
        int shared_id = kOwnId;

        friend bool operator==(const Input&, const Input&) = default;
    };
    struct Output {
        enum class Kind : std::uint8_t { done, refused, conflict, id_reused, overloaded } kind = Kind::done;
        std::int64_t version = 0;
        std::int64_t balance = 0;  // of a read
        bool repeated = false;

        friend bool operator==(const Output&, const Output&) = default;
    };
    // What a shared id was first used for, and answered. Small, as the checker keeps many states.
    struct Answered {
        std::int64_t amount = 0;
        std::int32_t version = 0;  // 0: the id has not been used
        Kind kind = Kind::read;
        bool refused = false;

        friend bool operator==(const Answered&, const Answered&) = default;
    };
    struct State {
        std::int64_t version = 0;
        std::int64_t balance = 0;
        std::vector<Answered> by_shared_id;

        friend bool operator==(const State&, const State&) = default;
    };

    std::int64_t opening_version = 0;
    std::int64_t opening_balance = 0;
    std::size_t shared_id_count = 0;

    State initial() const { return {opening_version, opening_balance, std::vector<Answered>(shared_id_count)}; }

    std::optional<State> step(const State& state, const Input& in, const std::optional<Output>& out) const {
        if (out && out->kind == Output::Kind::overloaded)
            return state;
        const Output due = answer(state, in);
        if (out && *out != due)
            return std::nullopt;
        State next = state;
        const bool decided = !due.repeated && (due.kind == Output::Kind::done || due.kind == Output::Kind::refused);
        if (in.kind == Kind::read || !decided)
            return next;
        if (due.kind == Output::Kind::done) {
            next.version = due.version;
            next.balance += in.kind == Kind::deposit ? in.amount : -in.amount;
        }
        if (in.shared_id != kOwnId)
            next.by_shared_id[static_cast<std::size_t>(in.shared_id)] = {
                .amount = in.amount,
                .version = static_cast<std::int32_t>(due.version),
                .kind = in.kind,
                .refused = due.kind == Output::Kind::refused};
        return next;
    }

    std::size_t hash(const State& state) const {
        std::size_t known = 0;
        for (const Answered& answered : state.by_shared_id)
            known = known * 3 + static_cast<std::size_t>(answered.version);
        return known * 31 + static_cast<std::size_t>(state.version) * 1'000'003 +
               static_cast<std::size_t>(state.balance);
    }

    // A refusal under a shared id changes the state: the id is known from then on. But commands with a shared id carry
    // no condition, so nothing that is answered as if the id were unknown could stand between an earlier place and a
    // later one: to place a refusal as soon as it fits loses no order.
    bool reads_only(const Input& in, const std::optional<Output>& out) const {
        return in.kind == Kind::read || (out && (out->repeated || out->kind != Output::Kind::done));
    }

    std::string describe(const State& state) const {
        return "version " + std::to_string(state.version) + ", balance " + std::to_string(state.balance);
    }
    std::string describe(const Input& in, const std::optional<Output>& out) const {
        std::string text = in.kind == Kind::read ? "read" : in.kind == Kind::deposit ? "deposit " : "withdraw ";
        if (in.kind != Kind::read)
            text += std::to_string(in.amount);
        if (in.expected != kAnyVersion)
            text += " if at " + std::to_string(in.expected);
        if (in.shared_id != kOwnId)
            text += " with shared id " + std::to_string(in.shared_id);
        if (!out)
            return text + " -> ?";
        constexpr std::string_view kNames[] = {"done", "refused", "conflict", "id reused", "overloaded"};
        text += " -> ";
        text += kNames[static_cast<std::size_t>(out->kind)];
        text += ", version " + std::to_string(out->version);
        if (in.kind == Kind::read)
            text += ", balance " + std::to_string(out->balance);
        return text + (out->repeated ? ", a repeat" : "");
    }

  private:
    Output answer(const State& state, const Input& in) const {
        if (in.kind == Kind::read)
            return {.version = state.version, .balance = state.balance};
        if (in.shared_id != kOwnId) {
            const Answered& before = state.by_shared_id[static_cast<std::size_t>(in.shared_id)];
            if (before.version != 0 && (before.kind != in.kind || before.amount != in.amount))
                return {.kind = Output::Kind::id_reused};
            if (before.version != 0)
                return {.kind = before.refused ? Output::Kind::refused : Output::Kind::done,
                        .version = before.version,
                        .repeated = true};
        }
        const bool holds = in.expected == kAnyVersion || in.expected == kExists || in.expected == state.version;
        if (!holds)
            return {.kind = Output::Kind::conflict, .version = state.version};
        if (in.kind == Kind::withdraw && state.balance < in.amount)
            return {.kind = Output::Kind::refused, .version = state.version};
        return {.version = state.version + 1};
    }
};

using AccountOperation = sim::Operation<AccountModel>;

}  // namespace leftfold::system_test
