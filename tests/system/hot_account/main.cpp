// hot_account PORT SEED: many clients at once on one account of the bank that runs on PORT, and a verdict on what they
// saw.
//
// Exit code 0: every version once, no update lost, and the history is linearizable. The checker itself is tried on each
// history: faults are planted in copies of it, and each must be found.

#include <algorithm>
#include <charconv>
#include <iostream>
#include <limits>
#include <map>
#include <set>

#include "leftfold/env/real_env.hpp"

#include "clients.hpp"

namespace leftfold::system_test {
namespace {

using Input = AccountModel::Input;
using Output = AccountModel::Output;
using Histories = std::vector<AccountOperation>;

constexpr std::int64_t kNeverReturned = std::numeric_limits<std::int64_t>::max();

bool is_first_answer(const AccountOperation& operation) {
    return operation.output && !operation.output->repeated &&
           (operation.output->kind == Output::Kind::done || operation.output->kind == Output::Kind::refused);
}

// What later answers tell about commands whose own was lost: by their ids, the answer that each must have had. The time
// of such an operation has no end.
class LostAnswers {
  public:
    explicit LostAnswers(const Recorded& recorded) {
        for (const ListedEvent& event : recorded.events) {
            const bool deposit = event.type == "bank.account.deposited";
            known_[event.command_id] = {deposit ? AccountModel::Kind::deposit : AccountModel::Kind::withdraw,
                                        event.amount, Output{.version = event.version}};
        }
        for (std::size_t i = 0; i < recorded.operations.size(); ++i) {
            const AccountOperation& operation = recorded.operations[i];
            if (!operation.output || !operation.output->repeated)
                continue;
            Output first = *operation.output;
            first.repeated = false;
            known_[recorded.command_ids[i]] = {operation.input.kind, operation.input.amount, first};
        }
        for (std::size_t i = 0; i < recorded.operations.size(); ++i)
            if (is_first_answer(recorded.operations[i]))
                known_.erase(recorded.command_ids[i]);
    }

    // Once for each id: of several lost commands the first called stands for all, since its time holds all of theirs.
    std::optional<Output> take(const std::string& command_id, const Input& in) {
        const auto found = known_.find(command_id);
        if (found == known_.end() || found->second.kind != in.kind || found->second.amount != in.amount)
            return std::nullopt;
        const Output output = found->second.output;
        known_.erase(found);
        return output;
    }

