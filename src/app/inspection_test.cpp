#include "inspection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/log/position_token.hpp"

#include "testing/host_world.hpp"

namespace leftfold {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::string header_of(const http::Response& response, const std::string& name) {
    const std::size_t begin = response.header_lines.find(name + ": ");
    if (begin == std::string::npos)
        return {};
    const std::size_t value = begin + name.size() + 2;
    return response.header_lines.substr(value, response.header_lines.find('\r', value) - value);
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        lines.push_back(text.substr(begin, end - begin));
        begin = end == std::string::npos ? text.size() : end + 1;
    }
    return lines;
}

struct InspectionTest : ::testing::Test {
    HostWorld world;
    std::unique_ptr<Inspection> inspection;

    InspectionTest() {
        world.open();
        inspection = std::make_unique<Inspection>(world.sim().env(), world.host());
    }
    ~InspectionTest() override { inspection.reset(); }

    const std::optional<http::Response>& begin(std::string_view target) {
        return world.begin(*inspection, http::Method::get, target);
    }
    http::Response ask(std::string_view target) { return world.finish(begin(target)); }
    void add(std::string_view id, int number) {
        const int status =
            world.post("/counters/" + std::string(id) + "/add", R"({"number":)" + std::to_string(number) + "}").status;
        ASSERT_TRUE(status == 200 || status == 201);
    }
};

TEST_F(InspectionTest, events_of_all_partitions_as_lines) {
    for (int i = 0; i < 20; ++i)
        add(std::to_string(i), i);
    const auto response = ask("/events?topic=test.counter");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/jsonl");
    const auto lines = lines_of(response.body);
    ASSERT_THAT(lines, SizeIs(20));
    std::set<std::string> subjects;
    for (const std::string& line : lines) {
        EXPECT_THAT(line, AllOf(StartsWith(R"({"topic":"test.counter","partition":)"),
                                HasSubstr(R"("type":"test.counter.added")"), HasSubstr(R"("source":"/test/counter")")));
        const std::size_t subject = line.find("\"subject\":\"");
        subjects.insert(line.substr(subject, line.find(',', subject) - subject));
    }
    EXPECT_THAT(subjects, SizeIs(20));
}

TEST_F(InspectionTest, events_in_portions_without_gap_or_repeat) {
    for (int i = 0; i < 10; ++i)
        add(std::to_string(i), i);
    std::string position;
    std::vector<std::string> lines;
    for (int asked = 0; asked < 20; ++asked) {
        const auto response =
            ask("/events?topic=test.counter&limit=3" + (position.empty() ? "" : "&position=" + position));
        ASSERT_EQ(response.status, 200);
        if (response.body.empty())
            break;
        EXPECT_LE(lines_of(response.body).size(), 3U);
        for (std::string& line : lines_of(response.body))
            lines.push_back(std::move(line));
        position = header_of(response, "Leftfold-Position");
    }
    EXPECT_EQ(lines, lines_of(ask("/events?topic=test.counter").body));
    EXPECT_THAT(lines, SizeIs(10));
}

TEST_F(InspectionTest, events_that_come_answer_who_waits) {
    add("a", 1);
    const std::string position = header_of(ask("/events?topic=test.counter"), "Leftfold-Position");
    const auto& answer = begin("/events?topic=test.counter&wait-ms=1000&position=" + position);
    world.sim().scheduler().run_for(std::chrono::milliseconds(500));
    EXPECT_FALSE(answer);
    add("a", 2);
    world.sim().scheduler().run_for(std::chrono::milliseconds(100));
    ASSERT_TRUE(answer);
    EXPECT_THAT(lines_of(answer->body), ElementsAre(HasSubstr(R"("data":{"number":2})")));
}

TEST_F(InspectionTest, waiting_ends_empty_at_its_time) {
    const auto& answer = begin("/events?topic=test.counter&wait-ms=1000");
    world.sim().scheduler().run_for(std::chrono::milliseconds(999));
    EXPECT_FALSE(answer);
    world.sim().scheduler().run_for(std::chrono::milliseconds(2));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_THAT(answer->body, IsEmpty());
    EXPECT_NE(header_of(*answer, "Leftfold-Position"), "");
}

