// Journal: all that clients asked and were told, and the checks of it against what the log holds. It lives outside of
// the simulated machine and survives its crashes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/time.hpp"
#include "leftfold/log/event_log.hpp"
#include "leftfold/sim/linearizability.hpp"

#include "shadow.hpp"

namespace leftfold::simulation {

struct StoredEvent {
    std::string type;  // without its prefix
    std::int64_t tag = 0;
    std::int64_t number = 0;  // amount or limit
    std::int64_t version = 0;
    std::string id;
    Timestamp time;
    Timestamp recorded_at;

    friend bool operator==(const StoredEvent&, const StoredEvent&) = default;
};
using Streams = std::map<std::string, std::vector<StoredEvent>>;

// Everything durable in a topic.
Result<Streams> scan(log::EventLog& log, TopicId topic);

Shadow apply(const Shadow& before, const StoredEvent& event);
Shadow fold(const std::vector<StoredEvent>& events, std::size_t count);

class Journal {
  public:
    std::size_t asked(std::uint32_t client, const Ask& ask);
    void told(std::size_t attempt, const Told& told);

    // Each gives the first contradiction, or none.
    std::optional<std::string> check_after_start(const Streams& streams);
    std::optional<std::string> check_at_the_end(const Streams& streams) const;

    std::int64_t version_told(const std::string& key) const;
    std::size_t attempt_count() const noexcept { return attempts_.size(); }
    std::size_t told_count(Told::Kind kind) const;
    std::size_t repeated_count() const;

  private:
    struct Attempt {
        Ask ask;
        std::optional<Told> told;
    };

    std::optional<std::string> check_versions_told(const Streams& streams) const;
    std::optional<std::string> check_events(const Streams& streams) const;
    std::optional<std::string> check_acknowledged(const Streams& streams) const;
    std::optional<std::string> check_answers(const Streams& streams) const;
    std::optional<std::string> check_repeats() const;
    std::optional<std::string> check_money(const Streams& streams) const;
    std::optional<std::string> check_order(const Streams& streams) const;
    std::vector<sim::Operation<PurseModel>> explained_history(const Streams& streams) const;

    std::vector<Attempt> attempts_;
    sim::History<PurseModel> history_;
    Streams seen_;
};

}  // namespace leftfold::simulation
