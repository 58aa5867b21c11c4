#include "leftfold/process/dispatcher.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/bank_audit.hpp"
#include "testing/bank_machine.hpp"

namespace leftfold::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What it is told to answer, and when.
class ScriptedSender final : public CommandSender {
  public:
    struct Sent {
        OutgoingCommand command;
        CommandAnswered answered;
    };
    void send(const OutgoingCommand& command, CommandAnswered answered) override {
        ++sent_count;
        waiting.push_back({command, std::move(answered)});
    }
    void answer(Result<Answer> answer) {
        Sent sent = std::move(waiting.front());
        waiting.erase(waiting.begin());
        sent.answered(std::move(answer));
    }

    std::vector<Sent> waiting;
    int sent_count = 0;
};

class Dispatcher : public ::testing::Test {
  protected:
    void start(BankOptions options = {}) {
        bank_.emplace(1, std::move(options));
        begin();
    }
    // With a sender that answers nothing by itself.
    void start_scripted(BankOptions options = {}) {
        bank_.emplace(1, std::move(options));
        bank_->wrap_sender = [this](CommandSender&) {
            auto sender = std::make_unique<ScriptedSender>();
            sender_ = sender.get();
            return sender;
        };
        begin();
    }
    void begin() {
        const auto started = bank_->start();
        ASSERT_TRUE(started) << started.error().message();
    }
    void restart() {
        ASSERT_TRUE(bank_->stop());
        begin();
    }
    void open(const std::string& key, int balance = 100) {
        bank_->tell(bank_->accounts(), key, "open", fmt::format(R"({{"balance":{}}})", balance));
    }
    void transfer(const std::string& key, std::chrono::milliseconds patience = 1h, const std::string& from = "a-1",
                  const std::string& to = "a-2") {
        const auto reply = bank_->tell(
            bank_->transfers(), key, "start",
            fmt::format(R"({{"from":"{}","to":"{}","amount":4,"patience_ms":{}}})", from, to, patience.count()));
        ASSERT_TRUE(std::holds_alternative<CommandAccepted>(reply.outcome));
    }
    std::string state_of(const std::string& key) {
        const std::string members = bank_->state(bank_->transfers(), key);
        const std::size_t begin = members.find(R"("state":")") + 9;
        return members.substr(begin, members.find('"', begin) - begin);
    }
    void settle() {
        bank_->run_until([this] { return bank_->is_settled(); });
    }
    void wait_until_sent(int count) {
        bank_->run_until([&] { return sender_->sent_count >= count; });
    }
    void run_for(Duration time) { bank_->sim().scheduler().run_for(time); }
    ProcessDispatcher& dispatcher() { return bank_->transfer_dispatcher(); }

    std::optional<BankMachine> bank_;
    ScriptedSender* sender_ = nullptr;
};

Error unavailable() {
    return Error(ErrorCode::unavailable, "no answer", Retry::yes);
}

TEST_F(Dispatcher, transfer_runs_to_its_end) {
    start();
    open("a-1", 10);
    open("a-2", 0);
    transfer("t-1");
    settle();
    EXPECT_EQ(bank_->state(bank_->accounts(), "a-1"), R"("open":true,"closed":false,"balance":6)");
    EXPECT_EQ(bank_->state(bank_->accounts(), "a-2"), R"("open":true,"closed":false,"balance":4)");
    EXPECT_EQ(bank_->state(bank_->transfers(), "t-1"),
              R"("state":"completed","expired":false,"from":"a-1","to":"a-2","amount":4)");
    EXPECT_EQ(bank_->state(bank_->tallies(), "a-1"), R"("count":1,"sum":-4)");
    EXPECT_EQ(dispatcher().statistics().answers, 2U);
}

TEST_F(Dispatcher, refusal_of_the_target_is_compensated) {
    start();
    open("a-1", 10);
    transfer("t-1");  // there is no a-2
    transfer("t-2", 1h, "a-3", "a-1");
    settle();
    EXPECT_EQ(state_of("t-1"), "compensated");
    EXPECT_EQ(state_of("t-2"), "refused");
    EXPECT_EQ(bank_->state(bank_->accounts(), "a-1"), R"("open":true,"closed":false,"balance":10)");
}

