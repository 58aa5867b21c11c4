// What operators ask about processes. Part of Inspection:
//
//   GET /processes                                   a JSON line for each process type
//   GET /processes/NAME/commands?instance=&after-instance=&after-version=&limit=   without an answer, a JSON line each
//   GET /processes/NAME/timers?instance=&limit=      not fired yet, a JSON line each; of all instances: by due time
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/time.hpp"
#include "leftfold/http/server.hpp"

#include "host.hpp"

namespace leftfold {

struct ProcessInputReport {
    std::string topic;
    std::uint32_t partition = 0;
    std::int64_t position = 0;
    std::int64_t lag = 0;
    std::optional<std::string> trouble;
};

struct ProcessReport {
    std::string name;
    bool is_caught_up = false;
    std::uint64_t commands_waiting = 0;  // without an answer, those in flight included
    std::uint64_t commands_in_flight = 0;
    std::uint64_t commands_retrying = 0;
    std::uint64_t timers_waiting = 0;
    std::int64_t lag = 0;
    std::vector<ProcessInputReport> inputs;
    std::optional<std::string> trouble;
};

struct ProcessCommandReport {
    std::string process;
    std::string instance;
    std::int64_t version = 0;  // of the event that asked for it
    std::string aggregate;
    std::string key;
    std::string command;
    std::string body;
    Timestamp requested_at{};
    bool is_in_flight = false;
    std::uint32_t failures = 0;
    std::string last_error;
};

struct ProcessTimerReport {
    std::string process;
    std::string instance;
    std::int64_t version = 0;
    std::string name;
    Timestamp due{};
    std::uint32_t failures = 0;
    std::string last_error;
};

class ProcessInspection {
  public:
    // Borrowed.
    explicit ProcessInspection(Host& host) noexcept : host_(host) {}

    // `request.path` begins with /processes.
    http::Response handle(const http::Request& request);

  private:
    Result<http::Response> ask(const http::Request& request);
    Result<const HostedProcess*> find(std::string_view name) const;

    Host& host_;
};

}  // namespace leftfold
