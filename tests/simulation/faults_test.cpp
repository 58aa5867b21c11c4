// A disk that fails under the command path: the n-th operation, n = 1 … until clean; a full disk, one that takes no
// writes, one that does not sync. Whatever was acknowledged is there afterwards, and what failed says so.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "machine.hpp"

namespace leftfold::simulation {
namespace {

Ask make_ask(Verb verb, std::int64_t tag, std::int64_t amount = 0, std::string key = "purse-1") {
    Ask ask;
    ask.verb = verb;
    ask.key = std::move(key);
    ask.tag = tag;
    ask.amount = amount;
    ask.id = fmt::format("command-{}", tag);
    return ask;
}

// Batches of commands sent at once: acceptances, refusals, two purses of which only one fits into memory, segments that
// are closed, reads.
std::vector<std::vector<Ask>> workload() {
    std::vector<std::vector<Ask>> batches = {
        {make_ask(Verb::open, 1), make_ask(Verb::deposit, 2, 100), make_ask(Verb::withdraw, 3, 500)},
        {make_ask(Verb::open, 4, 1, "purse-2"), make_ask(Verb::look, 5), make_ask(Verb::read, 6)},
    };
    for (std::int64_t tag = 7; tag < 13; ++tag) {
        Ask big = make_ask(Verb::deposit, tag, 10);
        big.note_bytes = 1500;
        batches.push_back({big, make_ask(Verb::withdraw, 100 + tag, 1, "purse-2")});
    }
    return batches;
}

bool is_answer(const Told& told) {
    return told.kind != Told::Kind::unknown && told.kind != Told::Kind::not_done;
}

// Sends what was not answered again. False if something is still without an answer.
bool tell_until_answered(Machine& machine, const std::vector<std::vector<Ask>>& batches) {
    for (const auto& batch : batches)
        for (const Told& told : machine.tell(batch))
            if (!is_answer(told))
                return false;
    return true;
}

class EveryOperation : public testing::TestWithParam<ErrorCode> {};

TEST_P(EveryOperation, that_fails_loses_nothing_acknowledged) {
    const auto batches = workload();
    std::size_t failed_starts = 0;
    std::size_t failed_commands = 0;
    for (std::uint64_t n = 1;; ++n) {
        ASSERT_LT(n, 2000U) << "the loop does not end";
        SCOPED_TRACE(fmt::format("operation {} fails", n));
        Machine machine(n);
        machine.files().fail_operation(n, GetParam());
        const auto started = machine.start();
        if (!started) {
            EXPECT_GT(started.error().message().size(), 20U) << started.error().message();
            EXPECT_NE(started.error().code(), ErrorCode::corrupt) << started.error().message();
            ++failed_starts;
        } else {
            for (const auto& batch : batches) {
                for (const Told& told : machine.tell(batch)) {
                    if (is_answer(told))
                        continue;
                    EXPECT_GT(told.text.size(), 20U) << told.text;
                    ++failed_commands;
                }
            }
        }
        const bool is_clean = machine.files().fault_count() == 0;
        machine.crash();
        const auto again = machine.start();
        ASSERT_TRUE(again) << again.error().message();
        // The same ids: what was done is not done twice.
        ASSERT_TRUE(tell_until_answered(machine, batches));
        const auto problem = machine.check();
        ASSERT_FALSE(problem) << *problem;
        if (is_clean)
            break;
    }
    EXPECT_GT(failed_starts, 0U);
    EXPECT_GT(failed_commands, 0U);
}

INSTANTIATE_TEST_SUITE_P(Faults, EveryOperation,
                         testing::Values(ErrorCode::io, ErrorCode::no_space, ErrorCode::read_only),
                         [](const auto& info) {
                             std::string name(to_string(info.param));
                             std::ranges::replace(name, '-', '_');
                             return name;
                         });

TEST(Faults, full_disk_refuses_and_goes_on_once_there_is_space) {
    Machine machine(1);
    ASSERT_TRUE(machine.start());
    ASSERT_EQ(machine.tell(make_ask(Verb::open, 1)).kind, Told::Kind::accepted);
    machine.files().set_capacity(machine.files().used_bytes());
    Told told;
    std::int64_t tag = 2;
    for (; tag < 100; ++tag) {
        Ask big = make_ask(Verb::deposit, tag, 1);
        big.note_bytes = 1000;
        told = machine.tell(big);
        if (told.kind != Told::Kind::accepted)
            break;
    }
    EXPECT_EQ(told.kind, Told::Kind::not_done);
    EXPECT_NE(told.text.find("nothing was written"), std::string::npos) << told.text;
    // What needs no space is answered: reads, and repeats of what was done.
    EXPECT_EQ(machine.tell(make_ask(Verb::read, 200)).kind, Told::Kind::state);
    EXPECT_TRUE(machine.tell(make_ask(Verb::open, 1)).repeated);

    machine.files().set_capacity(0);
    const Told again = machine.tell(make_ask(Verb::deposit, tag, 1));
    EXPECT_EQ(again.kind, Told::Kind::accepted) << again.text;
    EXPECT_FALSE(again.repeated);
    EXPECT_EQ(machine.check(), std::nullopt);
    machine.crash();
    ASSERT_TRUE(machine.start());
    EXPECT_EQ(machine.check(), std::nullopt);
}

TEST(Faults, disk_that_takes_no_writes_refuses_and_loses_nothing) {
    Machine machine(1);
    ASSERT_TRUE(machine.start());
    ASSERT_EQ(machine.tell(make_ask(Verb::open, 1, 1)).kind, Told::Kind::accepted);
    machine.files().set_read_only(true);
    const Told told = machine.tell(make_ask(Verb::deposit, 2, 5));
    EXPECT_FALSE(is_answer(told));
    EXPECT_GT(told.text.size(), 20U) << told.text;
    machine.files().set_read_only(false);
    machine.crash();
    ASSERT_TRUE(machine.start());
    const Told again = machine.tell(make_ask(Verb::deposit, 2, 5));
    EXPECT_EQ(again.kind, Told::Kind::accepted);
    EXPECT_EQ(again.version, 3);
    EXPECT_EQ(machine.check(), std::nullopt);
}

TEST(Faults, failed_sync_stops_the_partition_until_restart) {
    // Which operation the sync of a deposit is, in a machine of the same seed.
    std::uint64_t sync = 0;
    std::uint64_t before = 0;
    {
        Machine machine(1);
        ASSERT_TRUE(machine.start());
        ASSERT_EQ(machine.tell(make_ask(Verb::open, 1)).kind, Told::Kind::accepted);
        before = machine.files().operation_count();
        machine.files().on_operation([&](std::uint64_t number, std::string_view what, const std::string&) {
            if (what == "sync" && sync == 0)
                sync = number;
        });
        ASSERT_EQ(machine.tell(make_ask(Verb::deposit, 2, 5)).kind, Told::Kind::accepted);
        machine.files().on_operation(nullptr);
        ASSERT_GT(sync, before);
    }
    Machine machine(1);
    ASSERT_TRUE(machine.start());
    ASSERT_EQ(machine.tell(make_ask(Verb::open, 1)).kind, Told::Kind::accepted);
    ASSERT_EQ(machine.files().operation_count(), before);
    machine.files().fail_operation(sync - before, ErrorCode::io);
    const Told told = machine.tell(make_ask(Verb::deposit, 2, 5));
    EXPECT_EQ(told.kind, Told::Kind::unknown);
    EXPECT_NE(told.text.find("what reached the disk is unknown"), std::string::npos) << told.text;
    // Nothing goes on as if nothing had been, not even a refusal or a read.
    EXPECT_EQ(machine.tell(make_ask(Verb::deposit, 3, 7)).kind, Told::Kind::unknown);
    EXPECT_EQ(machine.tell(make_ask(Verb::withdraw, 4, 9999)).kind, Told::Kind::unknown);
    EXPECT_EQ(machine.tell(make_ask(Verb::read, 5)).kind, Told::Kind::unknown);
    machine.crash();
    ASSERT_TRUE(machine.start());
    EXPECT_EQ(machine.tell(make_ask(Verb::deposit, 2, 5)).kind, Told::Kind::accepted);
    EXPECT_EQ(machine.tell(make_ask(Verb::deposit, 3, 7)).version, 3);
    EXPECT_EQ(machine.check(), std::nullopt);
}

}  // namespace
}  // namespace leftfold::simulation