TEST_F(Dispatcher, events_of_one_story_tell_of_each_other) {
    start();
    open("a-1");
    open("a-2");
    CommandRequest request;
    request.key = "t-1";
    request.json = R"({"from":"a-1","to":"a-2","amount":4,"patience_ms":1000})";
    request.command_id = "mine";
    request.actor = "jana";
    request.tenant = "north";
    bank_->transfers().handle(request, [](const CommandReply&) {});
    run_for(1s);
    settle();
    const log::Slot slot = bank_->transfers().slot_of("t-1");
    const auto stream = bank_->log().read_stream(slot, "t-1", Version(1));
    const auto effect = bank_->log().read_stream(bank_->accounts().slot_of("a-2"), "a-2", Version(2));
    ASSERT_TRUE(stream && effect && effect->records().size() == 1U);
    std::string cause;
    for (const Record& record : stream->records()) {
        EXPECT_EQ(record.meta.correlation_id, "mine");
        EXPECT_EQ(record.meta.actor, "jana");
        EXPECT_EQ(record.meta.tenant, "north");
        if (record.payload.find("deposit") != std::string_view::npos)
            cause = record.meta.id.to_string();
    }
    const EventMeta& deposited = effect->records()[0].meta;
    EXPECT_EQ(deposited.correlation_id, "mine");
    EXPECT_EQ(deposited.causation_id, cause);
    EXPECT_EQ(deposited.actor, "jana");
    EXPECT_EQ(deposited.command_id, "leftfold:bank.transfer/t-1/6");
}

// ---------------------------------------------------------------------------------------------------------------------
// Commands

TEST_F(Dispatcher, commands_in_flight_are_bounded) {
    start_scripted({.processes = {.commands_in_flight_max = 2}});
    for (int i = 0; i < 5; ++i)
        transfer(fmt::format("t-{}", i));
    wait_until_sent(2);
    run_for(10s);
    EXPECT_EQ(sender_->sent_count, 2);
    EXPECT_EQ(dispatcher().status().commands_in_flight, 2U);
    EXPECT_EQ(dispatcher().count()->commands, 5U);
    for (int sent = 3; sent <= 5; ++sent) {
        sender_->answer(Answer{.outcome = AnswerOutcome::rejected, .rejection = Rejection("no")});
        wait_until_sent(sent);
    }
    while (!sender_->waiting.empty())
        sender_->answer(Answer{.outcome = AnswerOutcome::rejected, .rejection = Rejection("no")});
    settle();
    EXPECT_EQ(sender_->sent_count, 5);
    EXPECT_EQ(state_of("t-4"), "refused");
}

TEST_F(Dispatcher, unanswered_command_is_sent_again_under_the_same_id_ever_later) {
    start_scripted();
    transfer("t-1");
    wait_until_sent(1);
    const std::string id = sender_->waiting[0].command.id;
    MonotonicTime before = bank_->sim().clock().monotonic();
    for (const auto wait : {100ms, 200ms, 400ms}) {
        sender_->answer(std::unexpected(unavailable()));
        const int next = sender_->sent_count + 1;
        const auto commands = dispatcher().commands({});
        ASSERT_TRUE(commands && commands->size() == 1U);
        EXPECT_EQ((*commands)[0].last_error, "no answer");
        EXPECT_FALSE((*commands)[0].is_in_flight);
        wait_until_sent(next);
        EXPECT_EQ(sender_->waiting[0].command.id, id);
        const MonotonicTime now = bank_->sim().clock().monotonic();
        EXPECT_GE(now - before, wait);
        EXPECT_LT(now - before, wait + 1ms);
        before = now;
    }
    EXPECT_EQ(dispatcher().commands({})->at(0).failures, 3U);
    EXPECT_TRUE(bank_->troubles.empty()) << "it may pass by itself";
    sender_->answer(Answer{.outcome = AnswerOutcome::rejected, .rejection = Rejection("no")});
    settle();
    EXPECT_TRUE(dispatcher().commands({})->empty());
}

