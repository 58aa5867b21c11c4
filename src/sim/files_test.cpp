#include "leftfold/sim/files.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/sim/env.hpp"

namespace leftfold::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t kSector = 512;

class SimFileSystemTest : public testing::Test {
  protected:
    std::unique_ptr<File> open(const std::string& path, OpenMode mode = OpenMode::create_or_open) {
        auto file = files.open(path, mode);
        EXPECT_TRUE(file.has_value()) << file.error().message();
        return std::move(*file);
    }
    static Result<> write(File& file, std::uint64_t offset, std::string_view bytes) {
        return file.write_at(offset, bytes_of(bytes));
    }
    static std::string read(File& file) {
        std::string content(file.size().value(), '?');
        content.resize(file.read_at(0, std::as_writable_bytes(std::span(content))).value());
        return content;
    }
    std::string content(const std::string& path) {
        const auto file = open(path, OpenMode::read);
        return read(*file);
    }
    std::vector<std::string> names(const std::string& folder) {
        std::vector<std::string> found;
        const auto entries = files.list(folder).value();
        for (const DirectoryEntry& entry : entries)
            found.push_back(entry.name);
        return found;
    }
    // A file whose name and content are durable.
    void make_durable(const std::string& path, std::string_view bytes) {
        const auto file = open(path);
        ASSERT_TRUE(write(*file, 0, bytes));
        ASSERT_TRUE(file->sync_data());
        ASSERT_TRUE(files.sync_directory("/"));
    }

    Trace trace;
    SimFileSystem files{SimRandom(1), trace};
};

