#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/env/owned_timer.hpp"
#include "leftfold/log/position_token.hpp"

#include "testing/gateway_world.hpp"

namespace leftfold::gateway {
namespace {

using namespace std::chrono_literals;
using http::Method;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string problem_of_client(const StreamClient& client) {
    if (!client.refused())
        return "";
    const std::string& body = client.refused()->body;
    const std::size_t at = body.find("problem:");
    return std::to_string(client.refused()->status) + " " + body.substr(at + 8, body.find('"', at) - at - 8);
}

std::vector<std::string> keys_of(const std::vector<StreamedEvent>& events) {
    std::vector<std::string> keys;
    for (const StreamedEvent& each : events)
        keys.push_back(each.event.attributes().subject.value_or(""));
    return keys;
}

struct LiveStreamsTest : ::testing::Test {
    void fill(const std::string& key) { world.post("/boxes/" + key + "/fill", R"({"what":"tea"})"); }
    void empty(const std::string& key) { world.post("/boxes/" + key + "/empty", "{}"); }
    void write_note(const std::string& key, const std::string& id) {
        const auto response = world.send(Method::post, "/events", {{"Content-Type", "application/cloudevents+json"}},
                                         R"({"specversion":"1.0","id":")" + id +
                                             R"(","source":"/x","type":"test.note.written","subject":")" + key +
                                             R"(","data":{"text":"t","stars":1}})");
        ASSERT_EQ(response.status, 200) << response.body;
    }

    GatewayWorld world;
    StreamClient client;
};

TEST_F(LiveStreamsTest, head_and_first_block_are_exact) {
    world.stream(client, "/events");
    EXPECT_EQ(client.head().status, 200);
    EXPECT_EQ(client.head().content_type, "text/event-stream");
    EXPECT_EQ(client.head().header_lines, "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n");
    EXPECT_EQ(client.take_text(),
              "retry: 1000\nid: " + log::PositionToken(world.log().incarnation()).to_string() + "\n\n");
}

// The whole block: the vector behind the event, its type, and the CloudEvent as the batch shows it.
TEST_F(LiveStreamsTest, event_is_exact) {
    fill("a");
    world.stream(client, "/events");
    client.take_text();
    empty("a");
    world.settle();
    log::PositionToken token(world.log().incarnation());
    token.advance(log::topic_hash("test.box"), world.runtime().slot_of("a").partition, Position(2));
    std::string batch = world.get("/boxes/a/events?from=2").body;
    EXPECT_EQ(client.take_text(), "id: " + token.to_string() +
                                      "\nevent: test.box.emptied\ndata: " + batch.substr(1, batch.size() - 2) + "\n\n");
}

TEST_F(LiveStreamsTest, from_says_where_it_begins) {
    fill("a");
    fill("b");
    const std::string end = world.get("/boxes/a").header_lines;
    world.stream(client, "/events?from=start");
    EXPECT_THAT(keys_of(client.take_events()), ::testing::UnorderedElementsAre("a", "b"));
    const std::string behind = client.last_id();

    StreamClient now;
    world.stream(now, "/events?from=now");
    StreamClient by_default;
    world.stream(by_default, "/events");
    StreamClient by_token;
    world.stream(by_token, "/events?from=" + behind);
    StreamClient by_header;
    world.stream(by_header, "/events?from=start", {{"Last-Event-ID", behind}});
    StreamClient by_empty_header;
    world.stream(by_empty_header, "/events?from=start", {{"Last-Event-ID", ""}});
    for (StreamClient* each : {&now, &by_default, &by_token, &by_header}) {
        EXPECT_THAT(each->take_events(), IsEmpty());
        EXPECT_EQ(each->last_id(), behind);
    }
    EXPECT_EQ(by_empty_header.take_events().size(), 2U);
    fill("c");
    world.settle();
    for (StreamClient* each : {&client, &now, &by_default, &by_token, &by_header, &by_empty_header})
        EXPECT_THAT(keys_of(each->take_events()), ElementsAre("c"));
}