TEST_F(Dispatcher, failure_that_somebody_must_end_is_told_and_tried_slowly) {
    start_scripted();
    transfer("t-1");
    wait_until_sent(1);
    sender_->answer(fail(ErrorCode::user_code, "decide threw: oh"));
    EXPECT_THAT(bank_->troubles,
                ElementsAre("command 'withdraw' of transfer 't-1' to account 'a-1': decide threw: oh"));
    transfer("t-2");
    wait_until_sent(2);
    EXPECT_EQ(sender_->waiting[0].command.key, "a-1");
    EXPECT_EQ(sender_->waiting[0].command.id, "leftfold:bank.transfer/t-2/2") << "others go on";
    run_for(9s);
    EXPECT_EQ(sender_->sent_count, 2);
    run_for(2s);
    EXPECT_EQ(sender_->sent_count, 3);
}

TEST_F(Dispatcher, commands_that_wait_to_be_tried_again_are_bounded) {
    start_scripted({.processes = {.commands_in_flight_max = 2, .retries_max = 3}});
    for (int i = 0; i < 9; ++i)
        transfer(fmt::format("t-{}", i));
    bank_->run_until([this] { return dispatcher().count() && dispatcher().count()->commands == 9; });
    while (!sender_->waiting.empty())
        sender_->answer(fail(ErrorCode::not_found, "no such aggregate"));
    EXPECT_EQ(sender_->sent_count, 5);
    EXPECT_EQ(dispatcher().status().commands_retrying, 5U);
    EXPECT_EQ(dispatcher().count()->commands, 9U);
}

TEST_F(Dispatcher, what_is_in_flight_at_a_stop_is_sent_again) {
    start_scripted();
    transfer("t-1");
    wait_until_sent(1);
    const std::string id = sender_->waiting[0].command.id;
    restart();
    wait_until_sent(1);
    EXPECT_EQ(sender_->waiting[0].command.id, id);
}

TEST_F(Dispatcher, answered_command_is_not_sent_again_when_the_rows_are_folded_anew) {
    start_scripted({.processes = {.batch_bytes_max = 1}});  // request and answer are folded one after the other
    transfer("t-1");
    wait_until_sent(1);
    sender_->answer(Answer{.outcome = AnswerOutcome::rejected, .rejection = Rejection("no")});
    settle();
    ASSERT_TRUE(bank_->stop());
    bank_->delete_rows("transfer");
    begin();
    run_for(10s);
    EXPECT_TRUE(dispatcher().status().is_caught_up);
    EXPECT_EQ(sender_->sent_count, 0);
}

TEST_F(Dispatcher, commands_are_listed_in_pages) {
    start_scripted();
    for (int i = 0; i < 5; ++i)
        transfer(fmt::format("t-{}", i));
    wait_until_sent(5);
    std::vector<std::string> seen;
    ProcessDispatcher::Page page{.limit = 2};
    for (;;) {
        const auto commands = dispatcher().commands(page);
        ASSERT_TRUE(commands);
        if (commands->empty())
            break;
        for (const OutstandingCommand& command : *commands) {
            seen.push_back(command.instance);
            EXPECT_EQ(command.command, "withdraw");
            EXPECT_EQ(command.aggregate, "account");
            EXPECT_EQ(command.key, "a-1");
            EXPECT_EQ(command.body, fmt::format(R"({{"transfer":"{}","amount":4}})", command.instance));
            EXPECT_TRUE(command.is_in_flight);
        }
        page.after = std::pair(commands->back().instance, commands->back().version);
    }
    EXPECT_THAT(seen, ElementsAre("t-0", "t-1", "t-2", "t-3", "t-4"));
    EXPECT_EQ(dispatcher().commands({.instance = "t-3"})->size(), 1U);
    EXPECT_EQ(dispatcher().commands({.instance = "t-9"})->size(), 0U);
}

// ---------------------------------------------------------------------------------------------------------------------
// Timers

TEST_F(Dispatcher, timer_fires_when_its_time_has_come_and_not_before) {
    start_scripted();
    transfer("t-1", 1500ms);
    wait_until_sent(1);
    const auto timers = dispatcher().timers({});
    ASSERT_TRUE(timers && timers->size() == 1U);
    EXPECT_EQ((*timers)[0].name, "deadline");
    EXPECT_EQ((*timers)[0].instance, "t-1");
    const Timestamp when = (*timers)[0].due;
    run_for(when - bank_->sim().clock().now() - 1us);
    EXPECT_EQ(dispatcher().statistics().timers_fired, 0U);
    run_for(20ms);
    EXPECT_EQ(dispatcher().statistics().timers_fired, 1U);
    EXPECT_THAT(bank_->state(bank_->transfers(), "t-1"), HasSubstr(R"("expired":true)"));
    EXPECT_TRUE(dispatcher().timers({})->empty());
}

