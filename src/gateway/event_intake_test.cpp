#include "event_intake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/gateway_world.hpp"

namespace leftfold::gateway {
namespace {

using http::Method;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;

std::string outcome_of(const http::Response& response) {
    constexpr std::string_view before = "\"type\":\"urn:leftfold:problem:";
    const std::size_t found = response.body.find(before);
    std::string outcome = std::to_string(response.status);
    if (response.content_type != http::content_type::kProblem || found == std::string::npos)
        return outcome;
    const std::size_t begin = found + before.size();
    return outcome + " " + response.body.substr(begin, response.body.find('"', begin) - begin);
}

const Headers kStructured = {{"Content-Type", "application/cloudevents+json; charset=UTF-8"}};
const Headers kBatch = {{"Content-Type", "application/cloudevents-batch+json"}};
constexpr std::string_view kWritten =
    R"({"specversion":"1.0","id":"1","source":"https://other.example/notes","type":"test.note.written","subject":"a",)"
    R"("data":{"text":"t","stars":1}})";

// ---------------------------------------------------------------------------------------------------------------------
// What a request holds.

TEST(HeaderValue, decoded_as_the_binding_says) {
    // The example of section 3.1.3.2, and its other rules one by one.
    EXPECT_EQ(decode_header_value("Euro%20%E2%82%AC%20%F0%9F%98%80"), "Euro € 😀");
    EXPECT_EQ(decode_header_value("Euro%20%e2%82%ac"), "Euro €");
    EXPECT_EQ(decode_header_value("%41b"), "Ab") << "encoded without need";
    EXPECT_EQ(decode_header_value("%2541"), "%41") << "one round only";
    EXPECT_EQ(decode_header_value(R"("a b")"), "a b");
    EXPECT_EQ(decode_header_value(R"("a \"b\" \\ c")"), R"(a "b" \ c)");
    EXPECT_EQ(decode_header_value(R"("%20")"), " ");
    EXPECT_EQ(decode_header_value("caf\xC3\xA9"), "café");
    EXPECT_EQ(decode_header_value(""), "");
    for (const char* bad : {"%C0%A0", "%FF", "50%", "%4", "%zz", "%00", "\"a", "\"", R"("a"b")", R"("a\")", "\xFF"})
        EXPECT_EQ(decode_header_value(bad), std::nullopt) << bad;
}

struct Posted : ::testing::Test {
    OrResponse<PostedEvents> read(const Headers& headers, std::string_view body) {
        fields.clear();
        for (const auto& [name, value] : headers)
            fields.push_back({name, value});
        http::Request request;
        request.method = Method::post;
        request.fields = fields;
        request.body = body;
        return read_posted_events(request, reader);
    }
    Result<CloudEvent> read_one(const Headers& headers, std::string_view body) {
        auto posted = read(headers, body);
        EXPECT_TRUE(posted) << posted.error().body;
        return posted ? std::move(posted->events.at(0)) : fail(ErrorCode::invalid_argument, "none");
    }

    std::vector<http::HeaderField> fields;
    json::Reader reader;
};

TEST_F(Posted, every_mode_gives_the_same_event) {
    const auto structured = read_one(
        kStructured,
        R"({"specversion":"1.0","id":"1","source":"/x y","type":"t","subject":"ü","time":"2026-01-31T10:00:00.5+02:00",)"
        R"("dataschema":"urn:s","traceparent":"tp","datacontenttype":"application/json","data":{"a":1}})");
    EXPECT_FALSE(structured) << "a source with a space is no URI";
    const Headers binary = {
        {"CE-SpecVersion", "1.0"},  {"ce-id", "1"},           {"ce-source", "/x%2520y"},
        {"Ce-Type", "t"},           {"ce-subject", "%C3%BC"}, {"ce-time", "2026-01-31T10:00:00.5+02:00"},
        {"ce-dataschema", "urn:s"}, {"ce-traceparent", "tp"}, {"Content-Type", "application/json"}};
    const auto by_headers = read_one(binary, R"({"a":1})");
    ASSERT_TRUE(by_headers) << by_headers.error().message();
    const std::string text =
        R"({"specversion":"1.0","id":"1","source":"/x%20y","type":"t","subject":"ü","time":"2026-01-31T08:00:00.5Z",)"
        R"("dataschema":"urn:s","traceparent":"tp","datacontenttype":"application/json","data":{"a":1}})";
    EXPECT_EQ(*by_headers, *read_one(kStructured, text));
    const auto batch = read(kBatch, "[" + text + "," + text + "]");
    ASSERT_TRUE(batch);
    EXPECT_TRUE(batch->is_batch);
    ASSERT_EQ(batch->events.size(), 2U);
    EXPECT_EQ(*batch->events[1], *by_headers);
    EXPECT_THAT(read(kBatch, "[]")->events, IsEmpty());
}

TEST_F(Posted, binary_without_body_or_type_has_no_data) {
    const Headers headers = {{"ce-specversion", "1.0"}, {"ce-id", "1"}, {"ce-source", "/x"}, {"ce-type", "t"}};
    const auto event = read_one(headers, "");
    ASSERT_TRUE(event);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(event->attributes().data));
}

TEST_F(Posted, bad_headers_make_no_event) {
    const Headers good = {{"ce-specversion", "1.0"}, {"ce-id", "1"}, {"ce-source", "/x"}, {"ce-type", "t"}};
    const std::vector<std::pair<std::string, std::string>> bad = {
        {"ce-id", "2"},       {"ce-subject", "%FF"},  {"ce-time", "yesterday"}, {"ce-datacontenttype", "text/plain"},
        {"ce-data", "{}"},    {"ce-data_base64", ""}, {"ce-a-b", "x"},          {"ce-dataschema", "relative"},
        {"ce-subject", "%0A"}};
    for (const auto& header : bad) {
        Headers headers = good;
        headers.push_back(header);
        EXPECT_FALSE(read_one(headers, "{}")) << header.first;
    }
    for (std::size_t i = 1; i < good.size(); ++i) {
        Headers headers = good;
        headers.erase(headers.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_FALSE(read_one(headers, "{}")) << good[i].first << " missing";
    }
    Headers other_version = good;
    other_version[0].second = "0.3";
    EXPECT_FALSE(read_one(other_version, "{}"));
    EXPECT_FALSE(read_one(good, "no JSON"));
}

TEST_F(Posted, what_is_in_no_mode_is_refused) {
    const auto refused = [this](const Headers& headers, std::string_view body = "{}") {
        const auto posted = read(headers, body);
        return posted ? "none" : outcome_of(posted.error());
    };
    const Headers attributes = {{"ce-specversion", "1.0"}, {"ce-id", "1"}, {"ce-source", "/x"}, {"ce-type", "t"}};
    EXPECT_EQ(refused({}), "415 unsupported-event-format");
    EXPECT_EQ(refused({{"Content-Type", "application/json"}}), "415 unsupported-event-format");
    EXPECT_EQ(refused({{"Content-Type", "application/cloudevents+xml"}}), "415 unsupported-event-format");
    EXPECT_EQ(refused({{"Content-Type", "application/cloudevents+json; charset=latin1"}}),
              "415 unsupported-event-format");
    Headers avro = attributes;
    avro.emplace_back("Content-Type", "application/cloudevents+avro");
    EXPECT_EQ(refused(avro), "415 unsupported-event-format");
    Headers text = attributes;
    text.emplace_back("Content-Type", "text/plain");
    EXPECT_EQ(refused(text), "415 unsupported-event-format");
    Headers vendor = attributes;
    vendor.emplace_back("Content-Type", "application/vnd.x+json;charset=\"utf-8\"");
    EXPECT_EQ(refused(vendor), "none");
    EXPECT_EQ(refused(kBatch, "{}"), "400 malformed-event");
    EXPECT_EQ(refused(kBatch, "[{}"), "400 malformed-event");
    std::string many = "[";
    for (std::size_t i = 0; i <= kBatchEventsMax; ++i)
        many += i == 0 ? "{}" : ",{}";
    EXPECT_EQ(refused(kBatch, many + "]"), "413 too-many-events");
}

// ---------------------------------------------------------------------------------------------------------------------
// What becomes of it.

struct EventIntakeTest : ::testing::Test {
    http::Response post(const Headers& headers, std::string_view body, bool on_loopback = true) {
        return world.send(Method::post, "/events", headers, body, on_loopback);
    }
    // With a field of kWritten changed, or added.
    static std::string with(const std::string& name, const std::string& json_value) {
        std::string text(kWritten);
        const std::size_t at = text.find("\"" + name + "\":");
        if (at == std::string::npos)
            return text.substr(0, text.size() - 1) + ",\"" + name + "\":" + json_value + "}";
        const std::size_t begin = at + name.size() + 3;
        const std::size_t end = name == "data" ? text.size() - 1 : text.find(",\"", begin);
        return text.substr(0, begin) + json_value + text.substr(end);
    }
    std::vector<StreamedEvent> events() {
        StreamClient client;
        world.stream(client, "/events?from=start&topic=test.note");
        return client.take_events();
    }
    static std::string extension(const CloudEvent& event, std::string_view name) {
        const auto* value = event.extension(name);
        return value == nullptr ? "" : std::get<std::string>(*value);
    }

    GatewayWorld world;
};

TEST_F(EventIntakeTest, event_is_kept_with_all_that_it_says) {
    const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    std::string text = with("time", R"("1993-01-31T00:00:00Z")");
    text.pop_back();
    text += R"(,"correlationid":"c 1","causationid":"x","traceparent":")" + trace + R"(","other":"dropped"})";
    const auto response = post(kStructured, text);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, R"({"source":"https://other.example/notes","id":"1","subject":"a","version":1})");
    EXPECT_TRUE(log::PositionToken::parse(header_of(response, "Leftfold-Position").value_or("")));
    const auto kept = events();
    ASSERT_EQ(kept.size(), 1U);
    const CloudEvent& event = kept[0].event;
    EXPECT_EQ(event.attributes().type, "test.note.written");
    EXPECT_EQ(event.attributes().source, "/test/note");
    EXPECT_EQ(event.attributes().subject, "a");
    EXPECT_EQ(to_rfc3339(*event.attributes().time), "1993-01-31T00:00:00Z");
    EXPECT_EQ(std::get<CloudEvent::Json>(event.attributes().data).text, R"({"text":"t","stars":1})");
    EXPECT_EQ(extension(event, "commandid"), "https://other.example/notes 1");
    EXPECT_EQ(extension(event, "correlationid"), "c 1");
    EXPECT_EQ(extension(event, "causationid"), "x");
    EXPECT_EQ(extension(event, "traceparent"), trace);
}

TEST_F(EventIntakeTest, headers_of_the_request_serve_where_the_event_is_silent) {
    Headers headers = kStructured;
    headers.emplace_back("Leftfold-Correlation-Id", "c-2");
    headers.emplace_back("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    EXPECT_EQ(post(headers, kWritten).status, 200);
    EXPECT_EQ(extension(events().at(0).event, "correlationid"), "c-2");
    EXPECT_THAT(extension(events().at(0).event, "traceparent"), HasSubstr("0af7651916cd"));
}

TEST_F(EventIntakeTest, repeat_is_recognised_also_after_a_restart) {
    post(kStructured, kWritten);
    world.reopen();
    const auto again = post(kStructured, with("data", R"({ "stars" : 1, "text" : "t" })"));
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.body, R"({"source":"https://other.example/notes","id":"1","subject":"a","version":1})");
    EXPECT_THAT(header_of(again, "Idempotent-Replayed"), Optional(std::string("true")));
    EXPECT_EQ(events().size(), 1U);
    EXPECT_EQ(outcome_of(post(kStructured, with("data", R"({"text":"u","stars":1})"))), "422 event-id-reused");
    EXPECT_EQ(outcome_of(post(kStructured, with("type", R"("test.note.erased")"))), "400 malformed-event");
    EXPECT_EQ(post(kStructured, with("source", R"("/other")")).status, 200) << "an id is its source's own";
    EXPECT_EQ(events().size(), 2U);
}

TEST_F(EventIntakeTest, unknown_type_lists_those_declared) {
    const auto response = post(kStructured, with("type", R"("test.note.burnt")"));
    EXPECT_EQ(outcome_of(response), "400 unknown-event-type");
    EXPECT_THAT(response.body,
                HasSubstr(R"("declared":["test.note.erased","test.note.note-moved","test.note.written"])"));
    EXPECT_EQ(outcome_of(post(kStructured, with("type", R"("test.box.filled")"))), "400 unknown-event-type")
        << "events of our own aggregates come from commands only";
}

TEST_F(EventIntakeTest, what_is_wrong_is_named_with_its_path) {
    const auto refused = [this](const std::string& text) {
        const auto response = post(kStructured, text);
        EXPECT_EQ(outcome_of(response), "400 malformed-event") << text;
        const std::size_t at = response.body.find(R"("path":")");
        return at == std::string::npos ? "" : response.body.substr(at + 8, response.body.find('"', at + 8) - at - 8);
    };
    EXPECT_EQ(refused(with("data", R"({"text":1,"stars":1})")), "/data/text");
    EXPECT_EQ(refused(with("data", R"({"text":"t","stars":1,"more":1})")), "/data/more");
    EXPECT_EQ(refused(with("data", R"({"text":"t"})")), "/data/stars");
    EXPECT_EQ(refused(with("data", "7")), "/data");
    EXPECT_EQ(refused(with("subject", R"("\u0007")")), "");
    EXPECT_EQ(refused(with("subject", "null")), "/subject");
    EXPECT_EQ(refused(with("subject", "\"" + std::string(201, 'x') + "\"")), "/subject");
    EXPECT_EQ(refused(with("id", "\"" + std::string(500, 'x') + "\"")), "/id");
    EXPECT_EQ(refused(with("typeversion", "2")), "/typeversion");
    EXPECT_EQ(refused(with("correlationid", "\"" + std::string(501, 'x') + "\"")), "/correlationid");
    EXPECT_EQ(refused(R"({"specversion":"1.0"})"), "");
    EXPECT_EQ(refused(R"({"specversion":"1.0","id":"1","source":"/x","type":"test.note.written","subject":"a",)"
                      R"("data_base64":"AA=="})"),
              "/data_base64");
    EXPECT_EQ(post(kStructured, with("typeversion", "1")).status, 200);
    EXPECT_THAT(events(), ::testing::SizeIs(1));
}

TEST_F(EventIntakeTest, event_without_fields_needs_no_data) {
    const Headers binary = {{"ce-specversion", "1.0"},       {"ce-id", "1"},      {"ce-source", "/x"},
                            {"ce-type", "test.note.erased"}, {"ce-subject", "a"}, {"ce-typeversion", "1"}};
    EXPECT_EQ(post(binary, "").status, 200);
    EXPECT_EQ(post(binary, "{}").status, 200) << "the same event";
    EXPECT_EQ(events().size(), 1U);
}

TEST_F(EventIntakeTest, later_version_of_a_type_is_the_one_taken) {
    const std::string moved =
        R"({"specversion":"1.0","id":"1","source":"/x","type":"test.note.note-moved","subject":"a","data":{"to":"b"}})";
    EXPECT_EQ(post(kStructured, moved).status, 200);
    EXPECT_EQ(std::get<std::int32_t>(*events().at(0).event.extension("typeversion")), 2);
}

TEST_F(EventIntakeTest, time_and_origin_by_the_rules_of_commands) {
    const std::string timed = with("time", R"("1993-01-31T00:00:00Z")");
    EXPECT_EQ(outcome_of(post(kStructured, timed, false)), "403 time-not-trusted");
    EXPECT_EQ(post(kStructured, kWritten, false).status, 200);
    Headers headers = kStructured;
    headers.emplace_back("Origin", "https://evil.example");
    EXPECT_EQ(outcome_of(post(headers, kWritten)), "403 cross-origin");
}

TEST_F(EventIntakeTest, batch_is_answered_event_by_event) {
    post(kStructured, kWritten);
    std::string other(kWritten);
    other.replace(other.find(R"("id":"1")"), 8, R"("id":"2")");
    const auto response = post(kBatch, "[" + std::string(kWritten) + "," + with("data", R"({"text":"u","stars":1})") +
                                           "," + with("type", R"("no.such")") + R"(,{"id":1},)" + other + "]");
    EXPECT_EQ(response.status, 207);
    const std::string own = R"({"source":"https://other.example/notes","id":")";
    EXPECT_THAT(response.body,
                AllOf(::testing::StartsWith("[" + own + R"(1","subject":"a","status":200,"version":1})"),
                      HasSubstr(own + R"(1","subject":"a","status":422,"problem":{"type":)"),
                      HasSubstr(R"("status":400,"problem":{"type":"urn:leftfold:problem:unknown-event-type")"),
                      HasSubstr(R"({"source":"","id":"","status":400,"problem":)"),
                      ::testing::EndsWith(own + R"(2","subject":"a","status":200,"version":2}])")));
    EXPECT_TRUE(json::Value::parse(response.body)) << response.body;
    EXPECT_TRUE(header_of(response, "Leftfold-Position"));
    EXPECT_EQ(header_of(response, "Idempotent-Replayed"), std::nullopt);
    EXPECT_EQ(post(kBatch, "[" + std::string(kWritten) + "]").status, 200);
    const auto empty = post(kBatch, "[]");
    EXPECT_EQ(empty.status, 200);
    EXPECT_EQ(empty.body, "[]");
}

TEST_F(EventIntakeTest, batch_keeps_its_order_within_a_subject) {
    std::string batch = "[";
    for (int i = 0; i < 50; ++i) {
        std::string one(kWritten);
        one.replace(one.find(R"("id":"1")"), 8, R"("id":"n)" + std::to_string(i) + "\"");
        batch += (i == 0 ? "" : ",") + one;
    }
    EXPECT_EQ(post(kBatch, batch + "]").status, 200);
    const auto kept = events();
    ASSERT_EQ(kept.size(), 50U);
    for (std::size_t i = 0; i < kept.size(); ++i)
        EXPECT_EQ(extension(kept[i].event, "commandid"), "https://other.example/notes n" + std::to_string(i));
}

TEST_F(EventIntakeTest, no_route_but_this_leads_to_an_inbox) {
    post(kStructured, kWritten);
    EXPECT_EQ(world.post("/note/a/written", R"({"text":"t","stars":1})").status, 404);
    EXPECT_EQ(world.post("/notes/a/written", R"({"text":"t","stars":1})").status, 404);
    EXPECT_EQ(world.get("/note/a").status, 404);
}

TEST_F(EventIntakeTest, failing_disk_answers_503_and_may_be_sent_again) {
    world.sim().files().fail_operations_from(1, ErrorCode::io);
    const auto response = post(kStructured, kWritten);
    world.sim().files().cancel_faults();
    EXPECT_EQ(response.status, 503);
    EXPECT_TRUE(header_of(response, "Retry-After"));
    world.reopen();
    EXPECT_EQ(post(kStructured, kWritten).status, 200);
    EXPECT_EQ(events().size(), 1U);
}

}  // namespace
}  // namespace leftfold::gateway
