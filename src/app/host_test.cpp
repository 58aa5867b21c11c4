#include "host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/host_world.hpp"

namespace leftfold {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Host, serves_what_is_declared) {
    HostWorld world;
    world.open();
    ASSERT_EQ(world.host().aggregates().size(), 1U);
    EXPECT_EQ(world.host().aggregates()[0].name, "counter");
    EXPECT_EQ(world.post("/counters/a/add", R"({"number":3})").status, 201);
    EXPECT_EQ(world.post("/counters/a/add", R"({"number":4})").status, 200);
    EXPECT_EQ(world.get("/counters/a").body, R"({"id":"a","sum":7,"version":2})");
}

TEST(Host, state_is_there_after_stop_and_open) {
    HostWorld world;
    world.open();
    world.post("/counters/a/add", R"({"number":3})");
    const Uuid incarnation = world.host().log().incarnation();
    world.stop();
    world.open();
    EXPECT_EQ(world.host().log().incarnation(), incarnation);
    EXPECT_EQ(world.get("/counters/a").body, R"({"id":"a","sum":3,"version":1})");
}

TEST(Host, stop_answers_what_has_begun) {
    HostWorld world;
    world.open();
    const auto& answer = world.begin(world.host().gateway(), http::Method::post, "/counters/a/add", R"({"number":3})");
    world.stop();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 201);
    world.open();
    EXPECT_EQ(world.get("/counters/a").body, R"({"id":"a","sum":3,"version":1})");
}

TEST(Host, order_and_number_of_services_may_change) {
    const Service one = counter::service("a", "one", "/one/{id}");
    const Service two = counter::service("b", "two", "/two/{id}");
    HostWorld world;
    world.open({one});
    world.post("/one/x/add", R"({"number":1})");
    world.stop();
    world.open({two, one});
    world.post("/two/x/add", R"({"number":2})");
    EXPECT_EQ(world.get("/one/x").body, R"({"id":"x","sum":1,"version":1})");
    world.stop();
    world.open({one});
    EXPECT_EQ(world.get("/one/x").body, R"({"id":"x","sum":1,"version":1})");
    EXPECT_EQ(world.get("/two/x").status, 404);
    world.stop();
    world.open({one, two});
    EXPECT_EQ(world.get("/two/x").body, R"({"id":"x","sum":2,"version":1})");
}

TEST(Host, directory_in_use_is_unavailable) {
    HostWorld world;
    world.open();
    const auto second = world.try_open({counter::service()});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(second.error().message(), HasSubstr("/data"));
    EXPECT_EQ(world.post("/counters/a/add", R"({"number":3})").status, 201);
}

TEST(Host, wrong_declarations_refused_before_anything_is_made) {
    HostWorld world;
    const auto host = world.try_open({counter::service("A"), counter::service("b", "counter", "/b/{id}")});
    ASSERT_FALSE(host);
    EXPECT_EQ(host.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(host.error().message(), AllOf(HasSubstr("service 'A'"), HasSubstr("service 'b'")));
    EXPECT_FALSE(*world.sim().files().exists("/data"));
}

TEST(Host, full_disk_at_open_is_an_error) {
    HostWorld world;
    world.sim().files().set_capacity(1);
    const auto host = world.try_open({counter::service()});
    ASSERT_FALSE(host);
    EXPECT_EQ(host.error().code(), ErrorCode::no_space) << host.error().message();
    world.sim().files().set_capacity(0);
    world.open();
    EXPECT_EQ(world.post("/counters/a/add", R"({"number":3})").status, 201);
}

}  // namespace
}  // namespace leftfold
