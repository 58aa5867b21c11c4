#include "leftfold/reaction/runner.hpp"

#include <algorithm>
#include <numeric>

#include "testing/world.hpp"

namespace leftfold {
namespace {

using namespace std::chrono_literals;
using testing::Act;
using testing::Place;
using testing::World;
using End = Act::End;

std::vector<std::int64_t> versions(std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(last - first + 1));
    std::iota(all.begin(), all.end(), first);
    return all;
}

TEST(Reaction, events_of_a_key_are_handled_one_after_the_other_and_keys_side_by_side) {
    World world;
    world.script.act = [](const Place&, std::uint32_t) { return Act{.delay = 10ms}; };
    world.start();
    for (int i = 0; i < 40; ++i)
        world.append(fmt::format("key-{}", i), 3);
    world.settle();
    for (int i = 0; i < 40; ++i)
        EXPECT_EQ(world.script.completed_of(fmt::format("key-{}", i)), versions(1, 3));
    EXPECT_EQ(world.script.under_way_max, 16U);
    EXPECT_EQ(world.statistics().done, 120U);
    EXPECT_EQ(world.status().lag, 0);
}

TEST(Reaction, what_it_does_not_handle_passes) {
    World world;
    world.start();
    world.append("a", 2, "test.book.ignored");
    world.append("a");
    world.append("a", 2, "test.book.unheard-of");
    world.settle();
    EXPECT_EQ(world.script.completed_of("a"), versions(3, 3));
}

TEST(Reaction, starts_at_the_beginning_or_now) {
    for (const StartAt start : {StartAt::beginning, StartAt::now}) {
        World world({.start_at = start});
        world.append("a", 3);
        world.start();
        world.append("a");
        world.settle();
        EXPECT_EQ(world.script.completed_of("a"), start == StartAt::now ? versions(4, 4) : versions(1, 4));
        world.restart();
        world.append("a");
        world.settle();
        EXPECT_EQ(world.script.completed_of("a").back(), 5);
        EXPECT_EQ(world.script.completed_of("a").size(), start == StartAt::now ? 2U : 5U) << "nothing is repeated";
    }
}

TEST(Reaction, failed_attempts_are_repeated_with_growing_jittered_pauses) {
    World world;
    std::vector<MonotonicTime> times;
    world.script.act = [&](const Place&, std::uint32_t attempt) {
        EXPECT_EQ(attempt, times.size() + 1);
        times.push_back(world.sim().clock().monotonic());
        return Act{.end = attempt <= 4 ? (attempt % 2 == 0 ? End::retry : End::throws) : End::done};
    };
    world.start();
    world.append("a");
    world.run_until([&] { return !world.script.completed.empty(); });
    ASSERT_EQ(times.size(), 5U);
    for (std::size_t i = 0; i + 1 < times.size(); ++i) {
        const Duration longest = 1s * (1 << i);
        EXPECT_GE(times[i + 1] - times[i], longest / 2) << i;
        EXPECT_LE(times[i + 1] - times[i], longest + 1ms) << i;
    }
    world.settle();
    EXPECT_EQ(world.status().retrying, 0U);
    EXPECT_EQ(world.status().held, 0U);
}

TEST(Reaction, retry_after_is_heeded) {
    World world;
    std::vector<MonotonicTime> times;
    world.script.act = [&](const Place&, std::uint32_t attempt) {
        times.push_back(world.sim().clock().monotonic());
        return Act{.end = attempt == 1 ? End::retry : End::done, .at_least = 30s};
    };
    world.start();
    world.append("a");
    world.run_until([&] { return !world.script.completed.empty(); });
    EXPECT_GE(times.at(1) - times.at(0), 30s);
}

TEST(Reaction, dead_letter_holds_back_its_key_only) {
    World world;
    world.script.act = [](const Place& place, std::uint32_t) {
        return Act{.end = place == Place("bad", 2) ? End::retry : End::done};
    };
    world.start();
    world.append("bad", 4);
    world.append("good", 4);
    world.run_until([&] { return world.status().dead_letters == 1; });
    world.settle();
    EXPECT_EQ(world.statistics().failed, 10U);
    EXPECT_EQ(world.script.completed_of("bad"), versions(1, 1));
    EXPECT_EQ(world.script.completed_of("good"), versions(1, 4));
    world.append("bad", 2);
    world.append("good");
    world.settle();
    EXPECT_EQ(world.script.completed_of("good"), versions(1, 5));
    EXPECT_EQ(world.status().held, 4U);

    const auto letters = world.runner().dead_letters();
    ASSERT_TRUE(letters);
    ASSERT_EQ(letters->size(), 1U);
    EXPECT_EQ(letters->front().key, "bad");
    EXPECT_EQ(letters->front().version, Version(2));
    EXPECT_EQ(letters->front().attempts, 10U);
    EXPECT_EQ(letters->front().error, "later");
    EXPECT_EQ(letters->front().event_type, "test.book.noted");
    EXPECT_EQ(letters->front().held, 4U);
    EXPECT_EQ(world.runner().show("test.book", "bad")->version, Version(2));
    EXPECT_EQ(world.runner().show("test.book", "good").error().code(), ErrorCode::not_found);
    EXPECT_EQ(world.runner().show("test.other", "bad").error().code(), ErrorCode::not_found);
}

TEST(Reaction, dead_letter_survives_restarts_and_goes_on_when_retried) {
    World world;
    bool is_mended = false;
    world.script.act = [&](const Place& place, std::uint32_t attempt) {
        if (is_mended)
            EXPECT_EQ(attempt, 1U);
        return Act{.end = !is_mended && place == Place("bad", 1) ? End::give_up : End::done};
    };
    world.start();
    world.append("bad", 200);
    world.settle();
    EXPECT_EQ(world.statistics().attempts, 1U) << "gave up at once";
    world.restart();
    world.append("bad", 1);
    world.settle();
    EXPECT_EQ(world.status().dead_letters, 1U);
    EXPECT_EQ(world.status().held, 200U);
    EXPECT_EQ(world.retry("bad", 2).error().code(), ErrorCode::conflict);
    EXPECT_EQ(world.retry("good", 1).error().code(), ErrorCode::not_found);
    is_mended = true;
    EXPECT_TRUE(world.retry("bad", 1));
    world.settle();
    world.run_until([&] { return world.script.completed.size() == 201; });
    EXPECT_EQ(world.script.completed_of("bad"), versions(1, 201));
    world.settle();
    EXPECT_EQ(world.status().dead_letters, 0U);
    EXPECT_EQ(world.status().held, 0U);
    world.restart();
    world.append("bad");
    world.settle();
    EXPECT_EQ(world.script.completed_of("bad").size(), 202U) << "nothing is repeated";
}

TEST(Reaction, discarded_event_is_recorded_and_the_next_goes_on) {
    World world;
    world.script.act = [](const Place& place, std::uint32_t) {
        return Act{.end = place.second < 3 ? End::give_up : End::done};
    };
    world.start();
    world.append("a", 4);
    world.settle();
    EXPECT_EQ(world.discard("a", 1, "").error().code(), ErrorCode::invalid_argument);
    EXPECT_TRUE(world.discard("a", 1, "a test of ours"));
    world.settle();
    EXPECT_EQ(world.runner().show("test.book", "a")->version, Version(2));
    world.restart();
    EXPECT_TRUE(world.discard("a", 2, "another"));
    world.settle();
    EXPECT_EQ(world.script.completed_of("a"), versions(3, 4));
    const auto discarded = world.runner().discarded();
    ASSERT_TRUE(discarded);
    ASSERT_EQ(discarded->size(), 2U);
    EXPECT_EQ(discarded->front().version, Version(1));
    EXPECT_EQ(discarded->front().reason, "a test of ours");
    EXPECT_EQ(discarded->front().error, "never");
    EXPECT_EQ(world.runner().discarded({.after = discarded->front()})->front().version, Version(2));
    EXPECT_EQ(world.runner().dead_letters()->size(), 0U);
}

TEST(Reaction, dead_letters_come_in_pages_oldest_first) {
    World world;
    world.script.act = [](const Place&, std::uint32_t) { return Act{.end = End::give_up}; };
    world.start();
    for (int i = 0; i < 25; ++i) {
        world.append(fmt::format("key-{:02}", (i * 7) % 25));
        world.settle();
    }
    std::vector<std::string> keys;
    DeadLetterPage page{.limit = 10};
    while (true) {
        const auto letters = world.runner().dead_letters(page);
        ASSERT_TRUE(letters);
        if (letters->empty())
            break;
        for (const DeadLetter& letter : *letters)
            keys.push_back(letter.key);
        page.after = letters->back();
    }
    ASSERT_EQ(keys.size(), 25U);
    for (int i = 0; i < 25; ++i)
        EXPECT_EQ(keys[static_cast<std::size_t>(i)], fmt::format("key-{:02}", (i * 7) % 25));
}

TEST(Reaction, attempts_so_far_survive_a_restart) {
    World world({.attempts_max = 4});
    std::vector<std::uint32_t> attempts;
    world.script.act = [&](const Place&, std::uint32_t attempt) {
        attempts.push_back(attempt);
        return Act{.end = End::retry};
    };
    world.start();
    world.append("a");
    world.run_until([&] { return attempts.size() == 2; });
    world.settle();
    world.restart();
    world.run_until([&] { return world.status().dead_letters == 1; });
    EXPECT_EQ(attempts, (std::vector<std::uint32_t>{1, 2, 3, 4}));
}

TEST(Reaction, slow_attempt_does_not_hold_back_the_position) {
    World world({.window_max = 8});
    world.script.act = [](const Place& place, std::uint32_t) {
        return Act{.delay = place.first == "slow" ? Duration(100s) : Duration(0)};
    };
    world.start();
    world.append("slow", 2);
    // Keys of the same partition.
    std::vector<std::string> keys;
    for (int i = 0; keys.size() < 30; ++i)
        if (const std::string key = fmt::format("key-{}", i); World::slot_of(key) == World::slot_of("slow"))
            keys.push_back(key);
    for (const std::string& key : keys)
        world.append(key);
    world.run_for(1500ms);
    EXPECT_EQ(world.script.completed.size(), 30U);
    EXPECT_EQ(world.status().lag, 0);
    EXPECT_EQ(world.status().held, 1U);
    world.run_for(300s);
    EXPECT_EQ(world.script.completed_of("slow"), versions(1, 2));
    EXPECT_EQ(world.status().held, 0U);
}

TEST(Reaction, key_with_many_events_does_not_hold_back_others) {
    World world({.window_max = 8, .key_queue_max = 3});
    world.script.act = [](const Place& place, std::uint32_t) {
        return Act{.delay = place.first == "hot" ? Duration(10s) : Duration(0)};
    };
    world.append("hot", 50);
    std::string other;
    for (int i = 0; other.empty(); ++i)
        if (const std::string key = fmt::format("key-{}", i); World::slot_of(key) == World::slot_of("hot"))
            other = key;
    world.append(other);
    world.start();
    world.run_for(5s);
    EXPECT_EQ(world.script.completed_of(other), versions(1, 1));
    EXPECT_EQ(world.script.completed_of("hot"), std::vector<std::int64_t>());
    world.run_until([&] { return world.script.completed.size() == 51; });
    EXPECT_EQ(world.script.completed_of("hot"), versions(1, 50));
}

TEST(Reaction, with_too_many_keys_waiting_it_stops_reading) {
    World world({.attempts_max = 1000, .retry_first = 1h, .retry_max = 1h, .window_max = 16, .waiting_keys_max = 5});
    bool is_up = false;
    world.script.act = [&](const Place&, std::uint32_t) { return Act{.end = is_up ? End::done : End::retry}; };
    for (int i = 0; i < 500; ++i)
        world.append(fmt::format("key-{}", i));
    world.start();
    world.run_for(10s);
    EXPECT_GE(world.status().retrying, 5U);
    // Besides the keys, what was in the windows already.
    EXPECT_LE(world.statistics().attempts, 5U + 2 * 16 + 16);
    is_up = true;
    world.run_until([&] { return world.script.completed.size() == 500; });
}

TEST(Reaction, attempt_that_takes_too_long_is_cancelled_and_has_failed) {
    World world({.attempts_max = 2, .attempt_timeout = 10s});
    world.script.act = [](const Place&, std::uint32_t) { return Act{.end = End::never}; };
    world.start();
    world.append("a");
    world.run_until([&] { return world.status().dead_letters == 1; });
    EXPECT_EQ(world.script.cancelled, 2U);
    world.settle();
    EXPECT_NE(world.runner().show("test.book", "a")->error.find("longer than 10 s"), std::string::npos);
}

TEST(Reaction, stop_waits_for_attempts_and_repeats_nothing_that_is_done) {
    World world({.concurrency_max = 2});
    world.script.act = [](const Place&, std::uint32_t) { return Act{.delay = 5s}; };
    world.start();
    for (int i = 0; i < 6; ++i)
        world.append(fmt::format("key-{}", i));
    world.run_until([&] { return world.status().in_flight == 2; });
    world.stop();
    EXPECT_EQ(world.script.completed.size(), 2U);
    EXPECT_EQ(world.script.cancelled, 0U);
    world.start();
    world.run_until([&] { return world.script.completed.size() >= 6; });
    world.settle();
    std::ranges::sort(world.script.completed);
    EXPECT_EQ(std::ranges::adjacent_find(world.script.completed), world.script.completed.end());
}

TEST(Reaction, stop_cancels_after_the_grace_and_counts_no_failure) {
    World world({.stop_grace = 3s});
    world.script.act = [](const Place&, std::uint32_t attempt) {
        EXPECT_EQ(attempt, 1U);
        return Act{.end = End::never};
    };
    world.start();
    world.append("a");
    world.run_until([&] { return world.status().in_flight == 1; });
    const MonotonicTime before = world.sim().clock().monotonic();
    world.stop();
    EXPECT_GE(world.sim().clock().monotonic() - before, 3s);
    EXPECT_EQ(world.script.cancelled, 1U);
    world.start();
    world.run_until([&] { return world.status().in_flight == 1; });
    EXPECT_EQ(world.statistics().failed, 0U);
}

TEST(Reaction, destroyed_in_the_middle_it_repeats_and_skips_nothing) {
    World world;
    world.script.act = [](const Place& place, std::uint32_t) { return Act{.delay = 10ms * place.second}; };
    world.start();
    for (int i = 0; i < 10; ++i)
        world.append(fmt::format("key-{}", i), 5);
    world.run_for(35ms);
    EXPECT_GT(world.script.under_way, 0U);
    world.crash();
    EXPECT_EQ(world.script.under_way, 0U);
    world.start();
    world.settle();
    for (int i = 0; i < 10; ++i) {
        const auto completed = world.script.completed_of(fmt::format("key-{}", i));
        ASSERT_FALSE(completed.empty());
        EXPECT_EQ(completed, versions(completed.front(), 5));
    }
}

TEST(Reaction, rows_of_another_log_are_refused) {
    World world;
    world.start();
    world.append("a");
    world.settle();
    world.replace_log();
    world.start();
    EXPECT_TRUE(world.status().is_stopped_by_trouble);
    EXPECT_NE(world.status().trouble.find("belong to the log"), std::string::npos) << world.status().trouble;
    EXPECT_EQ(world.runner().dead_letters().error().code(), ErrorCode::unavailable);
}

TEST(Reaction, topic_that_the_log_does_not_have_is_refused_at_start) {
    World world;
    testing::NoCaller caller;
    const auto model = make_typed_reaction<testing::Probe>("another", "probe");
    ReactionRunner runner(world.sim().env(), world.log(), *model, caller, world.options());
    EXPECT_EQ(runner.start().error().code(), ErrorCode::invalid_argument);
}

TEST(Reaction, unreadable_event_is_a_dead_letter_at_once) {
    World world;
    world.start();
    Record record;
    record.meta.type = "test.book.noted";
    record.payload = "{\"amount\":\"five\"}";
    bool is_done = false;
    ASSERT_TRUE(world.log().append({.slot = World::slot_of("a"), .key = "a", .records = {&record, 1}},
                                   [&](const Result<log::Appended>&) { is_done = true; }));
    world.run_until([&] { return is_done; });
    world.settle();
    EXPECT_EQ(world.script.began.size(), 0U);
    const auto letter = world.runner().show("test.book", "a");
    ASSERT_TRUE(letter);
    EXPECT_EQ(letter->attempts, 1U);
    EXPECT_NE(letter->error.find("amount"), std::string::npos) << letter->error;
}

}  // namespace
}  // namespace leftfold
