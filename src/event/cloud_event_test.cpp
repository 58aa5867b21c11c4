#include "leftfold/event/cloud_event.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base64.hpp"
#include "uri.hpp"

namespace leftfold {
namespace {

using testing::HasSubstr;

CloudEvent::Attributes minimal() {
    CloudEvent::Attributes attributes;
    attributes.id = "A234-1234-1234";
    attributes.source = "/mycontext";
    attributes.type = "com.example.someevent";
    return attributes;
}

std::string error_after(const std::function<void(CloudEvent::Attributes&)>& change) {
    CloudEvent::Attributes attributes = minimal();
    change(attributes);
    const auto event = CloudEvent::create(attributes);
    return event ? "no error" : event.error().message();
}

std::string written(const CloudEvent& event) {
    std::string out;
    write_cloud_event(out, event);
    return out;
}

class CloudEventFormat : public testing::Test {
  protected:
    std::string error_of(std::string_view text) {
        const auto event = read_cloud_event(text, reader);
        return event ? "no error" : event.error().message();
    }
    json::Reader reader;
};

TEST(CloudEvent, invalid_event_cannot_be_made) {
    EXPECT_TRUE(CloudEvent::create(minimal()));
    using A = CloudEvent::Attributes;
    EXPECT_THAT(error_after([](A& a) { a.id = ""; }), HasSubstr("'id' must not be empty"));
    EXPECT_THAT(error_after([](A& a) { a.id = "a\nb"; }), HasSubstr("control characters"));
    EXPECT_THAT(error_after([](A& a) { a.id = "\xC2\x85"; }), HasSubstr("control characters"));
    EXPECT_THAT(error_after([](A& a) { a.id = "\xFF"; }), HasSubstr("UTF-8"));
    EXPECT_THAT(error_after([](A& a) { a.type = ""; }), HasSubstr("'type'"));
    EXPECT_THAT(error_after([](A& a) { a.source = ""; }), HasSubstr("'source'"));
    EXPECT_THAT(error_after([](A& a) { a.source = "a b"; }), HasSubstr("URI reference"));
    EXPECT_THAT(error_after([](A& a) { a.source = "1x:y"; }), HasSubstr("URI reference"));
    EXPECT_THAT(error_after([](A& a) { a.subject = ""; }), HasSubstr("'subject'"));
    EXPECT_THAT(error_after([](A& a) { a.dataschema = "/relative"; }), HasSubstr("absolute URI"));
    EXPECT_THAT(error_after([](A& a) { a.datacontenttype = "json"; }), HasSubstr("media type"));
    EXPECT_THAT(error_after([](A& a) { a.time = timestamp_from_micros(INT64_MAX); }), HasSubstr("'time'"));
    EXPECT_THAT(error_after([](A& a) { a.data = CloudEvent::Json{"{"}; }), HasSubstr("'data' must be JSON"));
    EXPECT_THAT(error_after([](A& a) { a.extensions = {{"Upper", "x"}}; }), HasSubstr("a-z and 0-9"));
    EXPECT_THAT(error_after([](A& a) { a.extensions = {{"a_b", "x"}}; }), HasSubstr("a-z and 0-9"));
    EXPECT_THAT(error_after([](A& a) { a.extensions = {{"", "x"}}; }), HasSubstr("a-z and 0-9"));
    EXPECT_THAT(error_after([](A& a) { a.extensions = {{std::string(21, 'a'), "x"}}; }), HasSubstr("a-z and 0-9"));
    EXPECT_THAT(error_after([](A& a) { a.extensions = {{"data", "x"}}; }), HasSubstr("not an extension"));
    EXPECT_THAT(error_after([](A& a) { a.extensions = {{"a", "x"}, {"a", true}}; }), HasSubstr("given twice"));
    EXPECT_EQ(error_after([](A& a) { a.extensions = {{std::string(20, 'a'), "x"}, {"b2", 7}, {"c", true}}; }),
              "no error");
    EXPECT_EQ(error_after([](A& a) { a.datacontenttype = "text/plain; charset=utf-8"; }), "no error");
}

// The examples of §3.2 of the JSON format, version 1.0.2.
TEST_F(CloudEventFormat, examples_of_the_specification_read) {
    const auto xml = read_cloud_event(R"({
        "specversion" : "1.0", "type" : "com.example.someevent", "source" : "/mycontext", "subject": null,
        "id" : "C234-1234-1234", "time" : "2018-04-05T17:31:00Z", "comexampleextension1" : "value",
        "comexampleothervalue" : 5, "unsetextension": null, "datacontenttype" : "application/xml",
        "data" : "<much wow=\"xml\"/>" })",
                                      reader);
    ASSERT_TRUE(xml) << xml.error().message();
    EXPECT_EQ(xml->attributes().id, "C234-1234-1234");
    EXPECT_FALSE(xml->attributes().subject);
    EXPECT_EQ(to_rfc3339(*xml->attributes().time), "2018-04-05T17:31:00Z");
    EXPECT_EQ(*xml->extension("comexampleextension1"), CloudEvent::ExtensionValue("value"));
    EXPECT_EQ(*xml->extension("comexampleothervalue"), CloudEvent::ExtensionValue(5));
    EXPECT_EQ(xml->extension("unsetextension"), nullptr);
    EXPECT_EQ(std::get<CloudEvent::Json>(xml->attributes().data).text, R"("<much wow=\"xml\"/>")");

