#include "runner_crash_world.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "leftfold/base/murmur2.hpp"
#include "leftfold/event/json_value.hpp"
#include "leftfold/rows/sqlite_store.hpp"

#include "planted_bugs.hpp"

namespace leftfold::testing {

namespace {

using sim::one_in;

constexpr std::string_view kData = "/data";
constexpr std::string_view kFolder = "/data/projections/tally";
constexpr std::int64_t kPoison = 666;
constexpr std::int64_t kSecondFactor = 10;

rows::SqliteOptions sqlite_options(std::uint64_t checkpoint_bytes) {
    return {.checkpoint_wal_bytes = checkpoint_bytes, .wal_bytes_max = 4 * checkpoint_bytes};
}

std::set<LogPlace> skipped_in(rows::RowReader& reader) {
    std::set<LogPlace> skipped;
    const auto text = reader.value("leftfold.skipped");
    if (!text || !*text)
        return skipped;
    const json::Value list = json::Value::parse(**text).value();
    for (const json::Value& event : *list.array()) {
        skipped.insert({*event.find("topic")->string(), static_cast<std::uint32_t>(*event.find("partition")->integer()),
                        *event.find("position")->integer()});
    }
    return skipped;
}

}  // namespace

RunnerCrashWorld::RunnerCrashWorld(std::uint64_t seed, Planted planted)
    : sim_(seed),
      choice_(seed, "test"),
      planted_(std::move(planted)),
      checkpoint_bytes_(std::uint64_t{4096} << choice_.below(5)) {}

RunnerCrashWorld::~RunnerCrashWorld() {
    die();
}

std::optional<std::string> RunnerCrashWorld::run() {
    const std::uint64_t lives = 1 + choice_.below(4);
    for (std::uint64_t life = 0; life < lives; ++life) {
        if (auto problem = live_and_die())
            return fmt::format("in life {}: {}", life, *problem);
    }
    return live_to_the_end();
}

std::optional<std::string> RunnerCrashWorld::live_and_die() {
    files().power_off_at(1 + choice_.below(one_in(choice_, 4) ? 80 : 1'000));
    if (one_in(choice_, 3))
        files().fail_operation(1 + choice_.below(400), one_in(choice_, 2) ? ErrorCode::io : ErrorCode::no_space);
    else if (one_in(choice_, 4))
        files().fail_randomly(50 + choice_.below(300));
    faults_before_ = files().fault_count();
    if (one_in(choice_, 5))
        is_second_version_ = !is_second_version_;
    std::optional<std::string> problem;
    if (open())
        problem = live();
    end();
    if (problem)
        return problem;
    if (one_in(choice_, 2))
        return check_files();
    return std::nullopt;
}

// Nothing fails any more: all must come right.
std::optional<std::string> RunnerCrashWorld::live_to_the_end() {
    files().cancel_faults();
    faults_before_ = files().fault_count();
    if (!open())
        return "not opened, though nothing fails any more";
    if (auto problem = live())
        return problem;
    poison_.clear();
    tally_->poison() = {};
    static_cast<void>(runner_->retry());
    std::optional<Generation> switched_to;
    const auto is_settled = [&] {
        const ProjectionStatus status = runner_->status();
        if (status.build && status.build->stage == BuildStage::ready &&
            switched_to != status.build->generation.generation) {
            switched_to = status.build->generation.generation;
            runner_->switch_to(*switched_to, [](const Result<>&) {});
        }
        return status.state == ProjectionState::live && status.live->lag() == 0 && !status.build;
    };
    if (!sim_.scheduler().run_until(is_settled))
        return "the power went off";
    if (auto problem = check())
        return problem;
    bool is_begun = false;
    runner_->rebuild([&](const Result<>&) { is_begun = true; });
    if (!sim_.scheduler().run_until([&] { return is_begun && is_settled(); }))
        return "the power went off";
    const ProjectionStatus now = runner_->status();
    for (const PartitionProgress& partition : now.live->partitions)
        counts_.events += static_cast<std::uint64_t>(partition.position.value());
    return check();
}

bool RunnerCrashWorld::open() {
    auto log = log::open_embedded_log(sim_.env(), {.directory = std::string(kData),
                                                   .topics = {{"bank.account", 2}, {"bank.transfer", 1}},
                                                   .segment_bytes = one_in(choice_, 2) ? 16'384U : 262'144U});
    if (!log)
        return false;
    log_ = *std::move(log);
    if (planted_.eager_log)
        eager_ = std::make_unique<EagerLog>(*log_);
    TallyOptions tally{.forgets_to_discard = planted_.forgets_to_discard};
    if (is_second_version_) {
        tally.shape = "tally 2";
        tally.factor = kSecondFactor;
    }
    tally_ = std::make_unique<Tally>(std::move(tally));
    tally_->poison().in_apply = poison_;
    seen_.reset();
    ProjectionRunnerOptions options;
    options.folder = kFolder;
    options.open_store = [this](const std::string& path,
                                const rows::Schema& schema) -> Result<std::unique_ptr<rows::RowStore>> {
        LEFTFOLD_TRY(store, rows::open_sqlite_store(files(), path, schema, sqlite_options(checkpoint_bytes_)));
        return wrapped(std::move(store));
    };
    options.switch_policy = one_in(choice_, 3) ? SwitchPolicy::on_word : SwitchPolicy::automatic;
    options.batch_bytes_max = 1'000 + choice_.below(60'000);
    options.turn_bytes_max = 500 + choice_.below(30'000);
    options.retry_first = std::chrono::milliseconds(1);
    options.retry_max = std::chrono::milliseconds(50);
    runner_ = std::make_unique<ProjectionRunner>(sim_.env(), eager_ ? *eager_ : *log_, *tally_, std::move(options));
    return runner_->start().has_value();
}

std::unique_ptr<rows::RowStore> RunnerCrashWorld::wrapped(std::unique_ptr<rows::RowStore> store) const {
    return planted_.store ? planted_.store(std::move(store)) : std::move(store);
}

std::optional<std::string> RunnerCrashWorld::live() {
    appends_left_ = 20 + choice_.below(80);
    for (std::uint64_t clients = 1 + choice_.below(5); clients > 0; --clients)
        append();
    const std::uint64_t steps = 200 + choice_.below(1'500);
    for (std::uint64_t step = 0; step < steps && sim_.is_powered(); ++step) {
        if (!sim_.scheduler().step())
            break;
        if (one_in(choice_, 40))
            operate();
        if (auto problem = check_seen())
            return problem;
        if (one_in(choice_, 30)) {
            if (auto problem = check())
                return problem;
        }
    }
    return std::nullopt;
}

// A client: its next append follows the answer to the one before. A partition that has stopped refuses.
void RunnerCrashWorld::append() {
    while (appends_left_ > 0 && sim_.is_powered()) {
        --appends_left_;
        const std::string key = fmt::format("account-{}", choice_.below(5));
        const std::string payload =
            fmt::to_string(one_in(choice_, 60) ? kPoison : 1 + static_cast<std::int64_t>(choice_.below(500)));
        std::vector<Record> records(1 + choice_.below(2));
        for (Record& record : records) {
            record.meta.type = one_in(choice_, 10) ? "bank.account.noted" : "bank.account.deposited";
            record.payload = payload;
        }
        log::EventLog& log = eager_ ? *eager_ : *log_;
        if (log.append({.slot = {TopicId(0), partition_of(key, 2)}, .key = key, .records = records},
                       [this](const Result<log::Appended>&) { append(); }))
            return;
    }
}

void RunnerCrashWorld::operate() {
    const ProjectionStatus status = runner_->status();
    const EventFault* fault = status.live && status.live->fault                ? &*status.live->fault
                              : status.build && status.build->generation.fault ? &*status.build->generation.fault
                                                                               : nullptr;
    const auto nobody = [](const Result<>&) {};
    switch (choice_.below(8)) {
        case 0:
            runner_->rebuild(nobody);
            break;
        case 1:
            runner_->switch_back(nobody);
            break;
        case 2:
            if (one_in(choice_, 3))
                runner_->cancel_build(nobody);
            break;
        case 3:
            if (status.build)
                runner_->switch_to(status.build->generation.generation, nobody);
            break;
        case 4:
            // The program was mended, or made worse.
            poison_ = poison_.empty() ? std::set<std::string>{fmt::to_string(kPoison)} : std::set<std::string>();
            tally_->poison().in_apply = poison_;
            break;
        case 5:
            static_cast<void>(runner_->retry());
            break;
        default:
            if (fault == nullptr)
                break;
            ++counts_.stops;
            asked_to_skip_.insert({fault->place.topic, fault->place.partition.value(), fault->place.position.value()});
            runner_->skip(fault->place, [this](const Result<>& skipped) { counts_.skips += skipped ? 1U : 0U; });
            break;
    }
}

// With the power off, after a crash of the machine, a death of the process, or an orderly end.
void RunnerCrashWorld::end() {
    const bool is_orderly = runner_ && sim_.is_powered() && one_in(choice_, 4);
    if (runner_) {
        counts_.switches += runner_->statistics().switches;
        counts_.store_failures += runner_->statistics().store_failures;
    }
    if (is_orderly) {
        bool is_stopped = false;
        runner_->stop([&] { is_stopped = true; });
        static_cast<void>(sim_.scheduler().run_until([&] { return is_stopped; }));
    }
    die();
    if (one_in(choice_, 4)) {
        sim_.restart_process();
    } else {
        sim_.restart();
        ++counts_.crashes;
    }
    files().cancel_faults();
}

void RunnerCrashWorld::die() {
    if (sim_.is_powered())
        sim_.power_off();
    runner_.reset();
    eager_.reset();
    log_.reset();
    tally_.reset();
}

bool RunnerCrashWorld::is_excused() {
    return !sim_.is_powered() || sim_.files().fault_count() != faults_before_;
}

std::optional<std::string> RunnerCrashWorld::check() {
    if (!sim_.is_powered())
        return std::nullopt;
    if (runner_->statistics().generations_lost != 0)
        return "rows were lost: " + runner_->status().remark;
    if (auto problem = check_difference())
        return problem;
    rows::RowReader* reader = runner_->reader();
    return reader == nullptr ? std::nullopt : check_rows(*reader);
}

// Built by the same code from the same log. Events that were skipped before that was mended are in the new rows.
std::optional<std::string> RunnerCrashWorld::check_difference() {
    const auto difference = runner_->status().difference;
    if (!difference || difference->is_equal || !asked_to_skip_.empty())
        return std::nullopt;
    const auto report = read_file(files(), difference->path, 1U << 20U);
    if (!report)
        return is_excused() ? std::nullopt : std::optional<std::string>("the report of a difference cannot be read");
    if (report->find("\"same_shape\":true") == std::string::npos)
        return std::nullopt;
    return "rebuilt rows differ: " + *report;
}

std::optional<std::string> RunnerCrashWorld::check_rows(rows::RowReader& reader) {
    ++counts_.checks;
    const auto positions = reader.positions();
    const auto shape = reader.value("leftfold.shape");
    const auto rows = read_tally(reader);
    const std::set<LogPlace> skipped = skipped_in(reader);
    if (!positions || !shape || !rows)
        return is_excused() ? std::nullopt : std::optional<std::string>("rows cannot be read");
    for (const LogPlace& place : skipped) {
        if (!asked_to_skip_.contains(place))
            return fmt::format("position {} was skipped, which nobody asked for", place.position);
    }
    for (const rows::FoldedPosition& folded : *positions) {
        const auto bounds = log_->bounds({TopicId(0), folded.partition});
        if (bounds && folded.position > bounds->durable_end)
            return fmt::format("folded to {} of partition {}, which is durable to {}", folded.position.value(),
                               folded.partition.value(), bounds->durable_end.value());
    }
    const std::int64_t factor = *shape == "tally 2" ? kSecondFactor : 1;
    const auto expected = tally_of(*log_, *positions, skipped, factor);
    if (!expected)
        return is_excused() ? std::nullopt : std::optional(expected.error().message());
    if (*rows != *expected) {
        std::string text = "rows differ:";
        for (const auto& [account, sum] : expected->accounts) {
            const Sum have = rows->accounts.contains(account) ? rows->accounts.at(account) : Sum();
            text +=
                fmt::format(" {}: {} of {}, total {} of {};", account, have.count, sum.count, have.total, sum.total);
        }
        for (const rows::FoldedPosition& folded : *positions)
            text += fmt::format(" partition {} at {}", folded.partition.value(), folded.position.value());
        return text;
    }
    return std::nullopt;
}

// But for a disk that lost what it had taken: then the store is opened again.
std::optional<std::string> RunnerCrashWorld::check_seen() {
    if (is_excused() || runner_->reader() == nullptr)
        return std::nullopt;
    const auto has_reached = seen_ ? runner_->has_reached(*seen_) : Result<bool>(true);
    if (!has_reached || !*has_reached)
        return "positions that were reached are not any more";
    seen_.emplace(log_->incarnation());
    const ProjectionStatus now = runner_->status();
    for (const PartitionProgress& partition : now.live->partitions)
        seen_->advance(log::topic_hash(partition.topic), partition.partition, partition.position);
    return std::nullopt;
}

std::optional<std::string> RunnerCrashWorld::check_files() {
    faults_before_ = files().fault_count();
    auto log = log::open_embedded_log(
        sim_.env(), {.directory = std::string(kData), .topics = {{"bank.account", 2}, {"bank.transfer", 1}}});
    if (!log)
        return "the log cannot be opened: " + log.error().message();
    log_ = *std::move(log);
    std::optional<std::string> problem;
    const auto entries = files().list(std::string(kFolder));
    for (const DirectoryEntry& entry : entries.value_or(std::vector<DirectoryEntry>())) {
        if (problem || !entry.name.ends_with(".sqlite"))
            continue;
        const auto store = rows::open_sqlite_store(files(), join_path(kFolder, entry.name), Tally().schema());
        if (!store)
            problem = store.error().message();
        else
            problem = check_rows(**store);
        if (problem)
            problem = fmt::format("{}: {}", entry.name, *problem);
    }
    die();
    if (one_in(choice_, 2))
        sim_.restart();
    else
        sim_.restart_process();
    return problem;
}

}  // namespace leftfold::testing
