#include "leftfold/http/message.hpp"

#include <array>

#include <gtest/gtest.h>

namespace leftfold::http {
namespace {

TEST(Message, method_names_go_both_ways) {
    for (const Method method :
         {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::del, Method::options})
        EXPECT_EQ(parse_method(to_string(method)), method);
    EXPECT_EQ(parse_method("DELETE"), Method::del);
    EXPECT_EQ(parse_method("delete"), std::nullopt);
    EXPECT_EQ(parse_method(""), std::nullopt);
}

TEST(Message, headers_are_found_whatever_their_case) {
    const std::array fields{HeaderField{"Leftfold-Position", "a"}, HeaderField{"X", ""},
                            HeaderField{"leftfold-POSITION", "b"}};
    const Request request{.fields = fields};
    EXPECT_EQ(request.header("leftfold-position"), "a");
    EXPECT_EQ(request.header("x"), "");
    EXPECT_EQ(request.header("y"), std::nullopt);
    EXPECT_EQ(request.headers("Leftfold-Position"), (std::vector<std::string_view>{"a", "b"}));
    EXPECT_TRUE(request.headers("y").empty());
}

TEST(Message, header_value_cannot_add_a_line) {
    Response response;
    response.add_header("Location", "/a\r\nSet-Cookie: evil").add_header("ETag", "\"1\"");
    EXPECT_EQ(response.header_lines, "Location: /a  Set-Cookie: evil\r\nETag: \"1\"\r\n");
}

}  // namespace
}  // namespace leftfold::http
