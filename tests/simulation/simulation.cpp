#include "simulation.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "leftfold/aggregate/typed_model.hpp"

#include "driver.hpp"
#include "purse.hpp"

namespace leftfold::simulation {

using sim::one_in;

namespace {

using Problem = std::optional<std::string>;

constexpr TopicId kEvents(0);
constexpr TopicId kOutcomes(1);

}  // namespace

Simulation::Knobs Simulation::draw_knobs(std::uint64_t seed) {
    sim::SimRandom choice(seed, "knobs");
    const auto one_of = [&choice]<class T>(std::initializer_list<T> values) {
        return *std::next(values.begin(), static_cast<std::ptrdiff_t>(choice.below(values.size())));
    };
    Knobs knobs;
    const std::uint32_t partitions = one_of({1U, 1U, 2U, 4U});
    knobs.log.directory = "/var/lib/leftfold";
    knobs.log.topics = {{topic_name("sim", "purse"), partitions}, {outcomes_topic_name("sim", "purse"), partitions}};
    knobs.log.segment_bytes = one_of({4096UL, 16384UL, 262144UL});
    knobs.log.pending_bytes_max = one_of({2048UL, 16384UL, 16UL << 20});
    knobs.aggregate.hot_aggregates_max = one_of({1UL, 2UL, 3UL, 1000UL});
    knobs.aggregate.commands_in_flight_max = one_of({2UL, 8UL, 4096UL, 4096UL});
    knobs.aggregate.bytes_per_turn = one_of({1UL, 1000UL, 262144UL});
    if (!one_in(choice, 3))
        knobs.aggregate.snapshot_folder = "/var/lib/leftfold/snapshots";
    knobs.aggregate.snapshot_every = one_of({1L, 3L, 10L});
    knobs.machine.step_duration = Duration(one_of({0, 1000, 50'000}));
    knobs.machine.worker_delays.slow_one_in = one_of({0UL, 5UL, 50UL});
    knobs.machine.worker_delays.slow_max = std::chrono::milliseconds(one_of({1, 20}));
    knobs.clients = one_of({2U, 4U, 8U});
    knobs.keys = one_of({1UL, 3UL, 5UL});
    knobs.faults = one_in(choice, 3);
    return knobs;
}

Simulation::Simulation(std::uint64_t seed, Plant plant)
    : plant_(plant),
      knobs_(draw_knobs(seed)),
      sim_(seed, knobs_.machine),
      believing_(sim_.files()),
      env_{sim_.env().clock,
           sim_.env().random,
           sim_.env().scheduler,
           sim_.env().workers,
           plant.torn_batch_believed ? static_cast<FileSystem&>(believing_) : sim_.files(),
           sim_.env().network},
      choice_(sim_.random_for("clients")),
      model_(make_typed_model<Purse>("sim", "purse")) {
    sim_.files().plant({.sync_data_lies = plant.sync_data_lies, .sync_directory_lies = false});
    for (std::uint32_t number = 0; number < knobs_.clients; ++number)
        clients_.push_back({.number = number, .answered = {}, .unanswered = {}, .in_flight = {}});
}

Simulation::~Simulation() {
    if (sim_.is_powered())
        sim_.power_off();
    clear_away();
}

std::uint64_t Simulation::trace_hash() const noexcept {
    return sim_.trace().hash() ^ answers_.hash();
}

Problem Simulation::run() {
    const std::uint64_t lives = 2 + choice_.below(5);
    for (std::uint64_t life = 0; life < lives; ++life)
        if (auto problem = live_and_die())
            return fmt::format("in life {}: {}", life, *problem);
    return live_to_the_end();
}

// ---------------------------------------------------------------------------------------------------------------------
// Lives

Problem Simulation::start() {
    const std::uint64_t faults_before = sim_.files().fault_count();
    const auto is_excused = [&] { return !sim_.is_powered() || sim_.files().fault_count() != faults_before; };
    auto opened = log::open_embedded_log(env_, knobs_.log);
    if (!opened)
        return is_excused() ? std::nullopt : Problem("the log cannot be opened: " + opened.error().message());
    log_ = *std::move(opened);
    planted_log_ = std::make_unique<PlantedLog>(*log_, sim_.scheduler(), plant_, start_count_++ == 0);
    const auto streams = scan(*log_, kEvents);
    if (!streams)
        return is_excused() ? std::nullopt : Problem("the log cannot be read: " + streams.error().message());
    if (auto problem = journal_.check_after_start(*streams))
        return problem;
    runtime_ = std::make_unique<AggregateRuntime>(env_, *planted_log_, *model_, kEvents, kOutcomes, knobs_.aggregate);
    return std::nullopt;
}

// What is left of the process.
void Simulation::clear_away() {
    log_.reset();
    runtime_.reset();
    planted_log_.reset();
    waiting_ = 0;
    for (Client& client : clients_) {
        std::ranges::move(client.in_flight, std::back_inserter(client.unanswered));
        client.in_flight.clear();
    }
}

Problem Simulation::live_and_die() {
    sim_.files().power_off_at(1 + choice_.below(one_in(choice_, 4) ? 60 : 500));
    if (knobs_.faults && one_in(choice_, 2))
        sim_.files().fail_operation(1 + choice_.below(300), one_in(choice_, 2) ? ErrorCode::io : ErrorCode::no_space);
    if (auto problem = start())
        return problem;
    budget_ = 20 + choice_.below(100);
    if (runtime_)
        static_cast<void>(run_clients());
    if (sim_.is_powered())
        sim_.power_off();
    clear_away();
    ++crash_count_;
    if (one_in(choice_, 8))
        sim_.restart_process();
    else
        sim_.restart();
    return std::nullopt;
}

Problem Simulation::live_to_the_end() {
    sim_.files().cancel_faults();
    if (auto problem = start())
        return problem;
    if (!runtime_)
        return "does not start, though nothing fails any more";
    budget_ = 20;
    if (!run_clients())
        return "the power went off";
    const auto streams = scan(*log_, kEvents);
    if (!streams)
        return "the log cannot be read: " + streams.error().message();
    if (auto problem = journal_.check_after_start(*streams))
        return problem;
    if (auto problem = journal_.check_at_the_end(*streams))
        return problem;
    if (auto problem = check_the_past(*streams))
        return problem;
    bool is_stopped = false;
    log_->stop([&is_stopped] { is_stopped = true; });
    if (!sim_.scheduler().run_until([&is_stopped] { return is_stopped; }))
        return "the power went off";
    runtime_.reset();
    log_.reset();
    return std::nullopt;
}

// SEMANTICS 9, by a fold of what the log holds.
Problem Simulation::check_the_past(const Streams& streams) {
    for (const auto& [key, events] : streams) {
        const StoredEvent& pick = events[choice_.below(events.size())];
        const auto answers = [&](const char* what, const AsOf& as_of, const auto& belongs) -> Problem {
            Shadow shadow;
            for (const StoredEvent& event : events)
                if (belongs(event))
                    shadow = apply(shadow, event);
            const auto told = read_now(key, as_of);
            if (told && told->members == members(shadow) && told->version.value() == shadow.version)
                return std::nullopt;
            return fmt::format("{} as of the {} of version {}: {} at version {}, right is {} at {}", key, what,
                               pick.version, told ? told->members : "nothing", told ? told->version.value() : 0,
                               members(shadow), shadow.version);
        };
        if (auto problem = answers("number", AsOfVersion{Version(pick.version)},
                                   [&](const StoredEvent& event) { return event.version <= pick.version; }))
            return problem;
        if (auto problem =
                answers("time", AsOfTime{pick.time}, [&](const StoredEvent& event) { return event.time <= pick.time; }))
            return problem;
        if (auto problem = answers("recording", AsOfRecorded{pick.recorded_at},
                                   [&](const StoredEvent& event) { return event.recorded_at <= pick.recorded_at; }))
            return problem;
    }
    return std::nullopt;
}

std::optional<StateReply> Simulation::read_now(const std::string& key, AsOf as_of) {
    std::optional<Result<StateReply>> answer;
    runtime_->read(key, as_of, [&answer](Result<StateReply> reply) { answer = std::move(reply); });
    if (!sim_.scheduler().run_until([&answer] { return answer.has_value(); }) || !*answer)
        return std::nullopt;
    return **std::move(answer);
}

// ---------------------------------------------------------------------------------------------------------------------
// Clients

bool Simulation::run_clients() {
    for (Client& client : clients_) {
        ++waiting_;
        take_turn(client);
    }
    return sim_.scheduler().run_until([this] { return waiting_ == 0; });
}

void Simulation::take_turn(Client& client) {
    --waiting_;
    if (budget_ == 0 && client.unanswered.empty())
        return;
    budget_ -= budget_ > 0 ? 1 : 0;
    const Ask ask = next_ask(client);
    // Now and then impatiently twice at once.
    const bool is_impatient = !ask.id.empty() && one_in(choice_, 10);
    send(client, ask);
    if (is_impatient)
        send(client, ask);
}

Ask Simulation::next_ask(Client& client) {
    if (!client.unanswered.empty()) {
        Ask ask = std::move(client.unanswered.back());
        client.unanswered.pop_back();
        return ask;
    }
    if (!client.answered.empty() && one_in(choice_, 8)) {
        Ask ask = client.answered[choice_.below(client.answered.size())];
        if (one_in(choice_, 4))
            ask.tag = next_tag_++;  // another command under the same id
        return ask;
    }
    constexpr Verb kVerbs[] = {Verb::open,    Verb::deposit,  Verb::deposit,  Verb::deposit,  Verb::deposit,
                               Verb::deposit, Verb::withdraw, Verb::withdraw, Verb::withdraw, Verb::withdraw,
                               Verb::close,   Verb::look,     Verb::read,     Verb::read};
    Ask ask;
    ask.verb = kVerbs[choice_.below(std::size(kVerbs))];
    ask.key = fmt::format("purse-{}", one_in(choice_, 2) ? 0 : choice_.below(knobs_.keys));
    const std::int64_t version = journal_.version_told(ask.key);
    // Who knows of nothing yet opens first; a closed purse would end the game early.
    if (version == 0 && one_in(choice_, 2))
        ask.verb = Verb::open;
    if (ask.verb == Verb::close && !one_in(choice_, 6))
        ask.verb = Verb::deposit;
    ask.tag = next_tag_++;
    if (ask.verb == Verb::read)
        return ask;
    ask.amount = static_cast<std::int64_t>(choice_.below(ask.verb == Verb::open ? 2 : 400));
    ask.limit = ask.verb == Verb::open ? static_cast<std::int64_t>(choice_.below(300)) : 0;
    ask.note_bytes = ask.verb == Verb::deposit && one_in(choice_, 4) ? choice_.below(2500) : 0;
    if (!one_in(choice_, 4))
        ask.id = fmt::format("client-{}-{}", client.number, ask.tag);
    if (one_in(choice_, 4))
        ask.expected = one_in(choice_, 3) ? static_cast<std::int64_t>(choice_.below(40)) - 2 : version;
    return ask;
}

void Simulation::send(Client& client, const Ask& ask) {
    const std::size_t attempt = journal_.asked(client.number, ask);
    ++waiting_;
    if (!ask.id.empty())
        client.in_flight.push_back(ask);
    simulation::send(*runtime_, ask,
                     [this, &client, attempt, ask](const Told& told) { answered(client, attempt, ask, told); });
}

void Simulation::answered(Client& client, std::size_t attempt, const Ask& ask, const Told& told) {
    answers_.note("answer", told.text,
                  {attempt, static_cast<std::uint64_t>(told.kind), static_cast<std::uint64_t>(told.version)});
    const bool is_answer = told.kind != Told::Kind::unknown && told.kind != Told::Kind::not_done;
    journal_.told(attempt, told);
    if (!ask.id.empty() && ask.verb != Verb::read) {
        client.in_flight.erase(std::ranges::find(client.in_flight, ask));
        // After a failure the same again, while there is hope within this life.
        if (is_answer)
            client.answered.push_back(ask);
        else if (budget_ > 0)
            client.unanswered.push_back(ask);
        else
            client.in_flight.push_back(ask);  // in the next life
    }
    // At once, from within the answer, or after a while.
    if (one_in(choice_, 3))
        take_turn(client);
    else
        sim_.scheduler().call_after(std::chrono::microseconds(choice_.below(2000)),
                                    [this, &client] { take_turn(client); });
}

}  // namespace leftfold::simulation