  private:
    struct Known {
        AccountModel::Kind kind;
        std::int64_t amount;
        Output output;
    };
    std::map<std::string, Known, std::less<>> known_;
};

// Without those that had no effect: of which nothing was sent, or nothing came that anybody could see.
Histories with_lost_answers_found(const Recorded& recorded) {
    LostAnswers lost(recorded);
    Histories history;
    for (std::size_t i = 0; i < recorded.operations.size(); ++i) {
        AccountOperation operation = recorded.operations[i];
        if (!operation.output) {
            if (recorded.never_sent.contains(i) || operation.input.kind == AccountModel::Kind::read)
                continue;
            operation.output = lost.take(recorded.command_ids[i], operation.input);
            operation.returned = kNeverReturned;
            if (!operation.output)
                continue;
        }
        history.push_back(std::move(operation));
    }
    return history;
}

std::string check_events(const Recorded& recorded) {
    std::int64_t balance = 0;
    std::set<std::string> ids;
    for (std::size_t i = 0; i < recorded.events.size(); ++i) {
        const ListedEvent& event = recorded.events[i];
        if (event.version != static_cast<std::int64_t>(i) + 1)
            return "event " + std::to_string(i + 1) + " has version " + std::to_string(event.version);
        const bool opens = event.type == "bank.account.opened";
        balance += event.type == "bank.account.withdrawn" ? -event.amount : event.amount;
        if (balance < 0)
            return "the balance is negative at version " + std::to_string(event.version);
        if (!opens && !ids.insert(event.command_id).second)
            return "command " + event.command_id + " took effect twice";
    }
    if (recorded.final_version != static_cast<std::int64_t>(recorded.events.size()))
        return "version " + std::to_string(recorded.final_version) + " with " + std::to_string(recorded.events.size()) +
               " events";
    if (recorded.final_balance != balance)
        return "balance " + std::to_string(recorded.final_balance) + ", its events sum to " + std::to_string(balance);
    return {};
}

// Every acknowledged update is the event of its version, and says what was asked.
std::string check_updates(const Recorded& recorded) {
    for (std::size_t i = 0; i < recorded.operations.size(); ++i) {
        const AccountOperation& operation = recorded.operations[i];
        if (!operation.output || operation.output->kind != Output::Kind::done ||
            operation.input.kind == AccountModel::Kind::read)
            continue;
        const auto index = static_cast<std::size_t>(operation.output->version - 1);
        const std::string what = AccountModel().describe(operation.input, operation.output);
        if (index >= recorded.events.size())
            return "lost: " + what;
        const ListedEvent& event = recorded.events[index];
        const bool deposit = event.type == "bank.account.deposited";
        if (event.command_id != recorded.command_ids[i] || event.amount != operation.input.amount ||
            deposit != (operation.input.kind == AccountModel::Kind::deposit))
            return "lost: " + what + "; that version is " + event.type + " by " + event.command_id;
    }
    return {};
}

struct Count {
    std::size_t done = 0, refused = 0, conflicts = 0, repeats = 0, reused = 0, overloaded = 0, reads = 0;
    std::size_t conditional_done = 0;
};

Count count(const Recorded& recorded) {
    Count count;
    for (const AccountOperation& operation : recorded.operations) {
        if (!operation.output)
            continue;
        if (operation.input.kind == AccountModel::Kind::read)
            ++count.reads;
        else if (operation.output->repeated)
            ++count.repeats;
        else if (operation.output->kind == Output::Kind::done)
            ++(operation.input.expected > 0 ? count.conditional_done : count.done);
        else if (operation.output->kind == Output::Kind::refused)
            ++count.refused;
        else if (operation.output->kind == Output::Kind::conflict)
            ++count.conflicts;
        else if (operation.output->kind == Output::Kind::id_reused)
            ++count.reused;
        else
            ++count.overloaded;
    }
    return count;
}

// A history without each of these would show little.
std::string check_variety(const Recorded& recorded, const Count& count) {
    std::size_t first = 0;
    for (const AccountOperation& operation : recorded.operations)
        if (operation.output && operation.output->kind == Output::Kind::done &&
            operation.input.expected == recorded.opening_version)
            ++first;
    if (first > 1 || (first == 0 && recorded.lost_answers == 0))
        return std::to_string(first) + " clients were the first to change the account";
    for (const std::size_t each :
         {count.done, count.refused, count.conflicts, count.repeats, count.reused, count.reads, count.conditional_done})
        if (each == 0)
            return "some kind of answer never came";
    return {};
}

// Faults that a server could have. Each gives a history that no sequential account explains.
struct Plant {
    const char* what;
    bool (*changes)(Histories&);
};

bool plant_lost_update(Histories& history) {
    // Two updates say that they made the same version.
    std::vector<AccountOperation*> updates;
    for (AccountOperation& operation : history)
        if (operation.output && operation.output->kind == Output::Kind::done && !operation.output->repeated &&
            operation.input.kind == AccountModel::Kind::deposit && operation.returned != kNeverReturned)
            updates.push_back(&operation);
    if (updates.size() < 20)
        return false;
    updates[updates.size() / 2]->output->version = updates[updates.size() / 2 - 10]->output->version;
    return true;
}

bool plant_stale_read(Histories& history) {
    // A read that began after an update was acknowledged answers from before it.
    for (std::size_t i = history.size(); i-- > 0;) {
        AccountOperation& read = history[i];
        if (read.input.kind != AccountModel::Kind::read || !read.output)
            continue;
        for (const AccountOperation& other : history)
            if (other.input.kind == AccountModel::Kind::read && other.output && other.returned < read.called &&
                other.output->version < read.output->version) {
                read.output = other.output;
                return true;
            }
    }
    return false;
}

bool plant_wrong_repeat(Histories& history) {
    for (AccountOperation& operation : history)
        if (operation.output && operation.output->repeated) {
            ++operation.output->version;
            return true;
        }
    return false;
}

bool plant_forgotten_id(Histories& history) {
    for (AccountOperation& operation : history)
        if (operation.output && operation.output->repeated && operation.output->kind == Output::Kind::refused) {
            operation.output->repeated = false;  // as if decided anew
            return true;
        }
    return false;
}

bool plant_ignored_condition(Histories& history) {
    for (AccountOperation& operation : history)
        if (operation.output && operation.output->kind == Output::Kind::done && operation.input.expected > 0) {
            ++operation.input.expected;
            return true;
        }
    return false;
}

bool plant_read_of_what_never_was(Histories& history) {
    for (AccountOperation& operation : history)
        if (operation.output && operation.input.kind == AccountModel::Kind::read) {
            ++operation.output->balance;
            return true;
        }
    return false;
}

constexpr Plant kPlants[] = {
    {"a lost update", plant_lost_update},
    {"a stale read", plant_stale_read},
    {"a wrong repeat", plant_wrong_repeat},
    {"a forgotten id", plant_forgotten_id},
    {"a condition ignored", plant_ignored_condition},
    {"a balance that never was", plant_read_of_what_never_was},
};

std::string check_history(const Recorded& recorded, std::size_t shared_ids) {
    const AccountModel model{recorded.opening_version, recorded.opening_balance, shared_ids};
    const Histories history = with_lost_answers_found(recorded);
    const auto result = sim::check_linearizability(model, history);
    std::cout << "linearizable: " << to_string(result.verdict) << ", " << result.step_count << " steps\n";
    if (result.verdict != sim::Verdict::ok)
        return result.explanation;
    for (const Plant& plant : kPlants) {
        Histories changed = history;
        if (!plant.changes(changed))
            return std::string("nowhere to plant ") + plant.what;
        const auto found =
            sim::check_linearizability(model, changed, {.steps_max = 200'000'000, .configurations_max = 200'000});
        std::cout << "planted " << plant.what << ": " << to_string(found.verdict) << '\n';
        if (found.verdict != sim::Verdict::illegal)
            return std::string("the checker did not find ") + plant.what;
    }
    return {};
}

Recorded record(const ClientsOptions& options) {
    RealEnv real;
    Clients clients(real.env(), options);
    clients.start([&real] { real.stop(); });
    real.run();
    return clients.recorded();
}

int run(const ClientsOptions& options) {
    const Recorded recorded = record(options);
    const Count counts = count(recorded);
    std::cout << options.clients << " clients, " << recorded.operations.size() << " operations: " << counts.done
              << " done, " << counts.conditional_done << " done under If-Match, " << counts.refused << " refused, "
              << counts.conflicts << " conflicts, " << counts.repeats << " repeats, " << counts.reused
              << " ids reused, " << counts.reads << " reads, " << counts.overloaded << " overloaded, "
              << recorded.lost_answers << " answers lost\n";
    std::string wrong = recorded.failure;
    if (wrong.empty())
        wrong = check_events(recorded);
    if (wrong.empty())
        wrong = check_updates(recorded);
    if (wrong.empty())
        wrong = check_variety(recorded, counts);
    if (wrong.empty())
        wrong = check_history(recorded, options.shared_ids);
    if (wrong.empty())
        return 0;
    std::cerr << "FAILED: " << wrong << '\n';
    return 1;
}

template <class Number>
bool parse(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace
}  // namespace leftfold::system_test

int main(int argc, char** argv) {
    leftfold::system_test::ClientsOptions options;
    std::uint16_t port = 0;
    if (argc != 3 || !leftfold::system_test::parse(argv[1], port) ||
        !leftfold::system_test::parse(argv[2], options.seed)) {
        std::cerr << "usage: hot_account PORT SEED\n";
        return 2;
    }
    options.endpoint = leftfold::TcpEndpoint{"127.0.0.1", port};
    return leftfold::system_test::run(options);
}