    const auto json = read_cloud_event(R"({
        "specversion" : "1.0", "type" : "com.example.someevent", "source" : "/mycontext", "id" : "C234-1234-1234",
        "datacontenttype" : "application/json",
        "data" : { "appinfoA" : "abc", "appinfoB" : 123, "appinfoC" : true } })",
                                       reader);
    ASSERT_TRUE(json) << json.error().message();
    EXPECT_EQ(std::get<CloudEvent::Json>(json->attributes().data).text,
              R"({"appinfoA":"abc","appinfoB":123,"appinfoC":true})");

    const auto binary = read_cloud_event(R"({
        "specversion" : "1.0", "type" : "com.example.someevent", "source" : "/mycontext", "id" : "D234-1234-1234",
        "datacontenttype" : "application/vnd.apache.thrift.binary", "data_base64" : "Zm9vYmE=" })",
                                         reader);
    ASSERT_TRUE(binary) << binary.error().message();
    EXPECT_EQ(std::get<CloudEvent::Binary>(binary->attributes().data).bytes, "fooba");
}

TEST_F(CloudEventFormat, written_event_reads_back_equal) {
    CloudEvent::Attributes attributes = minimal();
    attributes.subject = "é\"1";
    attributes.time = *parse_rfc3339("2018-04-05T17:31:00.123456Z");
    attributes.datacontenttype = "application/json";
    attributes.dataschema = "https://example.com/schema#1";
    attributes.extensions = {{"flag", true}, {"count", -7}, {"name", "x"}};
    for (const CloudEvent::Data& data :
         {CloudEvent::Data{}, CloudEvent::Data{CloudEvent::Json{R"({"a":[1,null]})"}},
          CloudEvent::Data{CloudEvent::Json{"null"}}, CloudEvent::Data{CloudEvent::Binary{std::string("\0\xFF", 2)}},
          CloudEvent::Data{CloudEvent::Binary{}}}) {
        attributes.data = data;
        const CloudEvent event = CloudEvent::create(attributes).value();
        EXPECT_EQ(read_cloud_event(written(event), reader).value(), event) << written(event);
    }
}

TEST_F(CloudEventFormat, invalid_text_is_refused) {
    const std::string rest = R"("source":"/s","type":"t")";
    EXPECT_THAT(error_of(R"({"id":"1",)" + rest + "}"), HasSubstr("'specversion' is required"));
    EXPECT_THAT(error_of(R"({"specversion":"0.3","id":"1",)" + rest + "}"), HasSubstr("must be \"1.0\""));
    EXPECT_THAT(error_of(R"({"specversion":"1.0",)" + rest + "}"), HasSubstr("'id' must not be empty"));
    EXPECT_THAT(error_of(R"({"specversion":"1.0","id":1,)" + rest + "}"), HasSubstr("'id' must be a string"));
    EXPECT_THAT(error_of(R"({"specversion":"1.0","id":"1","id":"2",)" + rest + "}"), HasSubstr("/id: given twice"));
    EXPECT_THAT(error_of(R"({"specversion":"1.0","id":"1","time":"now",)" + rest + "}"), HasSubstr("'time'"));
    EXPECT_THAT(error_of(R"({"specversion":"1.0","id":"1","ext":{},)" + rest + "}"), HasSubstr("'ext'"));
    EXPECT_THAT(error_of(R"({"specversion":"1.0","id":"1","ext":1.5,)" + rest + "}"), HasSubstr("'ext'"));
    EXPECT_THAT(error_of(R"({"specversion":"1.0","id":"1","ext":2147483648,)" + rest + "}"), HasSubstr("'ext'"));
    EXPECT_THAT(error_of(R"({"specversion":"1.0","id":"1","data":1,"data_base64":"",)" + rest + "}"),
                HasSubstr("exclude"));
    EXPECT_THAT(error_of(R"({"specversion":"1.0","id":"1","data_base64":"a",)" + rest + "}"), HasSubstr("Base64"));
    EXPECT_THAT(error_of("[]"), HasSubstr("expected an object"));
}