// The position of a reply goes on behind what the reply saw, in its partition; the others begin at their start.
TEST_F(LiveStreamsTest, position_of_a_read_is_where_to_go_on) {
    fill("a");
    empty("a");
    const std::string position = header_of(world.get("/boxes/a"), "Leftfold-Position").value_or("");
    fill("a");
    world.stream(client, "/boxes/a/events?from=" + position, {{"Accept", "text/event-stream"}});
    const auto events = client.take_events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(std::get<std::string>(*events[0].event.extension("sequence")), "3");
}

TEST_F(LiveStreamsTest, selection_by_topic_aggregate_type_and_key) {
    const std::vector<std::pair<const char*, std::size_t>> streams = {
        {"/events?from=start", 5},
        {"/events?from=start&topic=test.box", 4},
        {"/events?from=start&aggregate=note", 1},
        {"/events?from=start&topic=test.box&aggregate=note", 5},
        {"/events?from=start&type=test.box.emptied", 1},
        {"/events?from=start&type=test.box.emptied&type=test.note.written", 2},
        {"/events?from=start&key=a", 4},
        {"/events?from=start&key=a&topic=test.box", 3},
        {"/events?from=start&key=a&type=test.box.filled", 2},
        {"/events?from=start&key=nobody", 0}};
    const auto commands = [this](const std::string& round) {
        fill("a");
        fill("b" + round);
        empty("a");
        fill("a");
        write_note("a", "n" + round);
    };
    std::vector<std::unique_ptr<StreamClient>> live;
    for (const auto& [target, count] : streams) {
        live.push_back(std::make_unique<StreamClient>());
        world.stream(*live.back(), target);
    }
    commands("1");
    world.settle();
    for (std::size_t i = 0; i < streams.size(); ++i) {
        StreamClient late;
        world.stream(late, streams[i].first);
        EXPECT_EQ(late.take_events().size(), streams[i].second) << streams[i].first;
        EXPECT_EQ(live[i]->take_events().size(), streams[i].second) << streams[i].first;
    }
}

TEST_F(LiveStreamsTest, what_is_asked_wrongly_is_refused) {
    const auto asked = [this](const std::string& target, const Headers& headers = {}) {
        StreamClient one;
        world.stream(one, target, headers);
        EXPECT_FALSE(one.is_open());
        return problem_of_client(one);
    };
    for (const char* query : {"topic=test.nothing", "aggregate=nothing", "type=test.box.nothing", "key=", "key=a&key=b",
                              "from=now&from=now", "limit=1", "topic=test.note&type=test.box.filled", "type=%zz"})
        EXPECT_EQ(asked("/events?" + std::string(query)), "400 bad-query") << query;
    EXPECT_EQ(asked("/events?from=yesterday"), "400 bad-position");
    EXPECT_EQ(asked("/events", {{"Last-Event-ID", "7"}}), "400 bad-position");
    EXPECT_EQ(asked("/events", {{"Accept", "application/json"}}), "406 not-acceptable");
    EXPECT_EQ(asked("/events", {{"Accept", "text/event-stream;q=0, application/json"}}), "406 not-acceptable");
    EXPECT_EQ(asked("/boxes/a/events?limit=1", {{"Accept", "text/event-stream"}}), "400 bad-query");
    StreamClient one;
    world.stream(one, "/events?type=test.box.nothing");
    EXPECT_THAT(one.refused()->body, HasSubstr("there are: test.box.filled, test.box.emptied, test.note.written"));
}

TEST_F(LiveStreamsTest, position_of_another_log_or_beyond_the_end_is_409) {
    const auto asked = [this](const log::PositionToken& token) {
        StreamClient by_query;
        world.stream(by_query, "/events?topic=test.note&from=" + token.to_string());
        StreamClient by_header;
        world.stream(by_header, "/events?topic=test.note", {{"Last-Event-ID", token.to_string()}});
        EXPECT_EQ(problem_of_client(by_query), problem_of_client(by_header));
        return problem_of_client(by_query);
    };
    EXPECT_EQ(asked(log::PositionToken(Uuid())), "409 foreign-position");
    log::PositionToken beyond(world.log().incarnation());
    beyond.advance(log::topic_hash("test.box"), PartitionId(1), Position(1));  // not selected, and yet wrong
    EXPECT_EQ(asked(beyond), "409 position-beyond-end");
    log::PositionToken no_partition(world.log().incarnation());
    no_partition.advance(log::topic_hash("test.box"), PartitionId(4), Position(0));
    EXPECT_EQ(asked(no_partition), "409 position-beyond-end");
    log::PositionToken other_topic(world.log().incarnation());
    other_topic.advance(log::topic_hash("test.gone"), PartitionId(9), Position(9));
    EXPECT_EQ(asked(other_topic), "");
}

