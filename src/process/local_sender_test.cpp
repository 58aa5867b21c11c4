#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/process/sender.hpp"

#include "testing/bank_machine.hpp"

namespace leftfold::testing {
namespace {

using ::testing::HasSubstr;

class Sending : public ::testing::Test {
  protected:
    Sending() : bank_(1, {.log = {.append_bytes_max = 20'000}}) {
        if (const auto started = bank_.start(); !started)
            throw std::runtime_error(started.error().message());
        bank_.tell(bank_.accounts(), "a-1", "open", R"({"balance":10})");
    }
    Result<Answer> send(const std::string& command, const std::string& json, const std::string& id = "leftfold:x/1",
                        const std::string& aggregate = "account") {
        std::optional<Result<Answer>> answer;
        bank_.sender().send({.id = id,
                             .aggregate = aggregate,
                             .key = "a-1",
                             .command = command,
                             .json = json,
                             .correlation_id = "",
                             .causation_id = "",
                             .traceparent = "",
                             .actor = "",
                             .tenant = ""},
                            [&answer](Result<Answer> given) { answer = std::move(given); });
        EXPECT_FALSE(answer) << "answers come in a later step";
        bank_.run_until([&answer] { return answer.has_value(); });
        return *std::move(answer);
    }

    BankMachine bank_;
};

TEST_F(Sending, target_answers) {
    const auto accepted = send("withdraw", R"({"transfer":"t","amount":4})");
    ASSERT_TRUE(accepted);
    EXPECT_TRUE(accepted->accepted());
    EXPECT_EQ(accepted->version, Version(2));
    const auto again = send("withdraw", R"({"transfer":"t","amount":4})");
    EXPECT_EQ(*again, *accepted) << "a repeat has the same answer";
    const auto rejected = send("withdraw", R"({"transfer":"t","amount":40})", "leftfold:x/2");
    EXPECT_TRUE(rejected->rejected("insufficient-funds"));
    EXPECT_EQ(rejected->rejection->details(), R"("balance":6)");
    EXPECT_EQ(rejected->version, Version(2));
}

TEST_F(Sending, command_that_the_target_can_never_read_fails_for_good) {
    const auto malformed = send("withdraw", R"({"transfer":"t","amount":"four"})");
    ASSERT_TRUE(malformed);
    EXPECT_TRUE(malformed->failed());
    EXPECT_THAT(malformed->failure, HasSubstr("/amount"));
    const auto too_large =
        send("deposit", R"({"transfer":")" + std::string(30'000, 'x') + R"(","amount":4})", "leftfold:x/3");
    ASSERT_TRUE(too_large) << too_large.error().message();
    EXPECT_TRUE(too_large->failed());
}

// The target's command was changed between two tries: what it did at the first stands.
TEST_F(Sending, command_that_was_taken_before_it_changed_is_accepted) {
    ASSERT_TRUE(send("withdraw", R"({"transfer":"t","amount":4})")->accepted());
    EXPECT_TRUE(send("withdraw", R"({"transfer":"t"})")->accepted());
    EXPECT_TRUE(send("withdraw", R"({"transfer":"t","amount":5})")->accepted());
    ASSERT_TRUE(send("withdraw", R"({"transfer":"t","amount":99})", "leftfold:x/2")->rejected());
    EXPECT_TRUE(send("withdraw", R"({"transfer":"t","amount":98})", "leftfold:x/2")->failed());
    EXPECT_EQ(bank_.state(bank_.accounts(), "a-1"), R"("open":true,"closed":false,"balance":6)");
}

TEST_F(Sending, missing_target_is_an_error_that_names_it) {
    const auto no_aggregate = send("withdraw", "{}", "leftfold:x/1", "purse");
    ASSERT_FALSE(no_aggregate);
    EXPECT_EQ(no_aggregate.error().code(), ErrorCode::not_found);
    EXPECT_THAT(no_aggregate.error().message(), HasSubstr("purse"));
    EXPECT_EQ(send("steal", "{}").error().code(), ErrorCode::not_found);
    EXPECT_TRUE(bank_.sender().check("account", "withdraw"));
    EXPECT_FALSE(bank_.sender().check("account", "steal"));
}

TEST_F(Sending, input_of_a_process_is_no_command_for_others) {
    bank_.sender().add(bank_.transfers());
    EXPECT_TRUE(bank_.sender().check("transfer", "start"));
    EXPECT_FALSE(bank_.sender().check("transfer", "process.answer"));
}

}  // namespace
}  // namespace leftfold::testing
