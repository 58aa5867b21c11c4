// AppendOracle: what was appended to a log and what became of it, kept outside of the log, across its crashes. Says
// what a log that was opened again may hold and what it must.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/log/event_log.hpp"

namespace leftfold::log {

class AppendOracle {
  public:
    enum class State : std::uint8_t {
        pending,  // accepted, nothing heard: perhaps there
        durable,  // acknowledged, or seen by a reader: must be there
        gone      // surely not written, or once seen to be absent: must not be there
    };
    struct Append {
        Slot slot;
        std::string key;
        std::string command_id;
        Version first_version;
        std::size_t record_count = 0;
        Timestamp recorded_at;
        State state = State::pending;
        std::optional<Position> first_position;
    };

    // Numbers are part of the payloads: payload(number, i) for its i-th record.
    std::size_t next_number() const noexcept { return appends_.size(); }
    static std::string payload(std::size_t number, std::size_t index, std::size_t padding);
    void accepted(Append append) { appends_.push_back(std::move(append)); }
    void ended(std::size_t number, const Result<Appended>& result);

    // Compares all that the log answers with what was appended; the first contradiction, or none. What is there is
    // durable from then on. What is not there is gone, if the log was just opened; else it may yet come.
    enum class Moment : std::uint8_t { opened, running };
    std::optional<std::string> check(EventLog& log, Moment moment);

    std::size_t durable_count() const;
    const std::vector<Append>& appends() const noexcept { return appends_; }

  private:
    struct Seen {
        std::vector<Position> positions;  // by append number; kNoPosition: not there
        std::map<std::string, std::vector<std::string>> streams;
    };
    std::optional<std::string> check_partition(EventLog& log, Slot slot, Moment moment);
    std::optional<std::string> check_record(const Record& record, Slot slot, Seen& seen, std::size_t& number,
                                            std::size_t& left);
    std::optional<std::string> check_streams(EventLog& log, Slot slot, const Seen& seen);
    std::optional<std::string> check_appends(EventLog& log, Slot slot, const Seen& seen, Moment moment);

    std::vector<Append> appends_;
};

}  // namespace leftfold::log