TEST_F(LiveStreamsTest, form_goes_by_accept) {
    fill("a");
    EXPECT_EQ(world.get("/boxes/a/events").content_type, CloudEvent::kBatchMediaType);
    EXPECT_EQ(world.get("/boxes/a/events", {{"Accept", "*/*"}}).content_type, CloudEvent::kBatchMediaType);
    for (const char* accept : {"text/event-stream", "application/json, TEXT/event-stream ; q=0.5", "text/*", "*/*"}) {
        StreamClient one;
        world.stream(one, "/events", {{"Accept", accept}});
        EXPECT_TRUE(one.is_open()) << accept;
    }
    StreamClient by_browser;
    world.stream(by_browser, "/boxes/unknown/events", {{"Accept", "text/event-stream"}});
    EXPECT_TRUE(by_browser.is_open()) << "what does not exist yet can be waited for";
}

TEST_F(LiveStreamsTest, head_is_answered_and_leaves_no_stream) {
    client.ask_by_head();
    world.stream(client, "/events");
    EXPECT_EQ(client.head().content_type, "text/event-stream");
    EXPECT_THAT(world.metrics(), HasSubstr("leftfold_event_streams 0\n"));
}

TEST_F(LiveStreamsTest, silent_stream_is_kept_alive_by_a_comment) {
    world.stream(client, "/events");
    client.take_text();
    world.sim().scheduler().run_for(14s);
    EXPECT_EQ(client.take_text(), "");
    world.sim().scheduler().run_for(5s);
    EXPECT_EQ(client.take_text(), ":\n\n");
    world.sim().scheduler().run_for(40s);
    EXPECT_EQ(client.take_text(), ":\n\n:\n\n");
}

// So that who connects again does not read all over again what was not for him.
TEST_F(LiveStreamsTest, filtered_stream_tells_how_far_it_is) {
    world.stream(client, "/events?type=test.box.emptied");
    client.take_events();
    fill("a");
    fill("b");
    world.settle();
    EXPECT_EQ(client.take_text(), "");
    world.sim().scheduler().run_for(19s);
    EXPECT_THAT(client.take_events(), IsEmpty());
    log::PositionToken token(world.log().incarnation());
    for (const char* key : {"a", "b"}) {
        const log::Slot slot = world.runtime().slot_of(key);
        token.advance(log::topic_hash("test.box"), slot.partition, world.log().bounds(slot)->durable_end);
    }
    EXPECT_EQ(client.last_id(), token.to_string());
    world.sim().scheduler().run_for(19s);
    EXPECT_EQ(client.take_text(), ":\n\n") << "once";
}

TEST_F(LiveStreamsTest, stop_ends_it_with_where_to_go_on) {
    world.stream(client, "/events?type=test.box.emptied");
    fill("a");
    world.settle();
    client.take_events();
    client.stop_server();
    EXPECT_TRUE(client.is_whole());
    EXPECT_THAT(client.take_events(), IsEmpty());
    world.reopen();
    StreamClient again;
    world.stream(again, "/events", {{"Last-Event-ID", client.last_id()}});
    EXPECT_THAT(again.take_events(), IsEmpty());
    fill("b");
    world.settle();
    EXPECT_THAT(keys_of(again.take_events()), ElementsAre("b"));
}

TEST_F(LiveStreamsTest, nothing_is_shown_that_is_not_durable) {
    world.stream(client, "/events");
    fill("a");
    world.settle();
    EXPECT_EQ(client.take_events().size(), 1U);
    world.sim().files().fail_operations_from(1, ErrorCode::io);
    const auto response = world.post("/boxes/a/empty", "{}");
    world.settle();
    EXPECT_EQ(response.status, 503);
    EXPECT_THAT(client.take_events(), IsEmpty());
}

