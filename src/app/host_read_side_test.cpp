// Projections and processes within a host: declared, asked over HTTP, looked after by operators.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inspection.hpp"
#include "testing/host_world.hpp"
#include "testing/tally.hpp"

namespace leftfold {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct ReadSideTest : ::testing::Test {
    HostWorld world;
    std::unique_ptr<Inspection> inspection;

    void open() {
        world.open({counter::service(), tally::service(), tally::copier()});
        inspection = std::make_unique<Inspection>(world.sim().env(), world.host());
    }
    void stop() {
        inspection.reset();
        world.stop();
    }
    // Counters whose names have a dash are not copied.
    void SetUp() override { open(); }
    void TearDown() override { stop(); }

    // The position token of the answer.
    std::string add(std::string_view counter, int number) {
        const http::Response response = world.post(fmt_target(counter), R"({"number":)" + std::to_string(number) + "}");
        EXPECT_TRUE(response.status == 200 || response.status == 201) << response.body;
        const std::string name = "Leftfold-Position: ";
        const std::size_t begin = response.header_lines.find(name) + name.size();
        return response.header_lines.substr(begin, response.header_lines.find('\r', begin) - begin);
    }
    static std::string fmt_target(std::string_view counter) { return "/counters/" + std::string(counter) + "/add"; }
    http::Response get_behind(std::string_view target, const std::string& token) {
        return world.finish(
            world.begin(world.host().gateway(), http::Method::get, target, {}, {{"Leftfold-Position", token}}));
    }
    http::Response operate(http::Method method, std::string_view target) {
        return world.finish(world.begin(*inspection, method, target));
    }
    // Lets the host work until an operator would see this.
    void await(std::string_view target, std::string_view text) {
        for (int turn = 0; turn < 1000; ++turn) {
            if (operate(http::Method::get, target).body.contains(text))
                return;
            world.sim().scheduler().run_for(std::chrono::milliseconds(10));
        }
        FAIL() << target << " never says " << text << ": " << operate(http::Method::get, target).body;
    }
};

TEST_F(ReadSideTest, query_behind_a_position_sees_what_was_written) {
    for (int number = 1; number <= 20; ++number) {
        const std::string token = add("a", 1);
        EXPECT_EQ(get_behind("/sums/a", token).body, R"({"counter":"a","sum":)" + std::to_string(number) + "}");
    }
}

TEST_F(ReadSideTest, rows_by_key_page_and_count) {
    add("n-a", 5);
    add("n-b", 3);
    const std::string token = add("n-c", 4);
    EXPECT_EQ(get_behind("/sums?order=sum&sum.max=4", token).body,
              R"({"rows":[{"counter":"n-b","sum":3},{"counter":"n-c","sum":4}]})");
    EXPECT_EQ(world.get("/sums?count=true").body, R"({"count":3})");
    EXPECT_EQ(world.get("/sums/nobody").status, 404);
    const http::Response bad = world.get("/sums?colour=red");
    EXPECT_EQ(bad.status, 400);
    EXPECT_THAT(bad.body, AllOf(HasSubstr("urn:leftfold:problem:bad-query"), HasSubstr(R"("parameter":"colour")")));
    EXPECT_EQ(world.get("/numbers/x").status, 400);
}

TEST_F(ReadSideTest, rows_are_there_after_stop_and_open) {
    const std::string token = add("a", 5);
    get_behind("/sums/a", token);
    stop();
    open();
    EXPECT_EQ(get_behind("/sums/a", token).body, R"({"counter":"a","sum":5})");
}

TEST_F(ReadSideTest, until_it_is_open_a_projection_answers_503) {
    stop();
    open();
    const http::Response response = world.get("/sums/a");
    EXPECT_EQ(response.status, 503);
    EXPECT_THAT(response.header_lines, HasSubstr("Retry-After"));
    EXPECT_THAT(response.body, HasSubstr("sums"));
}

TEST_F(ReadSideTest, poison_stops_its_projection_only_and_skip_goes_on) {
    add("n-a", 1);
    const std::string poisoned = add("n-a", tally::kPoison);
    await("/projections/sums", R"("state":"stopped")");
    EXPECT_THAT(operate(http::Method::get, "/projections/sums").body,
                AllOf(HasSubstr("number of the beast"), HasSubstr(R"("key":"n-a")"), HasSubstr(R"("version":2)")));
    // What there was is served; the other projection and the write path go on.
    EXPECT_EQ(world.get("/sums/n-a").body, R"({"counter":"n-a","sum":1})");
    const std::string later = add("n-b", 7);
    EXPECT_EQ(get_behind("/numbers/7", later).body, R"({"number":7,"times":1})");
    EXPECT_EQ(get_behind("/numbers/666", poisoned).body, R"({"number":666,"times":1})");

    EXPECT_EQ(operate(http::Method::post, "/projections/sums/skip?topic=test.counter&partition=99&position=0").status,
              409);
    const auto status = world.host().projections()[0].runner->status();
    ASSERT_TRUE(status.live && status.live->fault);
    const EventPlace place = status.live->fault->place;
    EXPECT_EQ(operate(http::Method::post,
                      "/projections/sums/skip?topic=test.counter&partition=" + std::to_string(place.partition.value()) +
                          "&position=" + std::to_string(place.position.value()))
                  .status,
              200);
    EXPECT_EQ(get_behind("/sums/n-b", later).body, R"({"counter":"n-b","sum":7})");
    EXPECT_THAT(operate(http::Method::get, "/projections/sums").body, HasSubstr(R"("skipped":[{"fault")"));
}

TEST_F(ReadSideTest, rebuild_compares_and_switches_and_goes_back) {
    const std::string token = add("a", 5);
    get_behind("/sums/a", token);
    EXPECT_EQ(operate(http::Method::post, "/projections/sums/rebuild").status, 200);
    await("/projections/sums", R"("live":{"generation":2,)");
    EXPECT_THAT(operate(http::Method::get, "/projections/sums/difference").body,
                AllOf(HasSubstr(R"("equal":true)"), HasSubstr(R"("newer_rows":1)")));
    EXPECT_EQ(get_behind("/sums/a", add("a", 1)).body, R"({"counter":"a","sum":6})");
    EXPECT_EQ(operate(http::Method::post, "/projections/sums/switch-back").status, 200);
    EXPECT_THAT(operate(http::Method::get, "/projections/sums").body, HasSubstr(R"("live":{"generation":1,)"));
    EXPECT_EQ(get_behind("/sums/a", add("a", 1)).body, R"({"counter":"a","sum":7})");
}

TEST_F(ReadSideTest, operators_errors_say_what_there_is) {
    EXPECT_THAT(operate(http::Method::get, "/projections/nope").body,
                HasSubstr("there is no projection 'nope'; there are sums, numbers"));
    EXPECT_EQ(operate(http::Method::post, "/projections/sums/dance").status, 404);
    EXPECT_EQ(operate(http::Method::post, "/projections/sums/switch").status, 409);
    EXPECT_EQ(operate(http::Method::get, "/projections/sums/difference").status, 404);
    EXPECT_EQ(operate(http::Method::post, "/log").status, 400);
    EXPECT_THAT(operate(http::Method::get, "/processes/nope/timers").body, HasSubstr("there are copier"));
}

TEST_F(ReadSideTest, process_sends_what_it_decides_and_hears_the_answer) {
    add("a", 5);
    add("a", 2);
    await("/processes", R"("commands_waiting":0)");
    for (int turn = 0; turn < 1000 && world.get("/counters/a-copy").body != R"({"id":"a-copy","sum":7,"version":2})";
         ++turn)
        world.sim().scheduler().run_for(std::chrono::milliseconds(10));
    EXPECT_EQ(world.get("/counters/a-copy").body, R"({"id":"a-copy","sum":7,"version":2})");
    EXPECT_THAT(world.get("/copiers/a").body, HasSubstr(R"("copied":7)"));
    stop();
    open();
    world.sim().scheduler().run_for(std::chrono::seconds(5));
    EXPECT_EQ(world.get("/counters/a-copy").body, R"({"id":"a-copy","sum":7,"version":2})");
}

TEST_F(ReadSideTest, commands_of_processes_are_no_route) {
    EXPECT_EQ(world.post("/copiers/a/tell", "{}").status, 201);
    for (const CommandType& command : world.host().aggregates()[1].model->commands()) {
        if (!command.is_routed) {
            EXPECT_EQ(world.post("/copiers/a/" + command.name, "{}").status, 404) << command.name;
        }
    }
}

}  // namespace
}  // namespace leftfold
