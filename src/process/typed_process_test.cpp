#include "leftfold/process/typed_process.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/process/testing.hpp"

#include "testing/bank.hpp"
#include "testing/tally.hpp"

namespace leftfold {
namespace {

using namespace testing::transfers;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Property;
using ::testing::ThrowsMessage;

const Started kStarted{"a-1", "a-2", 5};
const Withdraw kWithdraw{"test", 5};
const Deposit kDeposit{"test", 5};
const Refund kRefund{"test", 5};

TEST(TypedProcess, command_gives_events_commands_and_timers) {
    given<Transfer>()
        .when(Start{"a-1", "a-2", 5, 1500})
        .then(kStarted, sends("a-1", kWithdraw), sets_timer("deadline", 1500ms));
    given<Transfer>(kStarted).when(Start{"a-1", "a-2", 5}).then_rejected("was-started");
}

TEST(TypedProcess, answer_leads_on) {
    given<Transfer>(kStarted).when(answered(kWithdraw, accepted())).then(Withdrew{}, sends("a-2", kDeposit));
    given<Transfer>(kStarted, Withdrew{}).when(answered(kDeposit, accepted())).then(Completed{});
    given<Transfer>(kStarted, Withdrew{})
        .when(answered(kDeposit, rejected("account-not-open")))
        .then(sends("a-1", kRefund));
    given<Transfer>(kStarted, Withdrew{}).when(answered(kDeposit, failed("no such thing"))).then(sends("a-1", kRefund));
    given<Transfer>(kStarted)
        .when(answered(kWithdraw, rejected(reject("insufficient-funds").with("balance", 3))))
        .then(Refused{"insufficient-funds"});
    const auto state = given<Transfer>(kStarted, Withdrew{}).when(answered(kRefund, accepted())).then(Compensated{});
    EXPECT_EQ(state.process().state, State::compensated);
}

TEST(TypedProcess, timer_leads_on_and_is_cancelled) {
    given<Transfer>(kStarted).when(timer_due("deadline")).then(Expired{});
    given<Transfer>(kStarted, Withdrew{}).when(timer_due("deadline")).then_nothing();
    given<Transfer>(kStarted, Expired{}).when(answered(kWithdraw, accepted())).then(Withdrew{}, sends("a-1", kRefund));
    given<Transfer>(kStarted, Withdrew{}, sets_timer("deadline", 1s))
        .when(answered(kDeposit, accepted()))
        .then(Completed{}, cancels_timer("deadline"));
}

TEST(TypedProcess, event_of_another_stream_goes_to_its_instance) {
    using namespace testing;
    given<tallies::Tally>().when(happened("a-1", accounts::Withdrawn{"t", 5})).then(tallies::Counted{1, -5});
    given<tallies::Tally>().when(happened("a-1", accounts::Deposited{"t", 3})).then_nothing();
    given<tallies::Tally>().when(happened("a-1", accounts::Deposited{"t", 0})).then_nothing();
    EXPECT_THROW(given<tallies::Tally>().when(happened("a-1", accounts::Deposited{"throw", 2})).then_nothing(),
                 ScenarioFailed);
}

TEST(TypedProcess, failed_scenario_tells_the_whole_story) {
    EXPECT_THAT(
        [] {
            given<Transfer>(kStarted, sets_timer("deadline", 1s))
                .when(answered(kWithdraw, accepted()))
                .then(Withdrew{}, sends("a-1", kDeposit));
        },
        ThrowsMessage<ScenarioFailed>("not as expected:\n"
                                      "given\n"
                                      "  started {\"from\":\"a-1\",\"to\":\"a-2\",\"amount\":5}\n"
                                      "  sets timer 'deadline' in 1 s\n"
                                      "when\n"
                                      "  withdraw {\"transfer\":\"test\",\"amount\":5} is accepted\n"
                                      "then expected\n"
                                      "  withdrew {}\n"
                                      "  sends account 'a-1' deposit {\"transfer\":\"test\",\"amount\":5}\n"
                                      "but was\n"
                                      "  withdrew {}\n"
                                      "  sends account 'a-2' deposit {\"transfer\":\"test\",\"amount\":5}\n"));
    EXPECT_THROW(given<Transfer>(kStarted).when(answered(kWithdraw, accepted())).then(Withdrew{}), ScenarioFailed)
        << "what is not named must not happen";
    EXPECT_THROW(given<Transfer>(kStarted).when(answered(kWithdraw, accepted())).then_nothing(), ScenarioFailed);
    EXPECT_THROW(given<Transfer>(kStarted).when(timer_due("deadline")).then_rejected("x"), ScenarioFailed);
}

// ---------------------------------------------------------------------------------------------------------------------
// A process for what Transfer does not do.

struct Go {
    std::string what;
};
struct Went {
    std::string what;
};
struct Call {
    static constexpr std::string_view aggregate = "phone";
    static constexpr std::string_view command_name = "ring";
    std::int64_t number = 0;
};

struct Odd {
    using Command = std::variant<Go>;
    using Event = std::variant<Went>;
    using Sends = std::variant<Call>;
    using Steps = leftfold::Steps<Odd>;

