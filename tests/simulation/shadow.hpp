// What a client asks and is told, and what it may be told: a second, independent telling of the purse's rules in a few
// lines, and of those of command ids and expected versions. Nothing here comes from the code under test.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace leftfold::simulation {

enum class Verb : std::uint8_t { open, deposit, withdraw, close, look, read };

struct Ask {
    Verb verb = Verb::read;
    std::string key;
    std::int64_t tag = 0;
    std::int64_t amount = 0;  // of open: the opening deposit
    std::int64_t limit = 0;
    std::size_t note_bytes = 0;
    std::string id;  // empty: the client gives none
    // As in the API: -1 any, -2 exists, else exactly.
    std::int64_t expected = -1;
    bool left_no_event = false;  // never answered, and the log has nothing of it

    friend bool operator==(const Ask&, const Ask&) = default;
};

struct Told {
    enum class Kind : std::uint8_t {
        accepted,
        rejected,
        conflict,
        id_reused,
        state,      // of a read
        not_found,  // of a read
        unknown,    // failed, and perhaps done
        not_done,   // failed, and surely not done: nothing was written
    };
    Kind kind = Kind::unknown;
    std::int64_t version = 0;
    bool repeated = false;
    std::string text = {};  // rejection: "reason{details}"; state: its members; failure: the message

    // The answer, however often it is given.
    bool same_answer(const Told& other) const {
        return kind == other.kind && version == other.version && text == other.text;
    }
    friend bool operator==(const Told&, const Told&) = default;
};

std::string describe(const Ask& ask);
std::string describe(const Told& told);

struct Shadow {
    bool open = false;
    bool closed = false;
    std::int64_t balance = 0;
    std::int64_t limit = 0;
    std::int64_t version = 0;

    friend bool operator==(const Shadow&, const Shadow&) = default;
};

// The refusal as it is told, or none.
std::optional<std::string> refusal(const Shadow& before, const Ask& ask);
Shadow after(const Shadow& before, const Ask& ask);
std::string members(const Shadow& shadow);

// One purse, as a model for the checker of linearizability.
class PurseModel {
  public:
    struct State {
        Shadow shadow;
        std::map<std::string, std::pair<std::int64_t, Told>> ids;  // tag of the command, and its answer

        friend bool operator==(const State&, const State&) = default;
    };
    using Input = Ask;
    using Output = Told;

    // Only ids that come twice need to be remembered.
    explicit PurseModel(std::set<std::string> repeated_ids) : repeated_ids_(std::move(repeated_ids)) {}

    State initial() const { return {}; }
    std::optional<State> step(const State& state, const Ask& ask, const std::optional<Told>& told) const;
    std::size_t hash(const State& state) const;
    std::string describe(const Ask& ask, const std::optional<Told>& told) const;
    std::string describe(const State& state) const;
    std::string partition(const Ask& ask) const { return ask.key; }
    bool reads_only(const Ask& ask, const std::optional<Told>& told) const;

  private:
    std::set<std::string> repeated_ids_;
};

}  // namespace leftfold::simulation