TEST_F(Dispatcher, timer_is_not_lost_by_a_restart_and_not_early_on_a_clock_set_back) {
    start_scripted();
    transfer("t-1", 5000ms);
    wait_until_sent(1);
    ASSERT_TRUE(bank_->stop());
    bank_->sim().clock().jump_wall(-3s);
    begin();
    run_for(7s);
    EXPECT_EQ(dispatcher().statistics().timers_fired, 0U);
    run_for(2s);
    EXPECT_EQ(dispatcher().statistics().timers_fired, 1U);
}

TEST_F(Dispatcher, clock_set_ahead_is_noticed_within_a_second) {
    start_scripted();
    transfer("t-1", 3600s);
    wait_until_sent(1);
    run_for(10s);
    bank_->sim().clock().jump_wall(3600s);
    run_for(1100ms);
    EXPECT_EQ(dispatcher().statistics().timers_fired, 1U);
}

TEST_F(Dispatcher, cancelled_timer_does_not_fire) {
    start();
    open("a-1");
    open("a-2");
    transfer("t-1", 1000ms);
    settle();
    run_for(10s);
    EXPECT_EQ(dispatcher().statistics().timers_fired, 0U);
    EXPECT_EQ(state_of("t-1"), "completed");
}

TEST_F(Dispatcher, many_timers_due_at_once_fire_once_each_within_the_bound) {
    BankOptions options;
    options.processes.timers_in_flight_max = 4;
    start_scripted(options);
    constexpr int kTimers = 500;
    for (int i = 0; i < kTimers; ++i)
        bank_->send(bank_->transfers(), fmt::format("t-{}", i), "start",
                    R"({"from":"a-1","to":"a-2","amount":4,"patience_ms":2000})", "", [](const CommandReply&) {});
    std::size_t in_flight_max = 0;
    bank_->run_until([&] {
        in_flight_max = std::max(in_flight_max, dispatcher().status().timers_in_flight);
        return dispatcher().statistics().timers_fired == kTimers;
    });
    EXPECT_LE(in_flight_max, 4U);
    run_for(5s);
    EXPECT_EQ(dispatcher().statistics().timers_fired, static_cast<std::uint64_t>(kTimers));
    EXPECT_EQ(dispatcher().statistics().repeats, 0U) << "none was fired again";
    EXPECT_EQ(dispatcher().count()->timers, 0U);
    EXPECT_EQ(dispatcher().status().timers_in_flight, 0U);
}

TEST_F(Dispatcher, timers_are_listed_by_due_time_in_pages) {
    start_scripted();
    for (int i = 0; i < 5; ++i)
        transfer(fmt::format("t-{}", i), std::chrono::milliseconds(100'000 - 10'000 * i));
    wait_until_sent(5);
    std::vector<std::string> seen;
    ProcessDispatcher::TimerPage page{.limit = 2};
    for (;;) {
        const auto timers = dispatcher().timers(page);
        ASSERT_TRUE(timers);
        if (timers->empty())
            break;
        for (const WaitingTimer& timer : *timers)
            seen.push_back(timer.instance);
        page.after = timers->back();
    }
    EXPECT_THAT(seen, ElementsAre("t-4", "t-3", "t-2", "t-1", "t-0"));
    EXPECT_EQ(dispatcher().timers({.instance = "t-2"})->size(), 1U);
}

// ---------------------------------------------------------------------------------------------------------------------
// Streams heard

class Hearing : public Dispatcher {
  protected:
    void deposit(const std::string& account, const std::string& transfer, int amount) {
        bank_->tell(bank_->accounts(), account, "deposit",
                    fmt::format(R"({{"transfer":"{}","amount":{}}})", transfer, amount));
    }
    std::string tally_of(const std::string& account) { return bank_->state(bank_->tallies(), account); }
    const ProcessStatistics& heard() { return bank_->tally_dispatcher().statistics(); }
};

