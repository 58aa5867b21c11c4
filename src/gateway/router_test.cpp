#include "leftfold/gateway/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leftfold::gateway {
namespace {

using http::Method;
using Kind = Router::Match::Kind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct RouterTest : ::testing::Test {
    Router router;

    void add(Method method, std::string_view pattern, std::uint32_t route) {
        const auto added = router.add(method, pattern, RouteId(route));
        ASSERT_TRUE(added) << added.error().message();
    }
    ErrorCode refusal_of(Method method, std::string_view pattern) {
        const auto added = router.add(method, pattern, RouteId(99));
        return added ? ErrorCode::user_code : added.error().code();
    }
};

TEST_F(RouterTest, literal_path_found) {
    add(Method::get, "/metrics", 1);
    add(Method::get, "/health/live", 2);
    add(Method::get, "/", 3);

    EXPECT_EQ(router.find(Method::get, "/metrics").route, RouteId(1));
    EXPECT_EQ(router.find(Method::get, "/health/live").route, RouteId(2));
    EXPECT_EQ(router.find(Method::get, "/").route, RouteId(3));
    for (const char* path : {"/health", "/health/", "/health/live/", "/metrics/x", "/Metrics", "//"})
        EXPECT_EQ(router.find(Method::get, path).kind, Kind::unknown) << path;
}

TEST_F(RouterTest, parameter_decoded) {
    add(Method::get, "/boxes/{id}", 1);
    const auto match = router.find(Method::get, "/boxes/caf%C3%A9%20au%20lait");
    ASSERT_EQ(match.kind, Kind::found);
    EXPECT_EQ(match.parameter, "caf\u00e9 au lait");
}

TEST_F(RouterTest, encoded_slash_stays_in_its_segment) {
    add(Method::get, "/boxes/{id}", 1);
    add(Method::get, "/boxes/{id}/events", 2);
    const auto match = router.find(Method::get, "/boxes/a%2Fevents");
    ASSERT_EQ(match.kind, Kind::found);
    EXPECT_EQ(match.route, RouteId(1));
    EXPECT_EQ(match.parameter, "a/events");
}

TEST_F(RouterTest, encoded_literal_is_not_that_literal) {
    add(Method::get, "/metrics", 1);
    EXPECT_EQ(router.find(Method::get, "/metri%63s").kind, Kind::unknown);
}

TEST_F(RouterTest, empty_parameter_unknown) {
    add(Method::get, "/boxes/{id}", 1);
    add(Method::get, "/boxes/{id}/events", 2);
    EXPECT_EQ(router.find(Method::get, "/boxes/").kind, Kind::unknown);
    EXPECT_EQ(router.find(Method::get, "/boxes//events").kind, Kind::unknown);
}

TEST_F(RouterTest, literal_before_parameter) {
    add(Method::post, "/boxes/{id}", 1);
    add(Method::post, "/boxes/fill", 2);
    EXPECT_EQ(router.find(Method::post, "/boxes/fill").route, RouteId(2));
    EXPECT_EQ(router.find(Method::post, "/boxes/other").route, RouteId(1));
}

TEST_F(RouterTest, id_called_like_a_command_still_found) {
    add(Method::post, "/boxes/fill", 1);
    add(Method::get, "/boxes/{id}", 2);
    add(Method::post, "/boxes/{id}/fill", 3);

    const auto state = router.find(Method::get, "/boxes/fill");
    ASSERT_EQ(state.kind, Kind::found);
    EXPECT_EQ(state.route, RouteId(2));
    EXPECT_EQ(state.parameter, "fill");
    const auto command = router.find(Method::post, "/boxes/fill/fill");
    ASSERT_EQ(command.kind, Kind::found);
    EXPECT_EQ(command.route, RouteId(3));
    EXPECT_EQ(command.parameter, "fill");
    const auto chosen = router.find(Method::post, "/boxes/fill");
    EXPECT_EQ(chosen.route, RouteId(1));
    EXPECT_EQ(chosen.parameter, "");
}

TEST_F(RouterTest, other_method_named_with_those_allowed) {
    add(Method::post, "/boxes/fill", 1);
    add(Method::get, "/boxes/{id}", 2);
    const auto match = router.find(Method::put, "/boxes/fill");
    EXPECT_EQ(match.kind, Kind::wrong_method);
    EXPECT_THAT(match.allowed, ElementsAre(Method::get, Method::head, Method::post));
}

TEST_F(RouterTest, head_finds_get) {
    add(Method::get, "/boxes/{id}", 1);
    add(Method::post, "/boxes/{id}/fill", 2);
    EXPECT_EQ(router.find(Method::head, "/boxes/a").route, RouteId(1));
    EXPECT_EQ(router.find(Method::head, "/boxes/a/fill").kind, Kind::wrong_method);
}

TEST_F(RouterTest, collision_refused) {
    add(Method::get, "/boxes/{id}", 1);
    EXPECT_EQ(refusal_of(Method::get, "/boxes/{id}"), ErrorCode::already_exists);
    EXPECT_EQ(refusal_of(Method::get, "/boxes/{name}"), ErrorCode::already_exists);
    add(Method::post, "/boxes/{id}", 2);
    EXPECT_EQ(router.find(Method::get, "/boxes/a").route, RouteId(1));
}

TEST_F(RouterTest, malformed_pattern_refused) {
    for (const char* pattern : {"", "boxes", "/Boxes", "/boxes/", "//boxes", "/boxes/{}", "/boxes/{id", "/boxes/x{id}",
                                "/bo xes", "/b%20", "/{a}/{b}", "/boxes?x"})
        EXPECT_EQ(refusal_of(Method::get, pattern), ErrorCode::invalid_argument) << pattern;
}

TEST_F(RouterTest, too_deep_refused_and_unknown) {
    std::string deepest;
    for (std::size_t i = 0; i < Router::kSegmentsMax; ++i)
        deepest += "/a";
    add(Method::get, deepest, 1);
    EXPECT_EQ(router.find(Method::get, deepest).route, RouteId(1));
    EXPECT_EQ(router.find(Method::get, deepest + "/a").kind, Kind::unknown);
    EXPECT_EQ(refusal_of(Method::get, deepest + "/a"), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace leftfold::gateway
