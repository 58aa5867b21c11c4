#include "leftfold/reaction/testing.hpp"

#include <gtest/gtest.h>

namespace leftfold {
namespace {

using namespace std::chrono_literals;

struct Withdrawn {
    std::int64_t amount = 0;
};
struct Closed {};
struct AccountEvents {
    static constexpr std::string_view aggregate = "account";
    using Event = std::variant<Withdrawn, Closed>;
};

struct NotifyOwner {
    using Events = ReadsFrom<AccountEvents>;

    std::string url = "http://localhost:9000/mail";

    Task<ReactionResult> on(Withdrawn event, ReactionContext context) const {
        if (event.amount == 0)
            co_return ReactionResult::done();
        if (event.amount < 0)
            throw std::invalid_argument("a negative amount");
        const auto answer =
            co_await context.call(HttpCall::post(url, "{\"account\":\"" + std::string(context.meta.key) +
                                                          "\",\"amount\":" + std::to_string(event.amount) + "}"));
        co_return ReactionResult::of(answer);
    }
    // Without a context, and it waits for nobody.
    Task<ReactionResult> on(Closed) const { co_return ReactionResult::give_up("closed"); }
};

struct Waits {
    using Events = ReadsFrom<AccountEvents>;
    Task<ReactionResult> on(Withdrawn, ReactionContext context) const {
        const Timestamp before = context.clock.now();
        co_await context.sleep(5s);
        if (context.clock.now() - before != 5s)
            co_return ReactionResult::give_up("time stood still");
        co_return context.attempt < 3 ? ReactionResult::retry("not yet") : ReactionResult::done();
    }
    Task<ReactionResult> on(Closed, ReactionContext) const {
        Completion<> never;
        const auto completer = never.completer();
        co_await never;
        co_return ReactionResult::done();
    }
};

TEST(ReactionScenario, calls_carry_what_the_event_says_and_its_id) {
    const Reaction reaction = given<NotifyOwner>(Withdrawn{7})
                                  .of_key("acc-1")
                                  .in_trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
                                  .react();
    reaction.then_done();
    ASSERT_EQ(reaction.calls().size(), 1U);
    const HttpCall& call = reaction.calls().front();
    EXPECT_EQ(call.url, "http://localhost:9000/mail");
    EXPECT_EQ(call.body, R"({"account":"acc-1","amount":7})");
    const std::vector<std::pair<std::string, std::string>> headers{
        {"Content-Type", "application/json"},
        {"Idempotency-Key", "018cc251-f400-7100-8100-000000000000"},
        {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
    EXPECT_EQ(call.headers, headers);
}

TEST(ReactionScenario, answers_decide_what_comes_next) {
    for (const int status : {200, 201, 204})
        given<NotifyOwner>(Withdrawn{7}).answered(status).react().then_done();
    for (const int status : {408, 425, 429, 500, 502, 503, 504})
        given<NotifyOwner>(Withdrawn{7}).answered(status).react().then_retries();
    for (const int status : {301, 400, 401, 404, 409, 422})
        given<NotifyOwner>(Withdrawn{7}).answered(status).react().then_gives_up();
    given<NotifyOwner>(Withdrawn{7}).unreachable().react().then_retries();
    given<NotifyOwner>(Withdrawn{0}).react().then_done();
    given<NotifyOwner>(Closed{}).react().then_gives_up();
}

TEST(ReactionScenario, error_tells_the_answer_and_heeds_retry_after) {
    const Reaction reaction =
        given<NotifyOwner>(Withdrawn{7}).answered(503, "down for lunch", "Retry-After: 120\r\n").react();
    EXPECT_EQ(reaction.result().error(), "the answer was 503: down for lunch");
    EXPECT_EQ(reaction.result().at_least(), 120s);
    EXPECT_EQ(given<NotifyOwner>(Withdrawn{7})
                  .answered(503, "", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n")
                  .react()
                  .result()
                  .at_least(),
              0s);
}

TEST(ReactionScenario, what_is_thrown_is_a_failed_attempt) {
    const Reaction reaction = given<NotifyOwner>(Withdrawn{-1}).react();
    reaction.then_retries();
    EXPECT_TRUE(reaction.has_thrown());
    EXPECT_EQ(reaction.result().error(), "on() threw: a negative amount");
}

TEST(ReactionScenario, time_is_simulated_and_attempts_are_told) {
    EXPECT_EQ(given<Waits>(Withdrawn{1}).react().then_retries().took(), 5s);
    given<Waits>(Withdrawn{1}).on_attempt(3).react().then_done();
}

TEST(ReactionScenario, what_is_not_as_expected_tells_the_story) {
    try {
        given<NotifyOwner>(Withdrawn{7}).answered(404, "nobody").react().then_done();
        FAIL() << "must throw";
    } catch (const ScenarioFailed& failed) {
        EXPECT_STREQ(failed.what(),
                     "expected done, and it was give_up (the answer was 404: nobody)\n"
                     "  called POST http://localhost:9000/mail {\"account\":\"key-1\",\"amount\":7}");
    }
}

TEST(ReactionScenario, waiting_for_ever_is_told) {
    EXPECT_THROW(given<Waits>(Closed{}).react(), ScenarioFailed);
}

TEST(ReactionScenario, settings_are_the_fields_of_the_reaction) {
    EXPECT_EQ(given<NotifyOwner>(Withdrawn{7}).react({.url = "http://localhost:1/"}).calls().at(0).url,
              "http://localhost:1/");
}

TEST(TypedReaction, handles_what_it_has_an_on_for) {
    const auto model = make_typed_reaction<NotifyOwner>("bank", "notify-owner");
    EXPECT_EQ(model->name(), "notify-owner");
    ASSERT_EQ(model->topics().size(), 1U);
    EXPECT_EQ(model->topics().front(), "bank.account");
    EXPECT_TRUE(model->handles("bank.account.withdrawn"));
    EXPECT_FALSE(model->handles("bank.account.opened"));
    EXPECT_FALSE(model->handles("shop.account.withdrawn"));
}

}  // namespace
}  // namespace leftfold