TEST_F(Hearing, what_was_taken_is_not_heard_again_after_a_restart) {
    start();
    open("a-1");
    for (int i = 1; i <= 6; ++i)
        deposit("a-1", "gift", i);
    settle();
    EXPECT_EQ(tally_of("a-1"), R"("count":3,"sum":12)");
    EXPECT_EQ(heard().inputs, 6U);
    restart();
    deposit("a-1", "gift", 8);
    settle();
    EXPECT_EQ(tally_of("a-1"), R"("count":4,"sum":20)");
    EXPECT_EQ(heard().inputs, 1U);
}

TEST_F(Hearing, lost_rows_bring_everything_again_as_repeats) {
    start();
    open("a-1");
    deposit("a-1", "gift", 2);
    deposit("a-1", "gift", 3);  // taken, and nothing happens
    settle();
    ASSERT_TRUE(bank_->stop());
    // Long after the answers to eventless commands of other aggregates are forgotten.
    bank_->sim().clock().jump_wall(std::chrono::hours(24 * 30));
    bank_->delete_rows("tally");
    begin();
    settle();
    EXPECT_EQ(heard().inputs, 2U);
    EXPECT_EQ(heard().repeats, 2U);
    EXPECT_EQ(tally_of("a-1"), R"("count":1,"sum":2)");
}

TEST_F(Hearing, event_for_nobody_moves_the_position_on) {
    start();
    open("a-1");
    deposit("a-1", "gift", 0);
    settle();
    EXPECT_EQ(heard().inputs, 0U);
}

TEST_F(Hearing, event_that_makes_on_event_throw_holds_back_its_instance_only) {
    start({.partitions = 1});
    open("a-1");
    open("a-2");
    deposit("a-1", "throw in on_event", 2);
    deposit("a-1", "gift", 4);
    deposit("a-2", "gift", 6);
    run_for(5s);
    EXPECT_EQ(tally_of("a-2"), R"("count":1,"sum":6)");
    EXPECT_THAT(tally_of("a-1"), HasSubstr("there is no"));
    ASSERT_EQ(bank_->troubles.size(), 1U);
    EXPECT_THAT(bank_->troubles[0],
                HasSubstr("leftfold:event/bank.account/a-1/2 for tally 'a-1': decide threw: not this one"));
    const auto status = bank_->tally_dispatcher().status();
    EXPECT_THAT(status.inputs.at(0).last_error, HasSubstr("not this one"));
    EXPECT_LT(status.inputs.at(0).position, status.inputs.at(0).durable_end);
    run_for(10s);
    EXPECT_EQ(bank_->troubles.size(), 2U) << "it is tried again, slowly";
}

TEST_F(Hearing, event_that_makes_instance_throw_stops_its_partition_visibly) {
    start({.partitions = 1});
    open("a-1");
    deposit("a-1", "gift", 2);
    deposit("a-1", "throw", 2);
    deposit("a-1", "gift", 4);
    run_for(5s);
    EXPECT_EQ(tally_of("a-1"), R"("count":1,"sum":2)");
    ASSERT_EQ(bank_->troubles.size(), 1U);
    EXPECT_THAT(bank_->troubles[0], HasSubstr("instance() threw for event 3 of 'a-1'"));
    EXPECT_THAT(bank_->tally_dispatcher().status().inputs.at(0).last_error, HasSubstr("no instance for this one"));
}

// ---------------------------------------------------------------------------------------------------------------------
// Rows

TEST_F(Dispatcher, damaged_rows_are_thrown_away_and_folded_anew) {
    start_scripted();
    transfer("t-1");
    wait_until_sent(1);
    ASSERT_TRUE(bank_->stop());
    auto& files = bank_->sim().files();
    {
        const auto file = files.open("/data/processes/transfer/dispatch.rows", OpenMode::read_write);
        ASSERT_TRUE(file);
        const std::string garbage(8192, 'x');
        ASSERT_TRUE((*file)->write_at(0, std::as_bytes(std::span(garbage))));
    }
    begin();
    wait_until_sent(1);
    EXPECT_EQ(dispatcher().statistics().rebuilds, 1U);
    EXPECT_EQ(dispatcher().count()->commands, 1U);
}