TEST(LiveStreamsLimits, streams_over_the_limit_are_503) {
    GatewayWorld world({.streams = {.streams_max = 2}});
    StreamClient one;
    StreamClient two;
    StreamClient three;
    world.stream(one, "/events");
    world.stream(two, "/boxes/a/events", {{"Accept", "text/event-stream"}});
    world.stream(three, "/events");
    EXPECT_EQ(problem_of_client(three), "503 too-many-streams");
    EXPECT_EQ(header_of(*three.refused(), "Retry-After"), "5");
    one.go();
    StreamClient four;
    world.stream(four, "/events");
    EXPECT_TRUE(four.is_open());
}

TEST_F(LiveStreamsTest, events_are_formatted_once_for_all_streams_of_a_selection) {
    std::vector<std::unique_ptr<StreamClient>> clients;
    for (int i = 0; i < 1000; ++i) {
        clients.push_back(std::make_unique<StreamClient>());
        world.stream(*clients.back(), i % 2 == 0 ? "/events" : "/events?key=a");
    }
    fill("a");
    fill("b");
    world.settle();
    for (int i = 0; i < 1000; ++i)
        ASSERT_EQ(clients[static_cast<std::size_t>(i)]->take_events().size(), i % 2 == 0 ? 2U : 1U) << i;
    EXPECT_THAT(world.metrics(), HasSubstr("leftfold_event_stream_events_total 3\n"));
}

// It holds its place, not a queue; the others go on, and it misses nothing.
TEST_F(LiveStreamsTest, slow_reader_is_bounded_and_others_go_on) {
    StreamClient slow(1000);
    world.stream(slow, "/events");
    world.stream(client, "/events");
    slow.take_text();
    slow.stop_reading();
    const std::string large(3000, 'x');
    for (int i = 0; i < 100; ++i)
        world.post("/boxes/" + std::to_string(i) + "/fill", R"({"what":")" + large + R"("})");
    world.settle();
    EXPECT_EQ(client.take_events().size(), 100U);
    EXPECT_LT(slow.unread_bytes(), 10'000U);
    std::vector<StreamedEvent> events;
    for (int turn = 0; turn < 200 && events.size() < 100; ++turn) {
        slow.read_on();
        slow.stop_reading();
        world.settle();
        EXPECT_LT(slow.unread_bytes(), 60'000U);
        for (StreamedEvent& each : slow.take_events())
            events.push_back(std::move(each));
    }
    std::set<std::string> keys;
    for (const std::string& key : keys_of(events))
        EXPECT_TRUE(keys.insert(key).second) << key << " twice";
    EXPECT_EQ(keys.size(), 100U);
    slow.read_on();
    world.settle();
    slow.take_events();
    fill("and-on");
    world.settle();
    EXPECT_THAT(keys_of(slow.take_events()), ElementsAre("and-on"));
}

// Between two of its turns everybody else has his.
TEST_F(LiveStreamsTest, catching_up_takes_bounded_turns) {
    const std::string large(3000, 'x');
    for (int i = 0; i < 300; ++i)
        world.post("/boxes/" + std::to_string(i) + "/fill", R"({"what":")" + large + R"("})");
    StreamClient reader(1UL << 30U);
    world.hand_over(Method::get, "/events?from=start", {}, {}, true, reader.responder());
    std::size_t total = 0;
    struct Other {
        void turn() {
            ++turns;
            timer.set(Duration::zero(), [this] { turn(); });
        }
        OwnedTimer timer;
        std::size_t turns = 0;
    } other{.timer = OwnedTimer(world.sim().scheduler())};
    other.turn();
    while (total < 1'000'000) {
        world.sim().scheduler().step();
        const std::size_t size = reader.take_text().size();
        EXPECT_LT(size, 100'000U) << "of one turn";
        total += size;
    }
    EXPECT_GT(other.turns, 10U);
}

}  // namespace
}  // namespace leftfold::gateway
