#include "leftfold/gateway/gateway.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/log/position_token.hpp"

#include "testing/gateway_world.hpp"

namespace leftfold::gateway {
namespace {

using http::Method;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;
using ::testing::StartsWith;

// "409 test.box.box-full"; of what is no problem document, the status.
std::string outcome_of(const http::Response& response) {
    constexpr std::string_view before = "\"type\":\"urn:leftfold:problem:";
    const std::size_t found = response.body.find(before);
    std::string outcome = std::to_string(response.status);
    if (response.content_type != http::content_type::kProblem || found == std::string::npos)
        return outcome;
    const std::size_t begin = found + before.size();
    return outcome + " " + response.body.substr(begin, response.body.find('"', begin) - begin);
}

struct GatewayTest : ::testing::Test {
    GatewayWorld world;
};

// ---------------------------------------------------------------------------------------------------------------
// commands

TEST_F(GatewayTest, first_command_creates) {
    const auto response = world.post("/boxes/a%2Fb/fill", R"({"what":"tea"})");
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(response.content_type, http::content_type::kJson);
    EXPECT_EQ(response.body, R"({"id":"a/b","version":1})");
    EXPECT_THAT(header_of(response, "Location"), Optional(std::string("/boxes/a%2Fb")));
    EXPECT_THAT(header_of(response, "ETag"), Optional(std::string("\"1\"")));
    EXPECT_EQ(header_of(response, "Idempotent-Replayed"), std::nullopt);
    const auto position = log::PositionToken::parse(header_of(response, "Leftfold-Position").value_or(""));
    ASSERT_TRUE(position);
    EXPECT_EQ(position->incarnation(), world.log().incarnation());
}

TEST_F(GatewayTest, later_command_accepted) {
    world.post("/boxes/a/fill", R"({"what":"tea"})");
    const auto response = world.post("/boxes/a/empty", "{}");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, R"({"id":"a","version":2})");
    EXPECT_EQ(header_of(response, "Location"), std::nullopt);
}

TEST_F(GatewayTest, refusal_is_a_problem_with_details) {
    world.post("/boxes/a/fill", R"({"what":"tea"})");
    const auto response = world.post("/boxes/a/fill", R"({"what":"milk"})");
    EXPECT_EQ(outcome_of(response), "409 test.box.box-full");
    EXPECT_THAT(response.body, HasSubstr(R"("title":"box full")"));
    EXPECT_THAT(response.body, HasSubstr(R"("reason":"box-full")"));
    EXPECT_THAT(response.body, HasSubstr(R"("details":{"what":"tea"})"));
    EXPECT_THAT(response.body, HasSubstr(R"("version":1)"));
    EXPECT_THAT(header_of(response, "ETag"), Optional(std::string("\"1\"")));
    EXPECT_TRUE(header_of(response, "Leftfold-Position"));
}

TEST_F(GatewayTest, conflict_carries_the_current_version) {
    world.post("/boxes/a/fill", R"({"what":"tea"})");
    for (const Headers& headers : {Headers{{"If-Match", "\"2\""}}, Headers{{"If-None-Match", "*"}}}) {
        const auto response = world.post("/boxes/a/empty", "{}", headers);
        EXPECT_EQ(outcome_of(response), "412 version-conflict");
        EXPECT_THAT(response.body, HasSubstr(R"("current_version":1)"));
        EXPECT_THAT(header_of(response, "ETag"), Optional(std::string("\"1\"")));
    }
    EXPECT_EQ(outcome_of(world.post("/boxes/new/fill", R"({"what":"x"})", {{"If-Match", "*"}})),
              "412 version-conflict");
    EXPECT_EQ(world.post("/boxes/a/empty", "{}", {{"If-Match", "\"1\""}}).status, 200);
}

TEST_F(GatewayTest, repeat_marked_with_the_first_answer) {
    const Headers id = {{"Idempotency-Key", "k1"}};
    const auto first = world.post("/boxes/a/fill", R"({"what":"tea"})", id);
    world.post("/boxes/a/empty", "{}");
    const auto again = world.post("/boxes/a/fill", R"({ "what" : "tea" })", id);
    EXPECT_EQ(again.status, first.status);
    EXPECT_EQ(again.body, first.body);
    EXPECT_THAT(header_of(again, "Location"), header_of(first, "Location"));
    EXPECT_THAT(header_of(again, "Idempotent-Replayed"), Optional(std::string("true")));

    EXPECT_EQ(outcome_of(world.post("/boxes/a/fill", R"({"what":"milk"})", id)), "422 command-id-reused");
    EXPECT_EQ(outcome_of(world.post("/boxes/a/empty", "{}", id)), "422 command-id-reused");
    EXPECT_EQ(world.post("/boxes/b/fill", R"({"what":"milk"})", id).status, 201);
}

TEST_F(GatewayTest, repeat_of_a_refusal_after_restart) {
    world.post("/boxes/a/fill", R"({"what":"tea"})");
    const Headers id = {{"Idempotency-Key", "k2"}};
    const auto first = world.post("/boxes/a/fill", R"({"what":"milk"})", id);
    world.post("/boxes/a/empty", "{}");
    world.reopen();
    const auto again = world.post("/boxes/a/fill", R"({"what":"milk"})", id);
    EXPECT_EQ(outcome_of(again), "409 test.box.box-full");
    EXPECT_EQ(again.body, first.body);
    EXPECT_THAT(header_of(again, "Idempotent-Replayed"), Optional(std::string("true")));
}

TEST_F(GatewayTest, server_chooses_an_id) {
    const auto one = world.post("/boxes/fill", R"({"what":"tea"})");
    const auto two = world.post("/boxes/fill", R"({"what":"tea"})");
    EXPECT_EQ(one.status, 201);
    EXPECT_EQ(two.status, 201);
    const std::string location = header_of(one, "Location").value_or("");
    EXPECT_THAT(location, StartsWith("/boxes/"));
    EXPECT_NE(location, header_of(two, "Location"));
    EXPECT_THAT(world.get(location).body, HasSubstr(R"("what":"tea")"));
}

TEST_F(GatewayTest, chosen_id_is_the_same_for_a_repeat) {
    const Headers id = {{"Idempotency-Key", "order-1"}};
    const auto first = world.post("/boxes/fill", R"({"what":"tea"})", id);
    world.reopen();
    const auto again = world.post("/boxes/fill", R"({"what":"tea"})", id);
    EXPECT_EQ(first.status, 201);
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(header_of(again, "Location"), header_of(first, "Location"));
    EXPECT_THAT(header_of(again, "Idempotent-Replayed"), Optional(std::string("true")));
    EXPECT_EQ(outcome_of(world.post("/boxes/fill", R"({"what":"milk"})", id)), "422 command-id-reused");
}

TEST_F(GatewayTest, id_called_like_a_command_served) {
    EXPECT_EQ(world.post("/boxes/fill/fill", R"({"what":"tea"})").status, 201);
    EXPECT_THAT(world.get("/boxes/fill").body, StartsWith(R"({"id":"fill",)"));
    EXPECT_EQ(world.get("/boxes/fill/events").status, 200);
}

TEST_F(GatewayTest, malformed_command_names_the_path) {
    const auto response = world.post("/boxes/a/fill", R"({"what":7})");
    EXPECT_EQ(outcome_of(response), "400 malformed-command");
    EXPECT_THAT(response.body, HasSubstr(R"("errors":[{"path":"/what","problem":)"));
    for (const char* body : {"", "{", "[]", R"({"what":"a","what":"b"})", R"({"what":"a","more":1})", "{}"})
        EXPECT_EQ(outcome_of(world.post("/boxes/a/fill", body)), "400 malformed-command") << body;
    EXPECT_EQ(world.get("/boxes/a").status, 404);
}

TEST_F(GatewayTest, body_of_another_type_refused) {
    const std::string body = R"({"what":"tea"})";
    EXPECT_EQ(outcome_of(world.post("/boxes/a/fill", body, {{"Content-Type", "text/plain"}})), "415 not-json");
    EXPECT_EQ(world.post("/boxes/a/fill", body, {{"Content-Type", "application/JSON ; charset=utf-8"}}).status, 201);
    EXPECT_EQ(world.post("/boxes/b/fill", body, {{"Content-Type", "application/x-www-form-urlencoded"}}).status, 201);
}

TEST_F(GatewayTest, page_of_another_origin_refused) {
    const auto from = [&](const char* origin) {
        return outcome_of(world.post("/boxes/a/touch", "{}", {{"Host", "bank.example:8080"}, {"Origin", origin}}));
    };
    EXPECT_EQ(from("https://evil.example"), "403 cross-origin");
    EXPECT_EQ(from("http://bank.example"), "403 cross-origin");
    EXPECT_EQ(from("null"), "403 cross-origin");
    EXPECT_EQ(from("http://bank.example:8080"), "200");
}

TEST_F(GatewayTest, time_trusted_on_loopback_only) {
    const Headers past = {{"Leftfold-Time", "1993-01-31T00:00:00Z"}};
    EXPECT_EQ(outcome_of(world.send(Method::post, "/boxes/a/fill", past, R"({"what":"tea"})", false)),
              "403 time-not-trusted");
    EXPECT_EQ(world.post("/boxes/a/fill", R"({"what":"tea"})", past).status, 201);
    EXPECT_THAT(world.get("/boxes/a/events").body, HasSubstr(R"("time":"1993-01-31T00:00:00Z")"));
}

TEST_F(GatewayTest, bad_headers_of_a_command_refused) {
    const auto with = [&](const char* name, const char* value) {
        return outcome_of(world.post("/boxes/a/touch", "{}", {{name, value}}));
    };
    EXPECT_EQ(with("Idempotency-Key", "a b"), "400 bad-command-id");
    EXPECT_EQ(with("If-Match", "7"), "400 bad-condition");
    EXPECT_EQ(with("Leftfold-Time", "now"), "400 bad-time");
    EXPECT_EQ(with("Leftfold-Correlation-Id", "a b"), "400 bad-correlation-id");
    EXPECT_EQ(with("traceparent", "nonsense"), "200");
}

TEST_F(GatewayTest, service_that_throws_answers_500) {
    const auto response = world.post("/boxes/a/smash", "{}");
    EXPECT_EQ(outcome_of(response), "500 service-failed");
    EXPECT_EQ(world.post("/boxes/a/fill", R"({"what":"tea"})").status, 201);
}

TEST(GatewayLimits, hot_aggregate_answers_429_and_others_go_on) {
    GatewayWorld world({.aggregates = {.commands_in_flight_max = 1}});
    const auto& first = world.begin(Method::post, "/boxes/hot/empty", {}, "{}");
    const auto& second = world.begin(Method::post, "/boxes/hot/empty", {}, "{}");
    const auto& other = world.begin(Method::post, "/boxes/cold/empty", {}, "{}");
    world.sim().scheduler().run_until_idle();
    EXPECT_EQ(outcome_of(*first), "201");
    EXPECT_EQ(outcome_of(*second), "429 overloaded");
    EXPECT_THAT(header_of(*second, "Retry-After"), Optional(std::string("1")));
    EXPECT_EQ(outcome_of(*other), "201");
    EXPECT_EQ(world.post("/boxes/hot/empty", "{}").status, 200);
}

TEST(GatewayLimits, overloaded_partition_answers_503) {
    GatewayWorld world({.log = {.pending_bytes_max = 2'000}});
    std::vector<const std::optional<http::Response>*> answers;
    for (int i = 0; i < 100; ++i)
        answers.push_back(&world.begin(Method::post, "/boxes/" + std::to_string(i) + "/fill", {}, R"({"what":"tea"})"));
    world.sim().scheduler().run_until_idle();
    int accepted = 0;
    for (const auto* answer : answers) {
        if ((*answer)->status == 201) {
            ++accepted;
            continue;
        }
        EXPECT_EQ(outcome_of(**answer), "503 unavailable");
        EXPECT_THAT((*answer)->body, HasSubstr("partition is overloaded"));
        EXPECT_THAT(header_of(**answer, "Retry-After"), Optional(std::string("1")));
    }
    EXPECT_GT(accepted, 0);
    EXPECT_LT(accepted, 100);
    EXPECT_EQ(world.post("/boxes/99/fill", R"({"what":"tea"})").status, 201);
}

TEST(GatewayLimits, command_too_large_answers_413) {
    GatewayWorld world({.log = {.append_bytes_max = 1'000}});
    const std::string body = R"({"what":")" + std::string(2'000, 'x') + R"("})";
    EXPECT_EQ(outcome_of(world.post("/boxes/a/fill", body)), "413 too-large");
    EXPECT_EQ(world.post("/boxes/a/fill", R"({"what":"tea"})").status, 201);
}

TEST_F(GatewayTest, failing_disk_answers_503) {
    world.post("/boxes/a/fill", R"({"what":"tea"})");
    world.sim().files().fail_operations_from(1, ErrorCode::io);
    const auto response = world.post("/boxes/a/empty", "{}");
    world.sim().files().cancel_faults();
    EXPECT_EQ(outcome_of(response), "503 unavailable");
    EXPECT_THAT(header_of(response, "Retry-After"), Optional(std::string("1")));
    EXPECT_THAT(world.log_lines(),
                ElementsAre(AllOf(HasSubstr(R"("level":"error","event":"command-failed")"),
                                  HasSubstr("takes no more appends until the process is started again"))));
}

TEST_F(GatewayTest, refusals_and_conflicts_are_no_errors_for_an_operator) {
    world.post("/boxes/a/empty", "{}");
    world.post("/boxes/a/fill", R"({"what":1})");
    world.post("/boxes/a/fill", R"({"what":"tea"})", {{"If-Match", "\"9\""}});
    EXPECT_THAT(world.log_lines(), IsEmpty());
}

// ------------------------------------------------------------------------------------------------------------------
// state

TEST_F(GatewayTest, state_with_etag_and_position) {
    world.post("/boxes/a/fill", R"({"what":"tea"})");
    const auto response = world.get("/boxes/a");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, http::content_type::kJson);
    EXPECT_EQ(response.body, R"({"id":"a","what":"tea","times":1,"version":1})");
    EXPECT_THAT(header_of(response, "ETag"), Optional(std::string("\"1\"")));
    EXPECT_TRUE(header_of(response, "Leftfold-Position"));
    EXPECT_EQ(outcome_of(world.get("/boxes/b")), "404 not-found");
}

TEST_F(GatewayTest, state_that_the_client_has_answers_304) {
    world.post("/boxes/a/fill", R"({"what":"tea"})");
    for (const char* tags : {"\"1\"", "*", "W/\"1\"", "\"7\", \"1\"", "\"7\",W/\"1\" "}) {
        const auto response = world.get("/boxes/a", {{"If-None-Match", tags}});
        EXPECT_EQ(response.status, 304) << tags;
        EXPECT_EQ(response.body, "");
        EXPECT_THAT(header_of(response, "ETag"), Optional(std::string("\"1\"")));
    }
    for (const char* tags : {"\"2\"", "1", "\"11\"", ""})
        EXPECT_EQ(world.get("/boxes/a", {{"If-None-Match", tags}}).status, 200) << tags;
    EXPECT_EQ(world.get("/boxes/b", {{"If-None-Match", "*"}}).status, 404);
}

TEST_F(GatewayTest, past_states) {
    world.post("/boxes/a/fill", R"({"what":"tea"})", {{"Leftfold-Time", "1993-01-31T23:59:59Z"}});
    world.post("/boxes/a/empty", "{}", {{"Leftfold-Time", "1993-02-01T00:00:00Z"}});
    const auto first = world.get("/boxes/a?at_version=1");
    EXPECT_EQ(first.body, R"({"id":"a","what":"tea","times":1,"version":1})");
    EXPECT_EQ(header_of(first, "ETag"), std::nullopt);
    EXPECT_EQ(world.get("/boxes/a?at_time=1993-01-31").body, first.body);
    EXPECT_THAT(world.get("/boxes/a?at_time=1993-02-01T00:00:00Z").body, HasSubstr(R"("what":"")"));
    EXPECT_EQ(outcome_of(world.get("/boxes/a?at_time=1993-01-30")), "404 not-found");
    EXPECT_EQ(outcome_of(world.get("/boxes/a?at_version=3")), "404 not-found");
    EXPECT_EQ(outcome_of(world.get("/boxes/a?recorded_at=2000-01-01")), "404 not-found");
    EXPECT_EQ(outcome_of(world.get("/boxes/a?at_version=x")), "400 bad-query");
}

TEST_F(GatewayTest, positions_of_this_log_served) {
    const std::string token = *header_of(world.post("/boxes/a/fill", R"({"what":"tea"})"), "Leftfold-Position");
    EXPECT_EQ(world.get("/boxes/a", {{"Leftfold-Position", token}}).status, 200);
    EXPECT_EQ(world.get("/boxes/a/events", {{"Leftfold-Position", token}}).status, 200);
    world.reopen();
    EXPECT_EQ(world.get("/boxes/a", {{"Leftfold-Position", token}}).status, 200);
}

TEST_F(GatewayTest, other_positions_refused) {
    const auto hash = log::topic_hash("test.box");
    const std::string foreign =
        log::make_position_token(Uuid::v7(timestamp_from_micros(1), 1, 1), hash, PartitionId(0), Position(0));
    const std::string beyond =
        log::make_position_token(world.log().incarnation(), hash, PartitionId(0), Position(1'000));
    const std::string no_partition =
        log::make_position_token(world.log().incarnation(), hash, PartitionId(4), Position(0));
    for (const char* target : {"/boxes/a", "/boxes/a/events"}) {
        EXPECT_EQ(outcome_of(world.get(target, {{"Leftfold-Position", foreign}})), "409 foreign-position");
        EXPECT_EQ(outcome_of(world.get(target, {{"Leftfold-Position", beyond}})), "409 position-beyond-end");
        EXPECT_EQ(outcome_of(world.get(target, {{"Leftfold-Position", no_partition}})), "409 position-beyond-end");
        EXPECT_EQ(outcome_of(world.get(target, {{"Leftfold-Position", "?"}})), "400 bad-position");
    }
}

// -----------------------------------------------------------------------------------------------------------------
// events

TEST_F(GatewayTest, events_as_a_batch) {
    world.post("/boxes/a/fill", R"({"what":"tea"})", {{"Idempotency-Key", "k1"}, {"Leftfold-Correlation-Id", "c1"}});
    const auto response = world.get("/boxes/a/events");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/cloudevents-batch+json");
    for (const char* part : {R"("specversion":"1.0")", R"("source":"/test/box")", R"("type":"test.box.filled")",
                             R"("subject":"a")", R"("data":{"what":"tea"})"})
        EXPECT_THAT(response.body, HasSubstr(part));
    EXPECT_EQ(header_of(response, "Link"), std::nullopt);
    EXPECT_TRUE(header_of(response, "Leftfold-Position"));
}

TEST_F(GatewayTest, events_in_pages) {
    for (int i = 0; i < 5; ++i)
        world.post("/boxes/a%20b/empty", "{}");
    std::string target = "/boxes/a%20b/events?limit=2";
    std::vector<std::string> pages;
    for (int i = 0; i < 5 && !target.empty(); ++i) {
        const auto response = world.get(target);
        ASSERT_EQ(response.status, 200);
        std::string versions;
        for (int version = 1; version <= 5; ++version)
            if (response.body.find("\"sequence\":\"" + std::to_string(version) + "\"") != std::string::npos)
                versions += std::to_string(version);
        pages.push_back(versions);
        const std::string link = header_of(response, "Link").value_or("");
        target = link.empty() ? "" : link.substr(1, link.find('>') - 1);
        EXPECT_TRUE(link.empty() || link.ends_with(">; rel=\"next\"")) << link;
    }
    EXPECT_THAT(pages, ::testing::ElementsAre("12", "34", "5"));
}

TEST_F(GatewayTest, full_last_page_has_no_next) {
    for (int i = 0; i < 4; ++i)
        world.post("/boxes/a/empty", "{}");
    EXPECT_TRUE(header_of(world.get("/boxes/a/events?limit=3"), "Link"));
    EXPECT_EQ(header_of(world.get("/boxes/a/events?limit=4"), "Link"), std::nullopt);
}

TEST_F(GatewayTest, events_behind_the_end_are_none) {
    world.post("/boxes/a/empty", "{}");
    const auto response = world.get("/boxes/a/events?from=2");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "[]");
    EXPECT_EQ(outcome_of(world.get("/boxes/b/events")), "404 not-found");
    EXPECT_EQ(outcome_of(world.get("/boxes/b/events?from=2")), "404 not-found");
    EXPECT_EQ(outcome_of(world.get("/boxes/a/events?from=0")), "400 bad-query");
}

TEST_F(GatewayTest, events_not_yet_durable_stay_unseen) {
    const auto& command = world.begin(Method::post, "/boxes/a/empty", {}, "{}");
    const auto& events = world.begin(Method::get, "/boxes/a/events");
    ASSERT_TRUE(events);
    EXPECT_EQ(outcome_of(*events), "404 not-found");
    EXPECT_FALSE(command);
    world.sim().scheduler().run_until_idle();
    EXPECT_EQ(outcome_of(*command), "201");

    world.begin(Method::post, "/boxes/a/empty", {}, "{}");
    const auto& page = world.begin(Method::get, "/boxes/a/events");
    ASSERT_TRUE(page);
    EXPECT_THAT(page->body, Not(HasSubstr(R"("sequence":"2")")));
    EXPECT_EQ(header_of(*page, "Link"), std::nullopt);
    world.sim().scheduler().run_until_idle();
}

// -----------------------------------------------------------------------------------------------------------------
// routes

TEST_F(GatewayTest, unknown_route_answers_404) {
    for (const char* target : {"/", "/boxes", "/boxes/", "/boxes/a/fill/x", "/box/a"})
        EXPECT_EQ(outcome_of(world.get(target)), "404 unknown-route") << target;
    EXPECT_EQ(outcome_of(world.post("/boxes/a/burn", "{}")), "404 unknown-route");
}

TEST_F(GatewayTest, other_method_answers_405_with_allow) {
    const auto command = world.get("/boxes/a/fill");
    EXPECT_EQ(outcome_of(command), "405 method-not-allowed");
    EXPECT_THAT(header_of(command, "Allow"), Optional(std::string("POST")));
    const auto state = world.send(Method::del, "/boxes/a");
    EXPECT_EQ(outcome_of(state), "405 method-not-allowed");
    EXPECT_THAT(header_of(state, "Allow"), Optional(std::string("GET, HEAD")));
}

TEST_F(GatewayTest, head_answers_as_get) {
    world.post("/boxes/a/fill", R"({"what":"tea"})");
    const auto head = world.send(Method::head, "/boxes/a");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, world.get("/boxes/a").body);
    EXPECT_EQ(outcome_of(world.send(Method::head, "/boxes/a/fill")), "405 method-not-allowed");
}

TEST_F(GatewayTest, unusable_id_refused) {
    for (const char* target : {"/boxes/%ff", "/boxes/a%0Ab", "/boxes/%7F/events"})
        EXPECT_EQ(outcome_of(world.get(target)), "400 bad-id") << target;
    EXPECT_EQ(outcome_of(world.post("/boxes/" + std::string(201, 'a') + "/fill", R"({"what":"tea"})")), "400 bad-id");
}

TEST_F(GatewayTest, colliding_declarations_refused) {
    const auto again = world.gateway().add_aggregate(
        {.pattern = "/boxes/{name}", .problem_scope = "test.box", .event_source = "/test/box"}, world.runtime());
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), ErrorCode::already_exists);
    const auto without_id = world.gateway().add_aggregate(
        {.pattern = "/box", .problem_scope = "test.box", .event_source = "/test/box"}, world.runtime());
    ASSERT_FALSE(without_id);
    EXPECT_EQ(without_id.error().code(), ErrorCode::invalid_argument);
}

TEST(RoutesOfAggregate, all_named) {
    const std::vector<CommandType> commands = {{"fill", ""}, {"empty", ""}};
    const std::vector<RoutePattern> with_collection = {
        {Method::get, "/boxes/{id}"},        {Method::get, "/boxes/{id}/events"}, {Method::post, "/boxes/{id}/fill"},
        {Method::post, "/boxes/{id}/empty"}, {Method::post, "/boxes/fill"},       {Method::post, "/boxes/empty"}};
    EXPECT_EQ(routes_of_aggregate("/boxes/{id}", commands), with_collection);
    const std::vector<RoutePattern> without = {{Method::get, "/shops/{id}/box"},
                                               {Method::get, "/shops/{id}/box/events"},
                                               {Method::post, "/shops/{id}/box/fill"},
                                               {Method::post, "/shops/{id}/box/empty"}};
    EXPECT_EQ(routes_of_aggregate("/shops/{id}/box", commands), without);
}

}  // namespace
}  // namespace leftfold::gateway
