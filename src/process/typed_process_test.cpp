#include <gtest/gtest.h>

#include "leftfold/process/testing.hpp"

#include "testing/bank.hpp"

namespace leftfold {
namespace {

using namespace testing::transfers;
using namespace std::chrono_literals;

const Started kStarted{"a-1", "a-2", 5};

TEST(TypedProcess, command_gives_events_commands_and_timers) {
    given<Transfer>()
        .when(Start{"a-1", "a-2", 5, 1500})
        .then(kStarted, sends("a-1", Withdraw{"test", 5}), sets_timer("deadline", 1500ms));
    given<Transfer>(kStarted).when(Start{"a-1", "a-2", 5}).then_rejected("was-started");
}

}  // namespace
}  // namespace leftfold
