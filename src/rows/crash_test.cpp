// Crashes of a simulated machine at every kind of moment. What was written and what was confirmed is kept outside of
// the store.
#include <map>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "seeds.hpp"
#include "sim_store.hpp"

namespace leftfold::rows {
namespace {

using sim::one_in;
using sim::PlantedFaults;

// Small: the WAL is copied into the file and begun anew, and caches spill, all the time.
SqliteOptions options_by(sim::SimRandom& choice) {
    constexpr std::uint64_t kPages[] = {1, 8, 40, 1000};
    const std::uint64_t pages = kPages[choice.below(4)];
    return {.writer_cache_bytes = 4096ULL * (one_in(choice, 2) ? 4 : 256),
            .checkpoint_wal_bytes = pages * 4096,
            .wal_bytes_max = (one_in(choice, 2) ? pages : 3 * pages) * 4096};
}

// One machine with its store, through several lives.
class CrashWorld {
  public:
    explicit CrashWorld(std::uint64_t seed, PlantedFaults faults = {})
        : choice_(seed, "test"), world_(seed, options_by(choice_), faults) {}

    // The first contradiction between what was confirmed and what is there.
    std::optional<std::string> run() {
        const std::uint64_t lives = 1 + choice_.below(4);
        for (std::uint64_t life = 0; life < lives; ++life) {
            if (auto problem = live_and_die())
                return fmt::format("in life {}: {}", life, *problem);
        }
        return live_on();
    }

    std::uint64_t sync_count() const noexcept { return sync_count_; }
    std::size_t losses() const noexcept { return world_.oracle().losses(); }

  private:
    sim::SimFileSystem& files() { return world_.files(); }
    bool is_excused() { return !files().is_powered() || files().fault_count() != faults_before_; }

    std::optional<std::string> live_and_die() {
        // Sometimes early enough to hit the making of the file, or the reading of the WAL.
        files().power_off_at(1 + choice_.below(one_in(choice_, 3) ? 60 : 800));
        if (one_in(choice_, 4))
            files().fail_operation(1 + choice_.below(300), one_in(choice_, 2) ? ErrorCode::io : ErrorCode::no_space);
        faults_before_ = files().fault_count();
        auto problem = open();
        for (std::uint64_t step = 0; !problem && world_.is_open() && step < 60; ++step)
            problem = do_something();
        if (one_in(choice_, 4))
            world_.kill();
        else
            world_.crash();
        return problem;
    }

    std::optional<std::string> live_on() {
        faults_before_ = files().fault_count();
        for (int round = 0; round < 2; ++round) {
            if (auto problem = open())
                return problem;
            for (int step = 0; step < 10; ++step)
                if (auto problem = do_something())
                    return problem;
        }
        return std::nullopt;
    }

    // Stays closed where the power went off or an operation was made to fail.
    std::optional<std::string> open() {
        if (auto opened = world_.open(); !opened)
            return is_excused() ? std::nullopt : std::optional("cannot be opened: " + opened.error().message());
        auto problem = world_.check_opened();
        for (auto copy = copies_.begin(); !problem && copy != copies_.end(); ++copy)
            problem = check_copy(copy->first, copy->second);
        if (problem && is_excused()) {
            world_.close();
            return std::nullopt;
        }
        return problem;
    }

    std::optional<std::string> do_something() {
        const std::uint64_t what = choice_.below(20);
        Result<> done;
        if (what < 10) {
            done = world_.transact(1 + choice_.below(one_in(choice_, 5) ? 60 : 6));
        } else if (what < 12) {
            done = world_.transact_and_roll_back(1 + choice_.below(40));
        } else if (what < 14) {
            done = world_.sync();
            sync_count_ += done ? 1U : 0U;
        } else if (what < 15) {
            done = copy();
        } else if (what < 16) {
            return open();
        } else {
            const auto problem = world_.check();
            return is_excused() ? std::nullopt : problem;
        }
        return done || is_excused() ? std::nullopt : std::optional(done.error().message());
    }

    Result<> copy() {
        if (copies_.size() >= 3)
            return {};
        const std::string path = fmt::format("rows/copy-{}", copies_.size());
        Copy& copy = copies_[path];
        copy.contents = world_.oracle().now();
        auto copied = world_.store().copy_to(path);
        copy.is_confirmed = copied.has_value();
        return copied;
    }

    struct Copy {
        Contents contents;
        bool is_confirmed = false;
    };

    // Whole or not at all; and there, if that was said.
    std::optional<std::string> check_copy(const std::string& path, const Copy& copy) {
        const auto exists = files().exists(path);
        if (!exists)
            return exists.error().message();
        if (!*exists)
            return copy.is_confirmed ? std::optional("a copy has gone that was confirmed") : std::nullopt;
        return world_.check_copy(path, copy.contents);
    }

    sim::SimRandom choice_;
    SimStore world_;
    std::map<std::string, Copy> copies_;
    std::uint64_t faults_before_ = 0;
    std::uint64_t sync_count_ = 0;
};

TEST(Crash, store_is_as_some_transaction_left_it_and_what_was_synced_is_there) {
    const Seeds seeds(500);
    std::uint64_t syncs = 0;
    std::size_t losses = 0;
    for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
        CrashWorld world(seed);
        const auto problem = world.run();
        ASSERT_FALSE(problem) << *problem << "\n" << rerun(seed, "Crash.store*");
        syncs += world.sync_count();
        losses += world.losses();
    }
    if (seeds.count >= 500) {
        EXPECT_GT(syncs, seeds.count) << "the worlds hardly sync anything";
        EXPECT_GT(losses, seeds.count / 2) << "the crashes hardly take anything";
    }
}

// Faults planted on purpose: a checker that never objects proves nothing.
TEST(Planted, disk_that_ignores_syncs_is_caught) {
    int caught = 0;
    for (std::uint64_t seed = 1; seed <= 50; ++seed)
        caught += CrashWorld(seed, {.sync_data_lies = true}).run() ? 1 : 0;
    EXPECT_GT(caught, 25);
}

TEST(Planted, disk_that_ignores_syncs_of_names_is_caught) {
    int caught = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed)
        caught += CrashWorld(seed, {.sync_directory_lies = true}).run() ? 1 : 0;
    EXPECT_GT(caught, 10);
}

}  // namespace
}  // namespace leftfold::rows
