#include "bank_simulation.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <sqlite3.h>

namespace leftfold::testing {

namespace {

using sim::one_in;
using std::chrono::milliseconds;

// SQLite draws the salts of its WAL from one generator for the whole process, which asks the operating system.
void seed_sqlite(std::uint64_t seed) {
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(seed % 1'000'000) + 1, nullptr);
}

// The way to a target in another program: commands and answers get lost, late or double.
class FlakySender final : public CommandSender {
  public:
    FlakySender(CommandSender& inner, sim::SimEnv& sim, Random& random) noexcept
        : inner_(inner), sim_(sim), random_(random) {}

    void send(const OutgoingCommand& command, CommandAnswered answered) override {
        const std::uint64_t chance = random_.below(12);
        if (chance == 0) {
            answer_later(std::move(answered), lost());
        } else if (chance == 1) {
            inner_.send(command, [this, answered = std::move(answered)](const Result<Answer>&) mutable {
                answer_later(std::move(answered), lost());
            });
        } else if (chance == 2) {
            inner_.send(command, [](const Result<Answer>&) {});
            inner_.send(command, std::move(answered));
        } else if (chance == 3) {
            inner_.send(command, [this, answered = std::move(answered)](Result<Answer> answer) mutable {
                answer_later(std::move(answered), std::move(answer));
            });
        } else {
            inner_.send(command, std::move(answered));
        }
    }

  private:
    static Result<Answer> lost() { return fail(ErrorCode::unavailable, "lost on the way", Retry::yes); }
    void answer_later(CommandAnswered answered, Result<Answer> answer) {
        sim_.scheduler().call_after(
            milliseconds(random_.below(30)),
            [answered = std::move(answered), answer = std::move(answer)]() mutable { answered(std::move(answer)); });
    }

    CommandSender& inner_;
    sim::SimEnv& sim_;
    Random& random_;
};

}  // namespace

