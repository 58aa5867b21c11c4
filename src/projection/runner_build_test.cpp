// Builds: compared with the live rows, switched to, and back.
#include <algorithm>

#include <gtest/gtest.h>

#include "leftfold/event/json_value.hpp"
#include "leftfold/projection/runner.hpp"

#include "broken_world.hpp"
#include "runner_world.hpp"

namespace leftfold::testing {
namespace {

using std::chrono::milliseconds;

struct BuildWorld : RunnerWorld {
    explicit BuildWorld(ProjectionRunnerOptions options = {}, TallyOptions tally = {})
        : RunnerWorld(std::move(options), std::move(tally)) {
        this->options().open_store = sqlite();
    }
    std::vector<std::string> file_names() {
        std::vector<std::string> names;
        const auto entries = sim().files().list("/data/projections/tally").value();
        for (const DirectoryEntry& entry : entries)
            names.push_back(entry.name);
        return names;
    }
    bool has_rows_of(int generation) {
        const auto names = file_names();
        return std::ranges::find(names, fmt::format("{}.sqlite", generation)) != names.end();
    }
    Result<> rebuild() {
        return ask([this](OperatorDone done) { runner().rebuild(std::move(done)); });
    }
    json::Value report() { return json::Value::parse(read(status().difference->path)).value(); }
};

TEST(RunnerBuild, rebuild_equals_the_live_rows_and_replaces_them) {
    BuildWorld world;
    world.append_many(200);
    world.start_and_settle();
    const TallyRows before = world.rows();
    ASSERT_TRUE(world.rebuild());
    EXPECT_EQ(world.status().live->generation, Generation(1)) << "the live one serves meanwhile";
    EXPECT_EQ(world.rows(), before);
    EXPECT_EQ(world.rebuild().error().code(), ErrorCode::conflict);
    world.append("a", 9);
    world.settle();
    const ProjectionStatus status = world.status();
    EXPECT_EQ(status.live->generation, Generation(2));
    EXPECT_EQ(status.previous, Generation(1));
    ASSERT_TRUE(status.difference);
    EXPECT_TRUE(status.difference->is_equal);
    EXPECT_TRUE(status.difference->is_complete);
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_EQ(world.rows().accounts["a"].count, 1);
    const json::Value report = world.report();
    const json::Value& table = report.find("tables")->array()->at(0);
    EXPECT_GE(table.find("older_rows")->integer(), 7);
    EXPECT_EQ(table.find("older_rows")->integer(), table.find("newer_rows")->integer());

    world.append("a", 10);
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());
    world.restart();
    EXPECT_EQ(world.status().difference->newer, Generation(2)) << "the report is still there";
    EXPECT_TRUE(world.status().difference->is_equal);
    ASSERT_TRUE(world.rebuild());
    world.settle();
    world.sim().scheduler().run_until_idle();
    EXPECT_EQ(world.file_names(), (std::vector<std::string>{"2.difference.json", "2.sqlite", "3.difference.json",
                                                            "3.sqlite", "3.sqlite-wal", "manifest.json"}))
        << "one generation before the live one is kept";
}

TEST(RunnerBuild, rebuild_while_appends_go_on) {
    BuildWorld world({.batch_bytes_max = 32U << 10U, .turn_bytes_max = 8U << 10U});
    world.append_many(3'000);
    world.start_and_settle();
    int left = 2'000;
    std::function<void()> go_on = [&] {
        if (left-- > 0)
            world.begin_append(fmt::format("account-{}", left % 11), left, go_on);
    };
    ASSERT_TRUE(world.rebuild());
    for (int i = 0; i < 4; ++i)
        go_on();
    int looks = 0;
    world.run_until([&] {
        EXPECT_EQ(world.rows(), world.expected()) << "after " << looks;
        ++looks;
        return world.status().live->generation == Generation(2);
    });
    EXPECT_GT(left, 0) << "appends should still go on";
    world.run_until([&] { return left == -4; });  // each client has had its last answer
    world.settle();
    EXPECT_TRUE(world.status().difference->is_equal);
    EXPECT_EQ(world.rows(), world.expected());
}

TEST(RunnerBuild, positions_never_fall_at_a_switch) {
    BuildWorld world;
    world.append_many(100);
    world.start_and_settle();
    ASSERT_TRUE(world.rebuild());
    for (int i = 0; i < 50; ++i) {
        world.append("a", i);
        const log::PositionToken token = world.token_of("a");
        world.run_until([&] { return world.runner().has_reached(token).value(); });
        EXPECT_EQ(world.rows().accounts["a"].count, i + 1);
        ASSERT_TRUE(world.runner().has_reached(token).value());
    }
    world.settle();
    EXPECT_EQ(world.status().live->generation, Generation(2));
}

TEST(RunnerBuild, build_goes_on_after_a_restart) {
    BuildWorld world(
        {.switch_policy = SwitchPolicy::on_word, .batch_bytes_max = 32U << 10U, .turn_bytes_max = 8U << 10U});
    world.append_many(2'000);
    world.start_and_settle();
    ASSERT_TRUE(world.rebuild());
    world.run_until([&] { return world.status().build->generation.events_folded > 500; });
    world.stop();
    world.start();
    world.settle_until(BuildStage::ready);
    EXPECT_EQ(world.status().build->generation.generation, Generation(2));
    EXPECT_LT(world.status().build->generation.events_folded, 1'600U);
    EXPECT_TRUE(world.status().difference->is_equal);
}

TEST(RunnerBuild, build_waits_for_the_operators_word) {
    BuildWorld world({.switch_policy = SwitchPolicy::on_word});
    world.append_many(100);
    world.start_and_settle();
    EXPECT_EQ(world.status().live->generation, Generation(1)) << "a first build has nothing to wait for";
    ASSERT_TRUE(world.rebuild());
    world.settle_until(BuildStage::ready);
    world.append("a", 5);
    world.run_until([&] { return world.status().build->generation.lag() == 0; });
    EXPECT_EQ(world.status().live->generation, Generation(1));
    EXPECT_EQ(world.status().build->stage, BuildStage::ready);
    EXPECT_EQ(world.status().build->positions_done, 101U);
    EXPECT_EQ(world.status().build->positions_total, 101U);
    const auto wrong = world.ask([&](OperatorDone done) { world.runner().switch_to(Generation(7), std::move(done)); });
    EXPECT_EQ(wrong.error().code(), ErrorCode::conflict);
    EXPECT_TRUE(world.ask([&](OperatorDone done) { world.runner().switch_to(Generation(2), std::move(done)); }));
    EXPECT_EQ(world.status().live->generation, Generation(2));
    EXPECT_EQ(world.rows(), world.expected());
}

TEST(RunnerBuild, switch_back_catches_up_first) {
    BuildWorld world;
    world.append_many(50);
    world.start_and_settle();
    const auto back = [&] {
        return world.ask([&](OperatorDone done) { world.runner().switch_back(std::move(done)); });
    };
    EXPECT_EQ(back().error().code(), ErrorCode::conflict) << "there is none before";
    ASSERT_TRUE(world.rebuild());
    world.settle();
    world.append_many(60);
    world.settle();
    ASSERT_TRUE(back());
    EXPECT_EQ(world.status().live->generation, Generation(1));
    EXPECT_EQ(world.status().previous, Generation(2));
    EXPECT_EQ(world.status().live->events_folded, 60U) << "from its own positions on";
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_EQ(world.rows().accounts.size(), 7U);
    ASSERT_TRUE(back());
    EXPECT_EQ(world.status().live->generation, Generation(2));
    world.restart();
    EXPECT_EQ(world.rows(), world.expected());
}

TEST(RunnerBuild, cancelled_build_leaves_nothing_behind) {
    BuildWorld world({.switch_policy = SwitchPolicy::on_word});
    world.append_many(50);
    world.start_and_settle();
    const auto cancel = [&] {
        return world.ask([&](OperatorDone done) { world.runner().cancel_build(std::move(done)); });
    };
    EXPECT_EQ(cancel().error().code(), ErrorCode::conflict);
    ASSERT_TRUE(world.rebuild());
    world.settle_until(BuildStage::ready);
    ASSERT_TRUE(cancel());
    EXPECT_FALSE(world.status().build);
    EXPECT_FALSE(world.has_rows_of(2));
    EXPECT_EQ(world.status().live->generation, Generation(1));
    ASSERT_TRUE(world.rebuild());
    world.settle_until(BuildStage::ready);
    EXPECT_EQ(world.status().build->generation.generation, Generation(3)) << "a number is never used again";
}

TEST(RunnerBuild, other_version_with_the_same_tables_serves_stale_rows_meanwhile) {
    BuildWorld world({.batch_bytes_max = 32U << 10U, .turn_bytes_max = 8U << 10U});
    world.append_many(1'000);
    world.start_and_settle();
    const TallyRows old = world.rows();
    world.change({.shape = "tally 2", .factor = 10});
    world.append("a", 3);
    world.start();
    world.run_until([&] { return world.status().is_stale; });
    EXPECT_EQ(world.rows(), old);
    EXPECT_EQ(world.status().state, ProjectionState::building);
    EXPECT_FALSE(world.runner().has_reached(world.token_of("a")).value()) << "what they do not have is waited for";
    world.settle();
    EXPECT_EQ(world.status().live->generation, Generation(2));
    EXPECT_FALSE(world.status().is_stale);
    EXPECT_EQ(world.rows(), world.expected({}, 10));
    const json::Value report = world.report();
    EXPECT_EQ(*report.find("equal")->boolean(), false);
    EXPECT_EQ(*report.find("same_shape")->boolean(), false);
    EXPECT_EQ(report.find("tables")->array()->at(0).find("different")->integer(), 7)
        << "compared at the positions that the old rows are at";
    EXPECT_EQ(report.find("tables")->array()->at(0).find("only_newer")->integer(), 0);
}

TEST(RunnerBuild, other_tables_are_not_served_until_built) {
    BuildWorld world({.switch_policy = SwitchPolicy::on_word});
    world.append_many(100);
    world.start_and_settle();
    world.change({.shape = "tally 2", .has_note = true});
    world.append("a", 3);
    world.start();
    world.run_until([&] {
        EXPECT_TRUE(world.runner().reader() == nullptr || world.status().live->generation == Generation(2));
        return world.status().build.has_value();
    });
    EXPECT_NE(world.runner().not_served().message().find("building"), std::string::npos);
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());
    const json::Value* table = &world.report().find("tables")->array()->at(0);
    const json::Value report = world.report();
    table = &report.find("tables")->array()->at(0);
    EXPECT_EQ(*table->find("newer_columns")->array()->at(0).string(), "note");
    EXPECT_EQ(table->find("different")->integer(), 0) << "in the columns that both have";
}

TEST(RunnerBuild, older_program_takes_up_its_own_generation_again) {
    BuildWorld world;
    world.append_many(100);
    world.start_and_settle();
    world.change({.shape = "tally 2", .factor = 10});
    world.start_and_settle();
    const auto back = world.ask([&](OperatorDone done) { world.runner().switch_back(std::move(done)); });
    EXPECT_EQ(back.error().code(), ErrorCode::conflict) << "of another version";
    world.append_many(10);
    world.settle();
    world.change({});
    world.start_and_settle();
    EXPECT_EQ(world.status().live->generation, Generation(1));
    EXPECT_EQ(world.status().live->events_folded, 10U);
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_EQ(world.status().previous, Generation(2));
}

TEST(RunnerBuild, export_and_start_from_it) {
    BuildWorld world;
    world.append_many(100);
    world.start_and_settle();
    const auto export_to = [&](const std::string& path) {
        return world.ask([&](OperatorDone done) { world.runner().export_to(path, std::move(done)); });
    };
    ASSERT_TRUE(export_to("/data/copy.sqlite"));
    EXPECT_FALSE(export_to("/data/copy.sqlite")) << "there already";
    world.append_many(7);
    world.settle();

    // Beside the live rows, on an operator's word.
    const auto rebuild_from = [&](const std::string& path) {
        return world.ask([&](OperatorDone done) { world.runner().rebuild(std::move(done), path); });
    };
    ASSERT_TRUE(rebuild_from("/data/copy.sqlite"));
    world.settle();
    EXPECT_EQ(world.status().live->generation, Generation(2));
    EXPECT_EQ(world.status().live->events_folded, 7U);
    EXPECT_TRUE(world.status().difference->is_equal);
    EXPECT_EQ(world.rows(), world.expected());
    const auto missing = rebuild_from("/data/nothing.sqlite");
    EXPECT_FALSE(missing);
    EXPECT_FALSE(world.sim().files().exists("/data/nothing.sqlite").value());
    EXPECT_EQ(world.status().live->generation, Generation(2));

    // Instead of a first build.
    world.stop();
    world.options().folder = "/data/projections/again";
    world.options().start_from = "/data/copy.sqlite";
    world.start_and_settle();
    EXPECT_EQ(world.status().live->events_folded, 7U);
    EXPECT_EQ(world.rows(), world.expected());
}

TEST(RunnerBuild, copy_of_another_log_or_version_is_not_started_from) {
    BuildWorld world;
    world.append_many(100);
    world.start_and_settle();
    ASSERT_TRUE(world.ask([&](OperatorDone done) { world.runner().export_to("/data/copy.sqlite", std::move(done)); }));
    world.change({.shape = "tally 2"});
    world.options().folder = "/data/projections/again";
    world.options().start_from = "/data/copy.sqlite";
    world.start_and_settle();
    EXPECT_EQ(world.status().live->events_folded, 100U);
    EXPECT_NE(world.status().remark.find("another version"), std::string::npos) << world.status().remark;

    world.change({});
    world.replace_log();
    world.append("other", 1);
    world.options().folder = "/data/projections/third";
    world.start_and_settle();
    EXPECT_EQ(world.status().live->events_folded, 1U);
    EXPECT_NE(world.status().remark.find("was made from the log"), std::string::npos) << world.status().remark;

    const auto refused =
        world.ask([&](OperatorDone done) { world.runner().rebuild(std::move(done), "/data/copy.sqlite"); });
    EXPECT_FALSE(refused);
    world.settle();
    EXPECT_EQ(world.status().live->generation, Generation(1));
}

TEST(RunnerBuild, poison_event_stops_the_build_and_not_the_live_rows) {
    BuildWorld world;
    world.append("a", 666);
    world.append("a", 1);
    world.start_and_settle();
    world.tally().poison().in_apply = {"666"};
    ASSERT_TRUE(world.rebuild());
    world.run_until([&] { return world.status().build->generation.fault.has_value(); });
    world.append("a", 2);
    world.run_until([&] { return world.status().live->lag() == 0; });
    EXPECT_EQ(world.status().state, ProjectionState::live);
    EXPECT_EQ(world.rows(), world.expected());
    const EventPlace place = world.status().build->generation.fault->place;
    EXPECT_TRUE(world.ask([&](OperatorDone done) { world.runner().skip(place, std::move(done)); }));
    world.settle();
    EXPECT_FALSE(world.status().difference->is_equal);
    EXPECT_EQ(world.rows(), world.expected({{"bank.account", place.partition.value(), place.position.value()}}));
}

TEST(RunnerBuild, stopped_live_rows_can_be_replaced) {
    BuildWorld world;
    world.start_and_settle();
    world.tally().poison().in_apply = {"666"};
    world.append("a", 1);
    world.append("a", 666);
    world.append("a", 2);
    world.settle();
    ASSERT_EQ(world.status().state, ProjectionState::stopped);
    world.tally().poison().in_apply.clear();  // mended
    ASSERT_TRUE(world.rebuild());
    world.run_until([&] { return world.status().state == ProjectionState::live; });
    world.settle();
    EXPECT_EQ(world.status().live->generation, Generation(2));
    EXPECT_EQ(world.status().state, ProjectionState::live);
    EXPECT_EQ(world.rows(), world.expected());
}

TEST(RunnerBuild, live_rows_found_damaged_while_compared_are_thrown_away) {
    BrokenWorld broken;
    RunnerWorld& world = broken.world;
    world.append_many(50);
    world.start_and_settle();
    broken.break_calls("query of a reader", ErrorCode::corrupt, 1);
    EXPECT_TRUE(world.ask([&](OperatorDone done) { world.runner().rebuild(std::move(done)); }));
    world.run_until([&] { return world.runner().statistics().switches == 2; });
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());
    EXPECT_EQ(world.runner().statistics().generations_lost, 1U);
    EXPECT_EQ(world.status().live->generation, Generation(2));
}

TEST(RunnerBuild, built_rows_found_damaged_while_compared_are_thrown_away) {
    BrokenWorld broken;
    RunnerWorld& world = broken.world;
    world.append_many(50);
    world.start_and_settle();
    broken.break_calls("query", ErrorCode::corrupt, 1);
    EXPECT_TRUE(world.ask([&](OperatorDone done) { world.runner().rebuild(std::move(done)); }));
    world.run_until([&] { return !world.status().build; });
    EXPECT_NE(world.status().remark.find("generation 2 is not built"), std::string::npos) << world.status().remark;
    EXPECT_EQ(world.status().live->generation, Generation(1));
    world.append("a", 1);
    world.settle();
    EXPECT_EQ(world.rows(), world.expected());
}

TEST(RunnerBuild, failures_on_the_way_are_tried_again) {
    // Every kind of call, one after the other, fails for a while.
    for (const std::string call : {"begin", "get", "put", "commit", "query", "sync"}) {
        BrokenWorld broken;
        RunnerWorld& world = broken.world;
        world.append_many(50);
        world.start_and_settle();
        int left = 3;
        *broken.breaks = [&](std::string_view name) {
            return name == call && left-- > 0 ? std::optional(ErrorCode::io) : std::nullopt;
        };
        EXPECT_TRUE(world.ask([&](OperatorDone done) { world.runner().rebuild(std::move(done)); })) << call;
        for (int i = 0; i < 10; ++i)
            world.append("a", i);
        world.settle();
        EXPECT_LE(left, 0) << call << " was never asked for";
        EXPECT_EQ(world.status().live->generation, Generation(2)) << call;
        EXPECT_TRUE(world.status().difference->is_equal) << call;
        EXPECT_EQ(world.rows(), world.expected()) << call;
    }
}

TEST(RunnerBuild, disk_operations_that_fail_on_the_way_are_tried_again) {
    for (std::uint64_t n = 1; n < 120; ++n) {
        BuildWorld world;
        world.append_many(20);
        world.start_and_settle();
        const std::uint64_t before = world.sim().files().fault_count();
        world.sim().files().fail_operation(n, ErrorCode::no_space);
        std::optional<Result<>> begun;
        world.runner().rebuild([&](Result<> result) { begun = std::move(result); });
        world.run_until([&] { return begun.has_value(); });
        world.settle();
        const bool has_failed = world.sim().files().fault_count() != before;
        world.sim().files().cancel_faults();
        EXPECT_EQ(world.rows(), world.expected()) << n;
        EXPECT_EQ(world.status().live->generation, Generation(2)) << n;
        if (!has_failed)
            break;
        ASSERT_LT(n, 119U) << "a rebuild takes more operations than looked at";
    }
}

}  // namespace
}  // namespace leftfold::testing