TEST_F(SimFileSystemTest, sparse_file_reads_zero_between) {
    const auto file = open("f");
    ASSERT_TRUE(write(*file, 10'000, "end"));
    EXPECT_EQ(read(*file), std::string(10'000, '\0') + "end");
    ASSERT_TRUE(file->truncate(10'001));
    ASSERT_TRUE(file->truncate(10'003));
    EXPECT_EQ(read(*file), std::string(10'000, '\0') + "e" + std::string(2, '\0'));
}

TEST_F(SimFileSystemTest, handles_and_locks_die_with_the_process) {
    const auto file = open("f");
    const auto lock = files.lock("lock");
    ASSERT_TRUE(lock.has_value());
    EXPECT_EQ(files.lock("lock").error().code(), ErrorCode::unavailable);
    files.crash();
    EXPECT_EQ(file->size().error().code(), ErrorCode::closed);
    EXPECT_EQ(write(*file, 0, "x").error().code(), ErrorCode::closed);
    EXPECT_EQ(file->sync_data().error().code(), ErrorCode::closed);
    EXPECT_TRUE(files.lock("lock").has_value());
}

TEST_F(SimFileSystemTest, killed_process_leaves_the_page_cache) {
    const auto file = open("f");
    ASSERT_TRUE(write(*file, 0, "not synced"));
    files.kill_process();
    EXPECT_EQ(file->size().error().code(), ErrorCode::closed);
    EXPECT_EQ(content("f"), "not synced");
}

// The bytes are the old ones, the new ones, or of a third kind; each outcome of 1,000 seeds is told by looking, not by
// asking.
enum class Seen { kept, dropped, torn, trashed };

Seen look(const std::string& found, char old_byte, char new_byte) {
    const bool all_known = found.find_first_not_of({old_byte, new_byte}) == std::string::npos;
    if (!all_known)
        return Seen::trashed;
    const bool any_old = found.contains(old_byte);
    const bool any_new = found.contains(new_byte);
    return any_old && any_new ? Seen::torn : any_new ? Seen::kept : Seen::dropped;
}

std::map<Seen, int> crash_after_write(bool with_sync, PlantedFaults planted) {
    std::map<Seen, int> seen;
    const std::string old_bytes(4 * kSector, 'o');
    const std::string new_bytes(4 * kSector, 'n');
    for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
        Trace trace;
        SimFileSystem files(SimRandom(seed), trace);
        const auto write = [&](std::string_view bytes) {
            auto file = files.open("f", OpenMode::create_or_open).value();
            EXPECT_TRUE(file->write_at(0, bytes_of(bytes)));
            return file;
        };
        EXPECT_TRUE(write(old_bytes)->sync_data());
        EXPECT_TRUE(files.sync_directory("/"));
        files.plant(planted);
        const auto file = write(new_bytes);
        if (with_sync) {
            EXPECT_TRUE(file->sync_data());
        }
        files.crash();
        ++seen[look(read_file(files, "f", 1'000'000).value(), 'o', 'n')];
    }
    return seen;
}

TEST(SimFileSystemCrash, write_without_sync_meets_every_fate) {
    const auto seen = crash_after_write(false, {});
    EXPECT_EQ(seen.size(), 4U);
    for (const auto& [fate, count] : seen)
        EXPECT_GT(count, 50) << "fate " << static_cast<int>(fate);
}

TEST(SimFileSystemCrash, write_with_sync_is_never_lost) {
    EXPECT_EQ(crash_after_write(true, {}), (std::map<Seen, int>{{Seen::kept, 1'000}}));
}

TEST(SimFileSystemCrash, lying_sync_loses) {
    EXPECT_EQ(crash_after_write(true, PlantedFaults{.sync_data_lies = true}).size(), 4U);
}

TEST(SimFileSystemCrash, unsynced_write_spares_durable_neighbours) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        Trace trace;
        SimFileSystem files(SimRandom(seed), trace);
        const auto file = files.open("f", OpenMode::create_new).value();
        ASSERT_TRUE(file->write_at(0, bytes_of(std::string(2'000, 'd'))));
        ASSERT_TRUE(file->sync_data());
        ASSERT_TRUE(files.sync_directory("/"));
        ASSERT_TRUE(file->write_at(700, bytes_of(std::string(600, 'n'))));
        files.crash();
        const std::string found = read_file(files, "f", 10'000).value();
        ASSERT_EQ(found.size(), 2'000U);
        EXPECT_EQ(found.substr(0, 700) + found.substr(1'300), std::string(1'400, 'd')) << "seed " << seed;
    }
}

TEST(SimFileSystemCrash, later_write_may_survive_an_earlier_one) {
    int inverted = 0;
    std::map<std::size_t, int> sizes;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        Trace trace;
        SimFileSystem files(SimRandom(seed), trace);
        const auto file = files.open("f", OpenMode::create_new).value();
        ASSERT_TRUE(file->sync_data());
        ASSERT_TRUE(files.sync_directory("/"));
        ASSERT_TRUE(file->write_at(0, bytes_of("first")));
        ASSERT_TRUE(file->write_at(5, bytes_of("later")));
        files.crash();
        const std::string found = read_file(files, "f", 100).value();
        ++sizes[found.size()];
        inverted += found == std::string(5, '\0') + "later";
    }
    EXPECT_GT(inverted, 5);
    EXPECT_EQ(sizes.size(), 3U) << "sizes 0, 5 and 10";
}

TEST(SimFileSystemCrash, allocated_space_reads_zero_or_is_not_there) {
    std::map<std::string, int> seen;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        Trace trace;
        SimFileSystem files(SimRandom(seed), trace);
        const auto file = files.open("f", OpenMode::create_new).value();
        ASSERT_TRUE(files.sync_directory("/"));
        ASSERT_TRUE(file->allocate(100));
        files.crash();
        ++seen[read_file(files, "f", 1'000).value()];
    }
    EXPECT_EQ(seen.size(), 2U);
    EXPECT_TRUE(seen.contains(""));
    EXPECT_TRUE(seen.contains(std::string(100, '\0')));
}

// What is left of the root folder over many seeds, after `change` to a durable file "old" with content "old".
std::map<std::string, int> roots_after(const std::function<void(SimFileSystem&)>& change, bool with_sync) {
    std::map<std::string, int> seen;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        Trace trace;
        SimFileSystem files(SimRandom(seed), trace);
        EXPECT_TRUE(replace_file(files, "/old", "old"));
        change(files);
        if (with_sync) {
            EXPECT_TRUE(files.sync_directory("/"));
        }
        files.crash();
        std::string found;
        const auto entries = files.list("/").value();
        for (const DirectoryEntry& entry : entries)
            found += entry.name + " ";
        ++seen[found];
    }
    return seen;
}

void create_two(SimFileSystem& files) {
    EXPECT_TRUE(files.open("a", OpenMode::create_new));
    EXPECT_TRUE(files.open("b", OpenMode::create_new));
}

TEST(SimFileSystemCrash, unsynced_names_survive_in_every_combination) {
    const auto seen = roots_after(create_two, false);
    EXPECT_EQ(seen.size(), 4U);
    EXPECT_TRUE(seen.contains("b old ")) << "a later name without an earlier one";
}

TEST(SimFileSystemCrash, synced_names_survive) {
    EXPECT_EQ(roots_after(create_two, true), (std::map<std::string, int>{{"a b old ", 400}}));
}

TEST(SimFileSystemCrash, rename_is_whole_or_not_at_all) {
    const auto seen = roots_after([](SimFileSystem& files) { EXPECT_TRUE(files.rename("old", "new")); }, false);
    EXPECT_EQ(seen.size(), 2U);
    EXPECT_TRUE(seen.contains("old "));
    EXPECT_TRUE(seen.contains("new "));
}

TEST(SimFileSystemCrash, chain_of_renames_never_doubles_a_name) {
    const auto rename_twice = [](SimFileSystem& files) {
        EXPECT_TRUE(files.rename("old", "newer"));
        EXPECT_TRUE(files.rename("newer", "newest"));
    };
    const auto seen = roots_after(rename_twice, false);
    EXPECT_THAT(seen,
                testing::UnorderedElementsAre(testing::Key("old "), testing::Key("newer "), testing::Key("newest ")));
}

TEST(SimFileSystemCrash, removed_file_may_come_back_until_its_folder_is_synced) {
    const auto remove = [](SimFileSystem& files) { EXPECT_TRUE(files.remove("old")); };
    EXPECT_THAT(roots_after(remove, false), testing::UnorderedElementsAre(testing::Key("old "), testing::Key("")));
    EXPECT_THAT(roots_after(remove, true), testing::UnorderedElementsAre(testing::Key("")));
}

TEST(SimFileSystemCrash, file_in_an_unsynced_folder_is_lost_with_it) {
    int lost = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        Trace trace;
        SimFileSystem files(SimRandom(seed), trace);
        ASSERT_TRUE(files.create_directories("a/b"));
        ASSERT_TRUE(replace_file(files, "a/b/f", "content"));
        files.crash();
        const bool is_there = files.exists("a/b/f").value();
        lost += !is_there;
        if (is_there) {
            EXPECT_EQ(read_file(files, "a/b/f", 100).value(), "content");
        }
    }
    EXPECT_GT(lost, 10);
}

TEST(SimFileSystemCrash, replace_file_leaves_old_or_new) {
    std::map<std::string, int> seen;
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        Trace trace;
        SimFileSystem files(SimRandom(seed), trace);
        ASSERT_TRUE(replace_file(files, "/f", "old"));
        files.power_off_at(1 + seed % 8);
        const bool replaced = replace_file(files, "/f", "new").has_value();
        files.crash();
        const std::string found = read_file(files, "/f", 100).value();
        if (replaced) {
            EXPECT_EQ(found, "new");
        }
        ++seen[found];
    }
    EXPECT_THAT(seen, testing::UnorderedElementsAre(testing::Key("old"), testing::Key("new")));
}

TEST(SimFileSystemCrash, lying_sync_breaks_replace_file) {
    std::map<std::string, int> seen;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Trace trace;
        SimFileSystem files(SimRandom(seed), trace);
        ASSERT_TRUE(replace_file(files, "/f", "old"));
        files.plant({.sync_data_lies = true});
        ASSERT_TRUE(replace_file(files, "/f", "new"));
        files.crash();
        ++seen[read_file(files, "/f", 100).value()];
    }
    EXPECT_GT(seen.size(), 2U);
}

TEST_F(SimFileSystemTest, failed_sync_leaves_the_cache_to_be_believed_and_the_disk_without) {
    int lost = 0;
    for (int round = 0; round < 20; ++round) {
        const std::string path = "f" + std::to_string(round);
        make_durable(path, "old");
        const auto file = open(path);
        ASSERT_TRUE(write(*file, 0, "new"));
        files.fail_operation(1, ErrorCode::io);
        EXPECT_EQ(file->sync_data().error().code(), ErrorCode::io);
        EXPECT_EQ(read(*file), "new") << "from the cache";
        EXPECT_TRUE(file->sync_data()) << "a second sync has nothing to write";
        ASSERT_TRUE(file->drop_cache());
        const std::string found = read(*file);
        EXPECT_THAT(found, testing::AnyOf("old", "new"));
        lost += found == "old";
        ASSERT_TRUE(write(*file, 0, "new"));
        EXPECT_TRUE(file->sync_data());
        files.crash();
        EXPECT_EQ(content(path), "new") << "written again";
    }
    EXPECT_GT(lost, 5);
}

TEST_F(SimFileSystemTest, dropping_the_cache_keeps_dirty_pages) {
    make_durable("f", "0123456789");
    const auto file = open("f");
    ASSERT_TRUE(write(*file, 2, "ab"));
    ASSERT_TRUE(file->truncate(8));
    ASSERT_TRUE(write(*file, 9, "z"));
    const std::string before = read(*file);
    ASSERT_TRUE(file->drop_cache());
    EXPECT_EQ(read(*file), before);
    EXPECT_EQ(before, std::string("01ab4567\0z", 10));
}

TEST_F(SimFileSystemTest, every_nth_operation_can_be_failed) {
    for (const ErrorCode code : {ErrorCode::io, ErrorCode::no_space, ErrorCode::read_only}) {
        std::uint64_t n = 1;
        for (;; ++n) {
            files.fail_operation(n, code);
            const std::uint64_t faults = files.fault_count();
            const auto replaced = replace_file(files, "/f", "content");
            files.cancel_faults();
            if (files.fault_count() == faults) {
                EXPECT_TRUE(replaced) << replaced.error().message();
                break;
            }
            ASSERT_FALSE(replaced);
            EXPECT_THAT((std::vector{code, ErrorCode::io}), testing::Contains(replaced.error().code()));
        }
        EXPECT_EQ(n, 7U) << "open, truncate, write, sync, rename, sync folder";
    }
}

TEST_F(SimFileSystemTest, operations_are_told_before_they_take_place) {
    std::vector<std::string> told;
    files.on_operation([&](std::uint64_t number, std::string_view what, const std::string& path) {
        told.push_back(std::to_string(number) + " " + std::string(what) + " " + path);
    });
    ASSERT_TRUE(replace_file(files, "/f", "content"));
    EXPECT_THAT(told, ElementsAre("1 open /f.tmp", "2 truncate /f.tmp", "3 write to /f.tmp", "4 sync /f.tmp",
                                  "5 rename to /f", "6 sync folder /"));
}

TEST_F(SimFileSystemTest, failing_from_an_operation_on_lasts) {
    const auto file = open("f");
    files.fail_operations_from(2, ErrorCode::read_only);
    EXPECT_TRUE(write(*file, 0, "x"));
    EXPECT_EQ(write(*file, 0, "y").error().code(), ErrorCode::read_only);
    EXPECT_EQ(write(*file, 0, "z").error().code(), ErrorCode::read_only);
    EXPECT_EQ(file->size().error().code(), ErrorCode::io) << "asking for the size writes nothing";
    files.cancel_faults();
    EXPECT_EQ(read(*file), "x");
}

TEST_F(SimFileSystemTest, failed_write_leaves_any_part) {
    std::map<std::size_t, int> lengths;
    for (int i = 0; i < 200; ++i) {
        const auto file = open("f" + std::to_string(i));
        files.fail_operation(1, ErrorCode::io);
        EXPECT_FALSE(write(*file, 0, "abc"));
        ++lengths[file->size().value()];
    }
    EXPECT_EQ(lengths.size(), 4U);
}

TEST_F(SimFileSystemTest, random_faults_hit_about_their_share) {
    const auto file = open("f");
    files.fail_randomly(10);
    int failed = 0;
    for (int i = 0; i < 1'000; ++i)
        failed += !write(*file, 0, "x").has_value();
    EXPECT_GT(failed, 50);
    EXPECT_LT(failed, 200);
    EXPECT_EQ(files.fault_count(), static_cast<std::uint64_t>(failed));
}

TEST_F(SimFileSystemTest, full_disk_writes_what_fits_and_says_no_space) {
    files.set_capacity(10);
    const auto file = open("f");
    ASSERT_TRUE(file->allocate(6));
    EXPECT_EQ(file->allocate(11).error().code(), ErrorCode::no_space);
    EXPECT_EQ(file->size().value(), 6U);
    EXPECT_TRUE(write(*file, 0, "012345")) << "space that is allocated";
    const auto other = open("other");
    EXPECT_EQ(write(*other, 0, "abcdef").error().code(), ErrorCode::no_space);
    EXPECT_EQ(read(*other), "abcd");
    EXPECT_EQ(files.used_bytes(), 10U);
    ASSERT_TRUE(files.remove("other"));
    EXPECT_EQ(files.used_bytes(), 10U) << "still open";
    files.set_capacity(0);
    EXPECT_TRUE(write(*file, 0, "0123456789abc"));
}

TEST_F(SimFileSystemTest, read_only_disk_refuses_changes_and_reads) {
    make_durable("f", "content");
    const auto file = open("f");
    files.set_read_only(true);
    EXPECT_EQ(content("f"), "content");
    EXPECT_EQ(write(*file, 0, "x").error().code(), ErrorCode::read_only);
    EXPECT_EQ(files.open("g", OpenMode::create_new).error().code(), ErrorCode::read_only);
    EXPECT_EQ(files.remove("f").error().code(), ErrorCode::read_only);
    EXPECT_EQ(files.rename("f", "g").error().code(), ErrorCode::read_only);
    EXPECT_EQ(files.create_directories("d").error().code(), ErrorCode::read_only);
    files.set_read_only(false);
    EXPECT_TRUE(write(*file, 0, "x"));
}

TEST_F(SimFileSystemTest, power_failure_within_an_operation_stops_it_and_all_later) {
    bool told = false;
    files.on_power_off([&] { told = true; });
    const auto file = open("f");
    files.power_off_at(2);
    EXPECT_TRUE(write(*file, 0, "a"));
    EXPECT_EQ(write(*file, 1, "b").error().code(), ErrorCode::closed);
    EXPECT_TRUE(told);
    EXPECT_FALSE(files.is_powered());
    EXPECT_EQ(files.exists("f").error().code(), ErrorCode::closed);
    files.crash();
    EXPECT_TRUE(files.is_powered());
}

TEST_F(SimFileSystemTest, unlinked_open_file_lives_until_closed) {
    const auto file = open("f");
    ASSERT_TRUE(write(*file, 0, "content"));
    ASSERT_TRUE(files.remove("f"));
    ASSERT_TRUE(files.sync_directory("/"));
    EXPECT_EQ(read(*file), "content");
    EXPECT_THAT(names("/"), IsEmpty());
}

TEST_F(SimFileSystemTest, rename_moves_folders_and_refuses_cycles) {
    ASSERT_TRUE(files.create_directories("a/b"));
    ASSERT_TRUE(files.create_directories("c"));
    EXPECT_EQ(files.rename("a", "a/b/d").error().code(), ErrorCode::invalid_argument);
    ASSERT_TRUE(files.rename("a", "c/a"));
    EXPECT_THAT(names("c/a"), ElementsAre("b"));
    EXPECT_FALSE(files.remove("c").has_value()) << "not empty";
    EXPECT_FALSE(files.rename("c/a/b", "c").has_value()) << "not empty";
}

// A little program with files and workers under faults and crashes.
std::uint64_t trace_of(std::uint64_t seed) {
    SimEnv sim(seed);
    Env& env = sim.env();
    for (int boot = 0; boot < 3; ++boot) {
        const auto worker = env.workers.start("disk", env.scheduler);
        sim.files().fail_randomly(20);
        sim.files().power_off_at(30 + env.random.below(20));
        std::function<void()> again = [&] {
            worker->submit([&] { static_cast<void>(replace_file(env.files, "/f", std::to_string(env.random.next()))); },
                           [&] { again(); });
        };
        again();
        EXPECT_FALSE(sim.scheduler().run_until([] { return false; }));
        sim.restart();
    }
    return sim.trace().hash();
}

TEST(SimEnv, one_seed_is_one_execution) {
    std::map<std::uint64_t, int> hashes;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const std::uint64_t hash = trace_of(seed);
        EXPECT_EQ(trace_of(seed), hash) << "seed " << seed;
        ++hashes[hash];
    }
    EXPECT_EQ(hashes.size(), 50U);
}

TEST(SimEnv, only_a_crash_of_the_machine_loses_what_was_not_synced) {
    int lost = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        SimEnv sim(seed);
        Env& env = sim.env();
        const auto write = [&] {
            EXPECT_TRUE(env.files.open("f", OpenMode::create_or_open).value()->write_at(0, bytes_of("content")));
            sim.power_off();
            EXPECT_FALSE(sim.is_powered());
        };
        write();
        sim.restart_process();
        EXPECT_EQ(read_file(env.files, "f", 100).value(), "content") << "seed " << seed;
        write();
        sim.restart();
        lost += read_file(env.files, "f", 100).value_or("") != "content";
    }
    EXPECT_GT(lost, 50);
    EXPECT_LT(lost, 100);
}

}  // namespace
}  // namespace leftfold::sim
