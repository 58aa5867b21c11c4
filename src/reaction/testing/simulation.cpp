#include "simulation.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "leftfold/base/murmur2.hpp"
#include "leftfold/rows/sqlite_store.hpp"

namespace leftfold::testing {

namespace {

using namespace std::chrono_literals;
using End = Act::End;

constexpr std::uint32_t kPartitions = 3;
constexpr std::string_view kTopic = "test.book";
constexpr std::string_view kHandled = "test.book.noted";
constexpr std::size_t kLookMax = 4000;

log::Slot slot_of(std::string_view key) {
    return {TopicId(0), partition_of(key, kPartitions)};
}

}  // namespace

// Nobody is called: what a reaction does is in the Script.
struct Simulation::Caller final : HttpCaller {
    void call(HttpCall, Answered) override {}
};

Simulation::Simulation(std::uint64_t seed, Plant plant)
    : sim_(seed),
      choice_(sim_.random_for("reaction")),
      plant_(plant),
      caller_(std::make_unique<Caller>()),
      model_(make_typed_reaction<Probe>("test", "probe", Probe{&script_})) {
    const std::uint64_t count = 2 + choice_.below(8);
    for (std::uint64_t i = 0; i < count; ++i)
        keys_.push_back(fmt::format("key-{}", i));
    script_.act = [this](const Place& place, std::uint32_t attempt) { return draw_act(place, attempt); };
    script_.begun = [this](const Place& place, const Uuid& id) {
        if (runner_->statistics().reopened != std::exchange(reopened_, runner_->statistics().reopened))
            journal_.new_generation();
        generation_of_[place] = journal_.generation();
        // While the disk is gone, nobody can say what is on it.
        if (extend(place.first))
            journal_.began(place, id, known_[place.first]);
    };
    script_.done = [this](const Place& place) { journal_.completed(place, generation_of_[place]); };
}

Simulation::~Simulation() {
    clear_away(false);
}

Problem Simulation::run() {
    const std::uint64_t lives = choice_.below(5);
    for (std::uint64_t life = 0; life < lives; ++life)
        if (auto problem = live_and_die())
            return fmt::format("life {}: {}", life + 1, *problem);
    auto problem = live_to_the_end();
    counts_.completions = journal_.completions();
    counts_.repeats = journal_.repeats();
    return problem ? Problem(fmt::format("last life: {}", *problem)) : std::nullopt;
}

// ---------------------------------------------------------------------------------------------------------------------
// Lives

Problem Simulation::live_and_die() {
    fails_ = true;
    sim_.files().power_off_at(1 + choice_.below(one_in(choice_, 4) ? 150 : 1500));
    if (one_in(choice_, 3))
        sim_.files().fail_operation(1 + choice_.below(400), one_in(choice_, 2) ? ErrorCode::io : ErrorCode::no_space);
    else if (one_in(choice_, 6))
        sim_.files().fail_randomly(100 + choice_.below(300));
    else if (one_in(choice_, 5))
        fail_for_a_while();
    if (start_log()) {
        if (auto problem = start())
            return problem;
        budget_ = 5 + choice_.below(60);
        look();
        if (sim_.scheduler().run_until([this] { return budget_ == 0; }) && one_in(choice_, 5))
            stop_gently();
    }
    if (sim_.is_powered())
        sim_.power_off();
    clear_away();
    ++counts_.crashes;
    if (one_in(choice_, 6))
        sim_.restart_process();
    else
        sim_.restart();
    if (one_in(choice_, 4))
        sim_.clock().jump_wall(std::chrono::seconds(static_cast<std::int64_t>(choice_.below(7200)) - 3600));
    return journal_.problem();
}

// A disk that is gone, and comes back.
void Simulation::fail_for_a_while() {
    sim_.files().fail_operations_from(100 + choice_.below(600),
                                      one_in(choice_, 2) ? ErrorCode::io : ErrorCode::no_space);
    const auto period = std::chrono::milliseconds(100 + choice_.below(400));
    sim_.scheduler().call_after(period, [this, period] {
        sim_.files().cancel_faults();
        sim_.scheduler().call_after(period, [this] { fail_for_a_while(); });
    });
}

Problem Simulation::live_to_the_end() {
    fails_ = true;
    if (!start_log())
        return "the log does not open, though nothing fails any more";
    if (auto problem = start())
        return problem;
    budget_ = 20;
    look();
    if (!sim_.scheduler().run_until([this] { return budget_ == 0; }))
        return "the power went off";
    fails_ = false;
    auto dead = dead_letters();
    if (auto problem = settle(*dead))
        return problem;
    // What has died since, is found by this.
    while (!(dead = dead_letters())->empty()) {
        for (const auto& [key, version] : *dead) {
            bool is_answered = false;
            const auto done = [&, place = Place(key, version)](const Result<>& result) {
                if (result)
                    journal_.discard_confirmed(place);
                is_answered = true;
            };
            if (one_in(choice_, 2)) {
                runner_->retry(std::string(kTopic), key, Version(version),
                               [&](const Result<>&) { is_answered = true; });
            } else {
                journal_.discard_asked({key, version});
                runner_->discard(std::string(kTopic), key, Version(version), "at the end", done);
            }
            if (!sim_.scheduler().run_until([&] { return is_answered; }))
                return "the power went off";
        }
        if (auto problem = settle(*dead_letters()))
            return problem;
    }
    if (auto problem = settle({}))
        return problem;
    stop_gently();
    clear_away();
    return journal_.problem();
}

bool Simulation::start_log() {
    auto log =
        log::open_embedded_log(sim_.env(), {.directory = "/data", .topics = {{std::string(kTopic), kPartitions}}});
    if (!log)
        return false;
    log_ = *std::move(log);
    scan();
    return sim_.is_powered();
}

ReactionOptions Simulation::draw_options() {
    ReactionOptions options{.folder = "/data/reactions/probe"};
    options.open_store = [this](const std::string& path,
                                const rows::Schema& schema) -> Result<std::unique_ptr<rows::RowStore>> {
        LEFTFOLD_TRY(store, rows::open_sqlite_store(sim_.files(), path, schema, {.checkpoint_wal_bytes = 64U << 10U}));
        return std::make_unique<PlantedStore>(std::move(store), *log_, plant_);
    };
    options.concurrency_max = 1 + choice_.below(6);
    options.attempts_max = 1 + choice_.below(4);
    options.retry_first = 5ms;
    options.retry_max = 60ms;
    options.attempt_timeout = 80ms;
    options.stop_grace = 40ms;
    options.window_max = 1 + choice_.below(12);
    options.read_ahead_bytes_max = one_in(choice_, 4) ? 1000 : 100'000;
    options.waiting_keys_max = one_in(choice_, 3) ? 1 + choice_.below(4) : 1000;
    options.key_queue_max = 1 + choice_.below(5);
    options.slow_after = 10ms;
    options.commit_after = std::chrono::milliseconds(choice_.below(10));
    options.store_retry_first = 5ms;
    options.store_retry_max = 40ms;
    return options;
}

Problem Simulation::start() {
    journal_.new_generation();
    reopened_ = 0;
    runner_ = std::make_unique<ReactionRunner>(sim_.env(), *log_, *model_, *caller_, draw_options());
    if (const auto started = runner_->start(); !started)
        return "does not start: " + started.error().message();
    const bool is_up = sim_.scheduler().run_until([this] {
        const ReactionStatus status = runner_->status();
        return status.is_running || status.is_stopped_by_trouble;
    });
    if (!is_up)
        return std::nullopt;
    if (const ReactionStatus status = runner_->status(); status.is_stopped_by_trouble)
        return "stuck: " + status.trouble;
    return check_after_start();
}

Problem Simulation::check_after_start() {
    const auto discarded = this->discarded();
    const bool can_read = std::ranges::all_of(keys_, [this](const std::string& key) { return extend(key); });
    if (!can_read || !discarded)
        return std::nullopt;
    return journal_.check_after_start(known_, *discarded);
}

void Simulation::clear_away(bool counts) {
    if (runner_ && counts) {
        const ReactionStatistics& statistics = runner_->statistics();
        counts_.dead += statistics.dead;
        counts_.retried += statistics.retried;
        counts_.discarded += statistics.discarded;
        counts_.kept += statistics.kept;
        counts_.reopened += statistics.reopened;
    }
    budget_ = 0;
    runner_.reset();
    log_.reset();
}

void Simulation::stop_gently() {
    bool is_stopped = false;
    runner_->stop([&] { is_stopped = true; });
    if (!sim_.scheduler().run_until([&] { return is_stopped; }))
        return;
    is_stopped = false;
    log_->stop([&] { is_stopped = true; });
    static_cast<void>(sim_.scheduler().run_until([&] { return is_stopped; }));
}

// ---------------------------------------------------------------------------------------------------------------------
// What happens in a life

Act Simulation::draw_act(const Place&, std::uint32_t) {
    Act act;
    if (one_in(choice_, 3))
        act.delay = std::chrono::microseconds(choice_.below(one_in(choice_, 6) ? 60'000 : 3'000));
    if (!fails_)
        return act;
    switch (choice_.below(12)) {
        case 0:
        case 1:
            act.end = End::retry;
            break;
        case 2:
            act.end = End::throws;
            break;
        case 3:
            act.end = one_in(choice_, 2) ? End::give_up : End::never;
            break;
        default:
            break;
    }
    return act;
}

void Simulation::look() {
    if (budget_ == 0)
        return;
    --budget_;
    if (one_in(choice_, 4))
        operate();
    else
        append_some();
    sim_.scheduler().call_after(std::chrono::microseconds(choice_.below(one_in(choice_, 5) ? 60'000 : 4'000)),
                                [this] { look(); });
}

void Simulation::append_some() {
    const std::string& key = keys_[one_in(choice_, 3) ? 0 : choice_.below(keys_.size())];
    std::vector<Record> records(1 + choice_.below(3));
    for (Record& record : records) {
        record.meta.id = Uuid::v7(sim_.clock().now(), sim_.seed(), ++appended_);
        record.meta.type = one_in(choice_, 5) ? "test.book.ignored" : kHandled;
        record.payload = R"({"amount":1})";
    }
    static_cast<void>(
        log_->append({.slot = slot_of(key), .key = key, .records = records}, [](const Result<log::Appended>&) {}));
}

void Simulation::operate() {
    const auto letters = runner_->dead_letters({.limit = 1 + choice_.below(5)});
    if (!letters || letters->empty())
        return;
    const DeadLetter& letter = letters->back();
    const Place place(letter.key, letter.version.value());
    if (!one_in(choice_, 3)) {
        runner_->retry(letter.topic, letter.key, letter.version, [](const Result<>&) {});
        return;
    }
    journal_.discard_asked(place);
    runner_->discard(letter.topic, letter.key, letter.version, "of no use", [this, place](const Result<>& result) {
        if (result)
            journal_.discard_confirmed(place);
    });
}

// All that can be done is done, and what cannot is a dead letter. `dead` is of no use but to say that there were some.
Problem Simulation::settle(const std::map<std::string, std::int64_t>&) {
    const auto is_at_rest = [this] {
        const ReactionStatus status = runner_->status();
        const auto letters = runner_->dead_letters({.limit = 1000});
        if (!letters)
            return false;
        std::uint64_t held = 0;
        for (const DeadLetter& letter : *letters)
            held += letter.held;
        const bool is_written = std::ranges::all_of(status.positions, [](const FollowedPosition& position) {
            return position.position == position.durable_end;
        });
        return is_written && status.lag == 0 && status.in_flight == 0 && status.retrying == 0 && status.held == held;
    };
    std::size_t calm = 0;
    for (std::size_t looks = 0; calm < 2; ++looks) {
        if (looks == kLookMax) {
            const ReactionStatus status = runner_->status();
            return fmt::format("does not come to rest: lag {}, {} in flight, {} retrying, {} held, {} dead; {}",
                               status.lag, status.in_flight, status.retrying, status.held, status.dead_letters,
                               status.trouble);
        }
        sim_.scheduler().run_for(25ms);
        if (journal_.problem())
            return journal_.problem();
        calm = is_at_rest() ? calm + 1 : 0;
    }
    const auto dead = dead_letters();
    const auto gone = discarded();
    if (!dead || !gone)
        return "the store cannot be read";
    const ReactionStatus status = runner_->status();
    if (status.dead_letters != dead->size())
        return fmt::format("{} dead letters are counted, and {} are there", status.dead_letters, dead->size());
    scan();
    std::uint64_t held = 0;
    for (const auto& [key, version] : *dead)
        held += static_cast<std::uint64_t>(
            std::ranges::count_if(known_[key].begin() + version, known_[key].end(),
                                  [](const LoggedEvent& event) { return event.is_handled; }));
    if (status.held != held)
        return fmt::format("{} events are held, and {} are counted", held, status.held);
    if (auto problem = journal_.check_after_start(known_, *gone))
        return problem;
    return journal_.check_at_rest(known_, *dead, *gone);
}

// ---------------------------------------------------------------------------------------------------------------------
// Looking at what is there

void Simulation::scan() {
    known_.clear();
    for (const std::string& key : keys_)
        static_cast<void>(extend(key));
}

bool Simulation::extend(const std::string& key) {
    std::vector<LoggedEvent>& stream = known_[key];
    for (int failures = 0; failures < 20 && sim_.is_powered();) {
        const auto read = log_->read_stream(slot_of(key), key, Version(static_cast<std::int64_t>(stream.size()) + 1));
        if (read && read->records().empty())
            return sim_.is_powered();
        if (!read)
            ++failures;
        else
            for (const Record& record : read->records())
                stream.push_back({record.meta.id, record.meta.type == kHandled});
    }
    return false;
}

Result<std::map<std::string, std::int64_t>> Simulation::dead_letters() {
    std::map<std::string, std::int64_t> dead;
    LEFTFOLD_TRY(letters, runner_->dead_letters({.limit = 1000}));
    for (const DeadLetter& letter : letters)
        dead.emplace(letter.key, letter.version.value());
    return dead;
}

Result<std::set<Place>> Simulation::discarded() {
    std::set<Place> places;
    LEFTFOLD_TRY(events, runner_->discarded({.limit = 1000}));
    for (const DiscardedEvent& event : events)
        places.emplace(event.key, event.version.value());
    return places;
}

}  // namespace leftfold::testing