TEST_F(InspectionTest, end_while_somebody_waits_leaves_no_timer) {
    const auto& answer = begin("/events?topic=test.counter&wait-ms=1000");
    inspection.reset();
    EXPECT_TRUE(answer && answer->status == 500);
    world.sim().scheduler().run_until_idle();
}

TEST_F(InspectionTest, wrong_questions_refused) {
    EXPECT_EQ(ask("/events").status, 404);
    const auto unknown = ask("/events?topic=nope");
    EXPECT_EQ(unknown.status, 404);
    EXPECT_THAT(unknown.body, HasSubstr("there are test.counter, test.counter.outcomes"));
    for (const char* target : {"/events?topic=test.counter&limit=x", "/events?topic=test.counter&limit=10001",
                               "/events?topic=test.counter&wait-ms=-1", "/events?topic=test.counter&position=?",
                               "/events?topic=test.counter&topic=test.counter", "/events?topic=test.counter&more=1"})
        EXPECT_EQ(ask(target).status, 400) << target;
    const std::string foreign = log::make_position_token(Uuid::v7(timestamp_from_micros(1), 1, 1),
                                                         log::topic_hash("test.counter"), PartitionId(0), Position(0));
    EXPECT_EQ(ask("/events?topic=test.counter&position=" + foreign).status, 400);
    EXPECT_EQ(ask("/nope").status, 404);
}

TEST_F(InspectionTest, replay_shows_the_state_behind_each_event) {
    add("a", 1);
    add("b", 10);
    add("a", 2);
    const auto lines = lines_of(ask("/replay?aggregate=counter&id=a").body);
    ASSERT_THAT(lines, SizeIs(2));
    EXPECT_THAT(lines[0], AllOf(StartsWith(R"({"version":1,"type":"test.counter.added","time":"2024-01-01T)"),
                                HasSubstr(R"("data":{"number":1},"state":{"sum":1}})")));
    EXPECT_THAT(lines[1],
                AllOf(StartsWith(R"({"version":2,)"), HasSubstr(R"("data":{"number":2},"state":{"sum":3}})")));
}

TEST_F(InspectionTest, replay_in_portions_keeps_the_state) {
    for (int i = 1; i <= 5; ++i)
        add("a", i);
    std::vector<std::string> lines;
    std::string from = "1";
    while (!from.empty() && lines.size() < 10) {
        const auto response = ask("/replay?aggregate=counter&id=a&limit=2&from=" + from);
        for (std::string& line : lines_of(response.body))
            lines.push_back(std::move(line));
        from = header_of(response, "Leftfold-Next");
    }
    EXPECT_THAT(lines, SizeIs(5));
    EXPECT_EQ(lines, lines_of(ask("/replay?aggregate=counter&id=a").body));
    EXPECT_THAT(lines.back(), HasSubstr(R"("state":{"sum":15})"));
}

TEST_F(InspectionTest, replay_of_what_is_not_there_says_so) {
    add("a", 1);
    const auto id = ask("/replay?aggregate=counter&id=b");
    EXPECT_EQ(id.status, 404);
    EXPECT_THAT(id.body, HasSubstr("there is no counter 'b'"));
    const auto aggregate = ask("/replay?aggregate=count&id=a");
    EXPECT_EQ(aggregate.status, 404);
    EXPECT_THAT(aggregate.body, HasSubstr("there is no aggregate 'count'; there are counter"));
    EXPECT_EQ(ask("/replay?aggregate=counter&id=a&from=x").status, 400);
}

TEST_F(InspectionTest, log_shows_topics_and_their_extent) {
    add("a", 1);
    add("a", 2);
    const auto response = ask("/log");
    EXPECT_EQ(response.content_type, http::content_type::kJson);
    EXPECT_THAT(response.body, AllOf(HasSubstr("\"incarnation\":\"" + world.host().log().incarnation().to_string()),
                                     HasSubstr(R"({"name":"test.counter","partitions":[{"start":0,"end":)"),
                                     HasSubstr(R"({"name":"test.counter.outcomes",)"),
                                     HasSubstr(R"({"start":0,"end":2})"), Not(HasSubstr(R"("end":3})"))));
}

}  // namespace
}  // namespace leftfold
