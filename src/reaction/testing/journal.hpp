// Journal: what the outside world saw of a reaction, kept outside of the machine that crashes, and what must be true of
// it. Knows nothing of how the runner works.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leftfold/base/uuid.hpp"

namespace leftfold::testing {

// "a/3": version 3 of the key a.
using Place = std::pair<std::string, std::int64_t>;
using Problem = std::optional<std::string>;

struct LoggedEvent {
    Uuid id;
    bool is_handled = false;  // by the reaction, as its type says
};
// What the log has, by key, from version 1 on.
using Streams = std::map<std::string, std::vector<LoggedEvent>>;

class Journal {
  public:
    // A new runner, or one that has begun anew from its store: within a generation nothing comes twice.
    void new_generation();
    std::uint64_t generation() const noexcept { return generation_; }

    void discard_asked(const Place& place);
    void discard_confirmed(const Place& place);

    // `stream` is what the log has of the key now.
    void began(const Place& place, const Uuid& id, const std::vector<LoggedEvent>& stream);
    void completed(const Place& place, std::uint64_t generation);

    // The first thing that was not as it must be.
    const Problem& problem() const noexcept { return problem_; }

    // After a start: `discarded` is what the runner has.
    Problem check_after_start(const Streams& streams, const std::set<Place>& discarded) const;
    // Everything has come to rest, but for these dead letters: by key.
    Problem check_at_rest(const Streams& streams, const std::map<std::string, std::int64_t>& dead,
                          const std::set<Place>& discarded) const;

    // All of it, in order.
    const std::string& story() const noexcept { return story_; }
    std::uint64_t completions() const noexcept { return completions_; }
    std::uint64_t repeats() const noexcept { return completions_ - done_.size(); }

  private:
    void fail(std::string problem);
    void tell(std::string_view what, const Place& place);
    bool is_settled(const Place& place) const { return done_.contains(place) || discards_asked_.contains(place); }

    std::uint64_t generation_ = 0;
    std::uint64_t completions_ = 0;
    std::map<Place, Uuid> begun_;
    std::set<Place> done_;
    std::set<Place> discards_asked_;
    std::set<Place> discards_told_;
    std::set<Place> discards_relied_on_;  // the next event of the key has begun
    // By generation and key: the last one begun, and the last one done.
    std::map<std::pair<std::uint64_t, std::string>, std::int64_t> last_begun_;
    std::map<std::pair<std::uint64_t, std::string>, std::int64_t> last_done_;
    std::string story_;
    Problem problem_;
};

}  // namespace leftfold::testing