TEST_F(CloudEventFormat, batch_reads_back_equal) {
    CloudEvent::Attributes second = minimal();
    second.id = "2";
    const std::vector<CloudEvent> events = {CloudEvent::create(minimal()).value(), CloudEvent::create(second).value()};
    std::string out;
    write_cloud_event_batch(out, events);
    EXPECT_EQ(read_cloud_event_batch(out, reader).value(), events);
    EXPECT_TRUE(read_cloud_event_batch("[]", reader)->empty());
    EXPECT_FALSE(read_cloud_event_batch("{}", reader));
    EXPECT_THAT(read_cloud_event_batch("[" + written(events[0]) + ",{}]", reader).error().message(),
                HasSubstr("event 1: "));
}

Record a_record() {
    Record record;
    record.meta.id = *Uuid::parse("0190c2e4-9f7a-7cc3-98c4-dc0c0c07398f");
    record.meta.type = "bank.account.withdrawn";
    record.meta.type_version = 2;
    record.meta.key = "acc-1";
    record.meta.version = Version(7);
    record.meta.time = *parse_rfc3339("1993-01-31T00:00:00Z");
    record.meta.recorded_at = *parse_rfc3339("2024-05-01T10:00:00.5Z");
    record.payload = R"({"amount":"12.50"})";
    return record;
}

TEST_F(CloudEventFormat, record_is_written_with_its_metadata) {
    std::string out;
    write_cloud_event(out, a_record(), "/bank/accounts");
    EXPECT_EQ(out, R"({"specversion":"1.0","id":"0190c2e4-9f7a-7cc3-98c4-dc0c0c07398f","source":"/bank/accounts",)"
                   R"("type":"bank.account.withdrawn","subject":"acc-1","time":"1993-01-31T00:00:00Z",)"
                   R"("datacontenttype":"application/json","sequence":"7","partitionkey":"acc-1",)"
                   R"("recordedat":"2024-05-01T10:00:00.500Z","typeversion":2,"data":{"amount":"12.50"}})");
}

TEST_F(CloudEventFormat, record_written_directly_equals_the_value) {
    Record record = a_record();
    EXPECT_EQ(read_cloud_event(written(to_cloud_event(record, "/bank").value()), reader).value(),
              to_cloud_event(record, "/bank").value());
    record.meta.command_id = "tx-1";
    record.meta.correlation_id = "c\"1";
    record.meta.causation_id = "c2";
    record.meta.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    record.meta.actor = "Jana";
    record.meta.tenant = "t";
    std::string out;
    write_cloud_event(out, record, "/bank");
    const CloudEvent value = to_cloud_event(record, "/bank").value();
    EXPECT_EQ(out, written(value));
    EXPECT_EQ(read_cloud_event(out, reader).value(), value);
    EXPECT_EQ(*value.extension("tenant"), CloudEvent::ExtensionValue("t"));
}

// RFC 4648 §10.
TEST(Base64, vectors_of_the_rfc_match) {
    constexpr std::pair<std::string_view, std::string_view> kVectors[] = {{"", ""},
                                                                          {"f", "Zg=="},
                                                                          {"fo", "Zm8="},
                                                                          {"foo", "Zm9v"},
                                                                          {"foob", "Zm9vYg=="},
                                                                          {"fooba", "Zm9vYmE="},
                                                                          {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : kVectors) {
        EXPECT_EQ(base64_encode(bytes), text);
        EXPECT_EQ(base64_decode(text), std::string(bytes));
    }
    for (const std::string_view text : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "====", "Zg==Zg==", "Zm 9", "Zm9_"})
        EXPECT_FALSE(base64_decode(text)) << text;
}

TEST(Uri, forms_of_rfc_3986_are_told_apart) {
    for (const std::string_view text :
         {"https://github.com/cloudevents", "mailto:a@b.c", "urn:uuid:6e8bc430-9c3a", "cloudevents/spec/pull/123",
          "/sensors/tn-1234567/alerts", "1-555-123-4567", "?q=a%20b#f", "//[::1]:80/", "./a:b"})
        EXPECT_TRUE(is_uri_reference(text)) << text;
    for (const std::string_view text : {"a b", "%2", "%zz", "a#b#c", ":a", "1:a", "a\"b", "é", "<a>", "a\\b"})
        EXPECT_FALSE(is_uri_reference(text)) << text;
    EXPECT_TRUE(is_absolute_uri("https://a/b"));
    EXPECT_FALSE(is_absolute_uri("/a/b"));
}

}  // namespace
}  // namespace leftfold