    std::string went;

    Steps decide(const Go& go) const {
        if (go.what == "twice")
            return Steps(Went{"once"}, Went{"twice"});
        if (go.what == "set twice")
            return Steps().timer("t", 1s).timer("t", 2s).timer("u", -1s);
        if (go.what == "cancel and set")
            return Steps().cancel_timer("t").cancel_timer("t").cancel_timer("none").timer("t", 3s);
        if (go.what == "to nobody")
            return Steps().send("", Call{1});
        Steps steps;
        steps.event(Went{go.what}).send("p-1", Call{1}).send("p-2", Call{2});
        return steps;
    }
    Steps on_answer(const Call& call, const Answer& answer, const CommandContext& context) const {
        return Went{std::to_string(call.number) + " " + std::string(answer.reason()) + " " + std::string(context.key)};
    }
    Steps on_timer(std::string_view name, const CommandContext& context) const {
        if (name == "again")
            return Steps().timer("again", 1s);
        return Went{std::string(name) + " " + std::to_string(context.version.value())};
    }
    void evolve(const Went& event, const EventContext& context) {
        went += event.what + "@" + std::to_string(context.version.value()) + ";";
    }
};

TEST(TypedProcess, steps_are_stored_in_one_order) {
    given<Odd>().when(Go{"twice"}).then(Went{"once"}, Went{"twice"});
    given<Odd>().when(Go{"both"}).then(Went{"both"}, sends("p-1", Call{1}), sends("p-2", Call{2}));
    given<Odd>().when(Go{"set twice"}).then(sets_timer("t", 2s), sets_timer("u", 0s));
    given<Odd>(sets_timer("t", 1s))
        .when(Go{"set twice"})
        .then(cancels_timer("t"), sets_timer("t", 2s), sets_timer("u", 0s));
    given<Odd>(sets_timer("t", 1s)).when(Go{"cancel and set"}).then(cancels_timer("t"), sets_timer("t", 3s));
    given<Odd>().when(timer_due("again")).then(sets_timer("again", 1s));
    given<Odd>().when(timer_due("t")).then(Went{"t 1"});
    given<Odd>().when(answered(Call{7}, rejected("busy"))).then(Went{"7 busy test"});
    EXPECT_THROW(given<Odd>().when(Go{"to nobody"}).then_nothing(), std::invalid_argument);
}

// The instance as the runtime drives it.
class Driven {
  public:
    template <class P>
    explicit Driven(std::type_identity<P>)
        : model_(make_typed_process<P>("app", "odd")), instance_(model_->initial()) {}

    // The names of the events that it gave.
    std::vector<std::string> take(std::size_t command, const std::string& json) {
        auto read = model_->read_command(command, json);
        if (!read)
            throw std::runtime_error(read.error().message());
        auto decided =
            instance_->decide(**read, {.id = "id", .key = "o-1", .version = version_, .time = {}, .actor = ""});
        std::vector<std::string> types;
        std::vector<EventContext> contexts;
        for (const DecidedEvent& event : decided.value()) {
            types.emplace_back(event.type);
            version_ = version_.next();
            contexts.push_back({.id = {}, .key = "o-1", .version = version_, .time = {}, .actor = ""});
        }
        instance_->apply_decided(contexts);
        return types;
    }
    ProcessModel& model() { return *model_; }
    AggregateInstance& instance() { return *instance_; }
    void restart_from_snapshot() {
        std::string text;
        instance_->write_state(text);
        instance_ = model_->initial();
        ASSERT_TRUE(instance_->read_state(text));
    }

  private:
    std::unique_ptr<ProcessModel> model_;
    std::unique_ptr<AggregateInstance> instance_;
    Version version_;
};

using Types = std::vector<std::string>;

TEST(TypedProcess, second_answer_and_second_firing_change_nothing) {
    Driven odd{std::type_identity<Odd>()};
    const ProcessModel& model = odd.model();
    EXPECT_EQ(odd.take(0, R"({"what":"x"})"),
              (Types{"app.odd.went", "app.odd.process.command-requested", "app.odd.process.command-requested"}));
    odd.restart_from_snapshot();  // what is open is a part of it
    const std::string answer = ProcessModel::answer_json(Version(2), accepted());
    EXPECT_EQ(odd.take(model.answer_command(), answer), (Types{"app.odd.process.answered", "app.odd.went"}));
    EXPECT_EQ(odd.take(model.answer_command(), answer), Types());
    EXPECT_EQ(odd.take(model.answer_command(), ProcessModel::answer_json(Version(1), accepted())), Types())
        << "version 1 asked for nothing";

    EXPECT_EQ(odd.take(0, R"({"what":"cancel and set"})"), Types{"app.odd.process.timer-set"});
    odd.restart_from_snapshot();
    EXPECT_EQ(odd.take(0, R"({"what":"cancel and set"})"),
              (Types{"app.odd.process.timer-cancelled", "app.odd.process.timer-set"}));
    EXPECT_EQ(odd.take(model.timer_command(), ProcessModel::timer_json(Version(6))), Types())
        << "another took its name";
    EXPECT_EQ(odd.take(model.timer_command(), ProcessModel::timer_json(Version(8))),
              (Types{"app.odd.process.timer-fired", "app.odd.went"}));
    EXPECT_EQ(odd.take(model.timer_command(), ProcessModel::timer_json(Version(8))), Types());
    std::string members;
    odd.instance().write_members(members);
    EXPECT_EQ(members, R"("went":"x@1;1  o-1@5;t 8@10;")") << "only what the user declared";
}

// A later build of Odd, which does not send any more.
struct Silent {
    using Command = std::variant<Go>;
    using Event = std::variant<Went>;
    using Steps = leftfold::Steps<Silent>;

