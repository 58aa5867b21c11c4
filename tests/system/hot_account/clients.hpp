// Clients: many HTTP clients at once on one account of a running bank, and a record of what each asked and was
// answered.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "leftfold/env/env.hpp"

#include "account_model.hpp"

namespace leftfold::system_test {

struct ClientsOptions {
    Endpoint endpoint{};
    std::string account = "hot";
    std::size_t clients = 1000;
    std::size_t operations_each = 6;
    std::size_t shared_ids = 150;
    std::uint64_t seed = 1;
};

// An event of the account as the bank lists it.
struct ListedEvent {
    std::int64_t version = 0;
    std::string type;
    std::int64_t amount = 0;  // 0 where there is none
    std::string command_id;
};

struct Recorded {
    std::int64_t opening_version = 0;
    std::int64_t opening_balance = 0;
    std::vector<AccountOperation> operations;
    std::vector<std::string> command_ids;  // of each operation; empty for a read
    std::vector<ListedEvent> events;       // all, at the end
    std::int64_t final_version = 0;
    std::int64_t final_balance = 0;
    std::size_t lost_answers = 0;      // operations without output, but for
    std::set<std::size_t> never_sent;  // those that found no connection, by index
    std::string failure;               // what went wrong beside the recorded operations; empty if nothing
};

class Clients {
  public:
    // `env` outlives this.
    Clients(const Env& env, ClientsOptions options);
    ~Clients();

    // Opens the account; then two hundred clients want to be the first to change it; then all do their operations at
    // once; then a few contend, each changing only what it has seen; then every shared id is asked for what it stands
    // for, and the account is read. `ended` runs as a step.
    void start(std::move_only_function<void()> ended);

    const Recorded& recorded() const noexcept;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leftfold::system_test