BankOptions BankSimulation::draw_options(std::uint64_t seed) {
    sim::SimRandom choice(seed, "options");
    const auto one_of = [&choice]<class T, std::size_t N>(const T(&values)[N]) { return values[choice.below(N)]; };
    BankOptions options;
    options.partitions = one_of({1U, 2U});
    options.log.segment_bytes = one_of({4096UL, 65536UL, 1UL << 20});
    options.aggregates.hot_aggregates_max = one_of({1UL, 2UL, 1000UL});
    options.aggregates.commands_in_flight_max = one_of({2UL, 4096UL, 4096UL});
    if (one_in(choice, 2)) {
        options.aggregates.snapshot_folder = "/data/snapshots";
        options.aggregates.snapshot_every = 3;
    }
    options.processes.commands_in_flight_max = one_of({1UL, 2UL, 256UL});
    options.processes.timers_in_flight_max = one_of({1UL, 2UL, 256UL});
    options.processes.inputs_in_flight_max = one_of({1UL, 3UL, 256UL});
    options.processes.retries_max = one_of({1UL, 10'000UL});
    options.processes.retry_first = milliseconds(one_of({1, 20}));
    options.processes.retry_max = milliseconds(200);
    options.processes.slow_retry_first = milliseconds(500);
    options.processes.positions_every = milliseconds(one_of({1, 1000}));
    options.processes.batch_bytes_max = one_of({1UL, 1000UL, 262144UL});
    options.rows.checkpoint_wal_bytes = one_of({4096UL, 65536UL, 1UL << 20});
    options.machine.step_duration = Duration(one_of({0, 1000}));
    options.machine.worker_delays.slow_one_in = one_of({0UL, 5UL, 50UL});
    options.machine.worker_delays.slow_max = milliseconds(one_of({1, 20}));
    return options;
}

BankSimulation::BankSimulation(std::uint64_t seed, Plant plant)
    : bank_(seed, draw_options(seed), plant),
      choice_(bank_.sim().random_for("clients")),
      network_(bank_.sim().random_for("network")) {
    draw_asks();
    if (one_in(choice_, 2))
        bank_.wrap_sender = [this](CommandSender& inner) {
            return std::make_unique<FlakySender>(inner, bank_.sim(), network_);
        };
}

// Accounts first, then transfers among them; some accounts are closed meanwhile, some never opened.
void BankSimulation::draw_asks() {
    constexpr std::size_t kAccounts = 4;
    for (std::size_t i = 0; i < kAccounts; ++i)
        if (i == 0 || !one_in(choice_, 6))
            asks_.push_back({.key = fmt::format("account-{}", i),
                             .command = "open",
                             .json = fmt::format(R"({{"balance":{}}})", choice_.below(60))});
    const std::size_t transfers = 2 + choice_.below(8);
    const int patience_ms[] = {0, 1, 3, 10, 100, 2000};
    for (std::size_t i = 0; i < transfers; ++i) {
        asks_.push_back(
            {.is_transfer = true,
             .key = fmt::format("transfer-{}", i),
             .command = "start",
             .json = fmt::format(R"({{"from":"account-{}","to":"account-{}","amount":{},"patience_ms":{}}})",
                                 choice_.below(kAccounts), choice_.below(kAccounts), 1 + choice_.below(20),
                                 patience_ms[choice_.below(std::size(patience_ms))])});
        if (one_in(choice_, 8))
            asks_.push_back(
                {.key = fmt::format("account-{}", choice_.below(kAccounts)), .command = "close", .json = "{}"});
    }
}

Problem BankSimulation::run() {
    seed_sqlite(bank_.sim().seed());
    const std::uint64_t lives = 1 + choice_.below(4);
    for (std::uint64_t life = 0; life < lives; ++life)
        if (auto problem = live_and_die())
            return fmt::format("in life {}: {}", life, *problem);
    if (auto problem = live_to_the_end())
        return "in the last life: " + *problem;
    return std::nullopt;
}

Problem BankSimulation::start() {
    const std::uint64_t faults = bank_.sim().files().fault_count();
    if (const auto started = bank_.start(); !started) {
        const bool is_excused = !bank_.sim().is_powered() || bank_.sim().files().fault_count() != faults;
        return is_excused ? std::nullopt : Problem("does not start: " + started.error().message());
    }
    // What is there when the machine comes up is all that there will ever be of the life before.
    return audit();
}

Problem BankSimulation::audit() {
    const std::uint64_t faults = bank_.sim().files().fault_count();
    const auto audit = Audit::of(bank_.log());
    if (!audit) {
        const bool is_excused = !bank_.sim().is_powered() || bank_.sim().files().fault_count() != faults;
        return is_excused ? std::nullopt : Problem("the log does not read: " + audit.error().message());
    }
    if (auto problem = audit->check())
        return problem;
    return check_told(*audit);
}

Problem BankSimulation::check_told(const Audit& audit) const {
    for (const Ask& ask : asks_) {
        const AuditStreams& streams = ask.is_transfer ? audit.transfers() : audit.accounts();
        if (ask.is_accepted && !streams.contains(ask.key))
            return fmt::format("'{}' of {} was accepted, and is gone", ask.command, ask.key);
    }
    return std::nullopt;
}

void BankSimulation::die() {
    if (bank_.sim().is_powered())
        bank_.sim().power_off();
    bank_.clear_away();
    ++statistics_.crashes;
    if (one_in(choice_, 6))
        bank_.sim().restart_process();
    else
        bank_.sim().restart();
    for (const char* process : {"transfer", "tally"})
        if (one_in(choice_, 8))
            bank_.delete_rows(process);
    // Somebody, or a time server, sets the clock.
    if (one_in(choice_, 2))
        bank_.sim().clock().jump_wall(milliseconds(choice_.below(4000)) - milliseconds(2000));
}

Problem BankSimulation::live_and_die() {
    bank_.sim().files().power_off_at(1 + choice_.below(one_in(choice_, 3) ? 150 : 1500));
    if (one_in(choice_, 3))
        bank_.sim().files().fail_operation(1 + choice_.below(800),
                                           one_in(choice_, 2) ? ErrorCode::io : ErrorCode::no_space);
    else if (one_in(choice_, 6))
        bank_.sim().files().fail_randomly(100 + choice_.below(400));
    if (auto problem = start())
        return problem;
    if (bank_.is_running()) {
        ask_all();
        // Sometimes it dies in the midst of things, sometimes while it waits.
        const Duration life = milliseconds(1 + choice_.below(one_in(choice_, 3) ? 3000 : 40));
        bank_.sim().scheduler().run_for(life);
    }
    die();
    return std::nullopt;
}

Problem BankSimulation::live_to_the_end() {
    bank_.sim().files().cancel_faults();
    if (auto problem = start())
        return problem;
    if (!bank_.is_running())
        return "does not start, though nothing fails any more";
    asked_ = asks_.size();
    ask_all();
    const MonotonicTime deadline = bank_.sim().clock().monotonic() + std::chrono::minutes(2);
    const auto is_over = [&] { return bank_.sim().clock().monotonic() > deadline; };
    const auto is_done = [&] { return waiting_ == 0 && bank_.is_settled(); };
    // Looked at now and then, since looking costs more than a step.
    while (!is_done() && !is_over())
        bank_.sim().scheduler().run_for(milliseconds(5));
    if (auto problem = audit())
        return problem;
    const auto audit = Audit::of(bank_.log());
    if (!audit)
        return "the log does not read: " + audit.error().message();
    if (auto problem = audit->check_at_the_end())
        return problem;
    if (is_over()) {
        const ProcessStatus status = bank_.transfer_dispatcher().status();
        return fmt::format("does not come to its end: {} answers open, {} commands in flight, {} retrying, lag {}; {}",
                           waiting_, status.commands_in_flight, status.commands_retrying, status.lag, status.trouble);
    }
    for (const auto& [key, events] : audit->transfers()) {
        ++statistics_.transfers;
        for (const AuditEvent& event : events) {
            statistics_.completed += event.type == "completed";
            statistics_.compensated += event.type == "compensated";
            statistics_.refused += event.type == "refused";
            statistics_.timers_fired += event.type == "process.timer-fired";
        }
    }
    return bank_.stop() ? std::nullopt : Problem("the power went off");
}

void BankSimulation::ask_all() {
    asked_ = std::min(asks_.size(), asked_ + 1 + choice_.below(asks_.size()));
    waiting_ = 0;
    for (std::size_t i = 0; i < asked_; ++i)
        if (!asks_[i].is_answered) {
            ++waiting_;
            bank_.sim().scheduler().call_after(std::chrono::microseconds(choice_.below(5000)), [this, i] { ask(i); });
        }
}

void BankSimulation::ask(std::size_t index) {
    const Ask& ask = asks_[index];
    bank_.send(ask.is_transfer ? bank_.transfers() : bank_.accounts(), ask.key, ask.command, ask.json,
               fmt::format("ask-{}", index), [this, index](CommandReply reply) {
                   if (std::holds_alternative<CommandFailed>(reply.outcome)) {
                       bank_.sim().scheduler().call_after(milliseconds(1 + choice_.below(10)),
                                                          [this, index] { this->ask(index); });
                       return;
                   }
                   asks_[index].is_answered = true;
                   asks_[index].is_accepted = std::holds_alternative<CommandAccepted>(reply.outcome);
                   --waiting_;
               });
}

}  // namespace leftfold::testing
