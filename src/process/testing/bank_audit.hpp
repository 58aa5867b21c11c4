// Audit: what the log of a BankMachine must say whatever happened to the machine, and what it must say when all is
// done. It reads the log as anybody could, and knows of processes only what SEMANTICS 10 and 11 say.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/event/json_value.hpp"
#include "leftfold/log/event_log.hpp"

namespace leftfold::testing {

struct AuditEvent {
    std::string type;  // without application and aggregate: "withdrawn", "process.timer-set"
    std::int64_t version = 0;
    Timestamp recorded_at;
    json::Value payload;

    std::int64_t number(std::string_view field) const;
    std::string text(std::string_view field) const;
};
using AuditStreams = std::map<std::string, std::vector<AuditEvent>>;

// What is wrong; none: nothing.
using Problem = std::optional<std::string>;

class Audit {
  public:
    static Result<Audit> of(log::EventLog& log);

    // At any time, the moment after a crash included.
    Problem check() const;
    // When everything has come to its end.
    Problem check_at_the_end() const;

    const AuditStreams& accounts() const noexcept { return accounts_; }
    const AuditStreams& transfers() const noexcept { return transfers_; }

  private:
    struct Effects {
        int withdrawn = 0;
        int deposited = 0;
        int refunded = 0;
        std::int64_t in_transit = 0;
    };
    Problem check_transfer(const std::string& key, const std::vector<AuditEvent>& events) const;
    Problem check_timers(const std::string& key, const std::vector<AuditEvent>& events) const;
    Problem check_end_of(const std::string& key, const std::vector<AuditEvent>& events) const;
    Problem check_tally(const std::string& key, bool is_complete) const;
    Effects effects_of(const std::string& transfer) const;

    AuditStreams accounts_;
    AuditStreams transfers_;
    AuditStreams tallies_;
};

}  // namespace leftfold::testing