TEST_F(Dispatcher, full_disk_under_the_rows_passes_by_itself) {
    class FullStore final : public StoreDecorator {
      public:
        FullStore(std::unique_ptr<rows::RowStore> inner, const bool& is_full)
            : StoreDecorator(std::move(inner)), is_full_(is_full) {}
        Result<> commit() override {
            if (!is_full_)
                return inner_->commit();
            inner_->rollback();
            return fail(ErrorCode::no_space, "the disk is full");
        }

      private:
        const bool& is_full_;
    };
    bool is_full = false;
    bank_.emplace(1);
    bank_->wrap_rows = [&is_full](std::unique_ptr<rows::RowStore> inner) {
        return std::make_unique<FullStore>(std::move(inner), is_full);
    };
    begin();
    open("a-1");
    open("a-2");
    run_for(10ms);
    is_full = true;
    transfer("t-1");
    run_for(10s);
    EXPECT_THAT(dispatcher().status().trouble, HasSubstr("writing the rows of process transfer: the disk is full"));
    EXPECT_GT(dispatcher().status().lag, 0);
    EXPECT_EQ(dispatcher().statistics().commands_sent, 0U);
    is_full = false;
    settle();
    EXPECT_EQ(state_of("t-1"), "completed");
    EXPECT_EQ(dispatcher().status().trouble, "");
    bank_.reset();  // before is_full
}

// The reader finds damage while the program runs.
TEST_F(Dispatcher, rows_damaged_meanwhile_are_thrown_away_and_folded_anew) {
    class DamagedReader final : public rows::RowReader {
      public:
        DamagedReader(std::unique_ptr<rows::RowReader> inner, bool& is_damaged)
            : inner_(std::move(inner)), is_damaged_(is_damaged) {}
        Result<std::optional<rows::Row>> get(rows::TableId table, std::span<const rows::Cell> key) override {
            return inner_->get(table, key);
        }
        Result<std::vector<rows::Row>> query(const rows::Query& query) override {
            if (std::exchange(is_damaged_, false))
                return fail(ErrorCode::corrupt, "a page is damaged");
            return inner_->query(query);
        }
        Result<std::uint64_t> count(const rows::Query& query) override { return inner_->count(query); }
        Result<std::vector<rows::FoldedPosition>> positions() override { return inner_->positions(); }
        Result<std::optional<std::string>> value(std::string_view name) override { return inner_->value(name); }

      private:
        std::unique_ptr<rows::RowReader> inner_;
        bool& is_damaged_;
    };
    class DamagedStore final : public StoreDecorator {
      public:
        DamagedStore(std::unique_ptr<rows::RowStore> inner, bool& is_damaged)
            : StoreDecorator(std::move(inner)), is_damaged_(is_damaged) {}
        Result<std::unique_ptr<rows::RowReader>> reader() override {
            LEFTFOLD_TRY(reader, inner_->reader());
            return std::make_unique<DamagedReader>(std::move(reader), is_damaged_);
        }

      private:
        bool& is_damaged_;
    };
    bool is_damaged = false;
    bank_.emplace(1);
    bank_->wrap_rows = [&is_damaged](std::unique_ptr<rows::RowStore> inner) {
        return std::make_unique<DamagedStore>(std::move(inner), is_damaged);
    };
    begin();
    open("a-1");
    open("a-2");
    transfer("t-1");
    settle();
    is_damaged = true;
    transfer("t-2");
    run_for(1s);
    settle();
    EXPECT_FALSE(is_damaged);
    EXPECT_EQ(dispatcher().statistics().rebuilds + bank_->tally_dispatcher().statistics().rebuilds, 1U);
    EXPECT_EQ(state_of("t-2"), "completed");
    EXPECT_EQ(bank_->state(bank_->tallies(), "a-1"), R"("count":2,"sum":-8)");
    bank_.reset();  // before is_damaged
}

TEST_F(Dispatcher, rows_are_not_there_before_they_are_opened) {
    start();
    EXPECT_FALSE(dispatcher().status().is_caught_up);
    const auto commands = dispatcher().commands({});
    ASSERT_FALSE(commands);
    EXPECT_EQ(commands.error().code(), ErrorCode::unavailable);
    EXPECT_FALSE(dispatcher().count());
}

}  // namespace
}  // namespace leftfold::testing