    Steps decide(const Go&) const { return Steps::nothing(); }
    void evolve(const Went&) {}
};

TEST(TypedProcess, answer_to_a_command_that_is_sent_no_more_says_so) {
    Driven silent{std::type_identity<Silent>()};
    Record record;
    record.meta.type = "app.odd.process.command-requested";
    record.meta.key = "o-1";
    record.meta.version = Version(1);
    record.payload = R"({"aggregate":"phone","key":"p-1","command":"ring","body":{"number":1}})";
    ASSERT_TRUE(silent.instance().apply(record));
    EXPECT_THAT(
        [&] { silent.take(silent.model().answer_command(), ProcessModel::answer_json(Version(1), accepted())); },
        ThrowsMessage<std::runtime_error>(HasSubstr("put it back")));
}

TEST(TypedProcess, model_names_what_it_stores_sends_and_hears) {
    const auto model = make_typed_process<Odd>("app", "odd");
    std::vector<std::string> names;
    for (const EventType& type : model->events())
        names.push_back(type.name);
    EXPECT_EQ(names,
              (Types{"app.odd.went", "app.odd.process.command-requested", "app.odd.process.timer-set",
                     "app.odd.process.timer-cancelled", "app.odd.process.answered", "app.odd.process.timer-fired"}));
    ASSERT_EQ(model->sends().size(), 1U);
    EXPECT_EQ(model->sends()[0].aggregate, "phone");
    EXPECT_EQ(model->sends()[0].name, "ring");
    EXPECT_EQ(model->sends()[0].shape, R"({"number":"int64"})");
    ASSERT_EQ(model->routed_commands().size(), 1U);
    EXPECT_EQ(model->routed_commands()[0].name, "go");
    EXPECT_EQ(model->commands().size(), 4U);
    const auto tally = make_typed_process<testing::tallies::Tally>("bank", "tally");
    ASSERT_EQ(tally->input_topics().size(), 1U);
    EXPECT_EQ(tally->input_topics()[0], "bank.account");
}

TEST(TypedProcess, ids_are_made_of_names_and_versions) {
    const auto model = make_typed_process<Odd>("app", "odd");
    EXPECT_EQ(model->id_of_command("o/1", Version(7)), "leftfold:app.odd/o/1/7");
    EventMeta meta;
    meta.key = "a-1";
    meta.version = Version(3);
    EXPECT_EQ(ProcessModel::id_of_event("bank.account", meta), "leftfold:event/bank.account/a-1/3");
    EXPECT_EQ(ProcessModel::id_of_answer(Version(2)), "leftfold:answer/2");
    EXPECT_EQ(ProcessModel::id_of_timer(Version(2)), "leftfold:timer/2");
}

TEST(TypedProcess, repeat_of_an_input_is_one_whatever_its_wording) {
    const auto model = make_typed_process<Odd>("app", "odd");
    const auto hash = [&](const Answer& answer) {
        return (*model->read_command(model->answer_command(), ProcessModel::answer_json(Version(2), answer)))->hash();
    };
    EXPECT_EQ(hash(failed("at first")), hash(failed("and then")));
    EXPECT_NE(hash(accepted()),
              (*model->read_command(model->timer_command(), ProcessModel::timer_json(Version(2))))->hash());
}

TEST(TypedProcess, answer_is_stored_with_its_reason_and_details) {
    const auto text = [](const Answer& answer) { return json::to_string(process::answered(Version(4), answer)); };
    EXPECT_EQ(text({.outcome = AnswerOutcome::accepted, .version = Version(9)}),
              R"({"request":4,"outcome":"accepted","version":9})");
    EXPECT_EQ(text(rejected(reject("too-little").with("balance", 3))),
              R"({"request":4,"outcome":"rejected","reason":"too-little","details":{"balance":3}})");
    EXPECT_EQ(text(failed("unknown field")), R"({"request":4,"outcome":"failed","failure":"unknown field"})");
}

}  // namespace
}  // namespace leftfold
