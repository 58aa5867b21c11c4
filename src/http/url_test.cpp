#include "leftfold/http/url.hpp"

#include <gtest/gtest.h>

namespace leftfold::http {
namespace {

TEST(PercentDecode, good_forms_are_decoded_bad_ones_refused) {
    EXPECT_EQ(percent_decode(""), "");
    EXPECT_EQ(percent_decode("a+b"), "a+b");
    EXPECT_EQ(percent_decode("%41%2f%C3%a9"), "A/\xC3\xA9");
    for (const std::string_view bad : {"%", "%4", "%zz", "a%4g", "%00", "%%20"})
        EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
}

TEST(PercentEncode, all_bytes_but_nul_come_back) {
    std::string all;
    for (int c = 1; c < 256; ++c)
        all.push_back(static_cast<char>(c));
    EXPECT_EQ(percent_decode(percent_encode(all)), all);
    EXPECT_EQ(percent_encode("a/b c-._~%"), "a%2Fb%20c-._~%25");
}

TEST(ParseQuery, parameters_come_in_order_and_decoded) {
    const auto parameters = parse_query("at_time=1994-01-31T10:00:00+02:00&x&&y=&x=%26%3D=");
    ASSERT_TRUE(parameters);
    std::string seen;
    for (const QueryParameter& one : *parameters)
        seen += one.name + ":" + one.value + ";";
    EXPECT_EQ(seen, "at_time:1994-01-31T10:00:00+02:00;x:;y:;x:&==;");
    EXPECT_TRUE(parse_query("")->empty());
}

TEST(ParseQuery, bad_encoding_and_too_many_are_refused) {
    EXPECT_EQ(parse_query("a=%4").error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(parse_query("%zz=1").error().code(), ErrorCode::invalid_argument);
    std::string many;
    for (std::size_t i = 0; i < kQueryParametersMax; ++i)
        many += "a=1&";
    EXPECT_TRUE(parse_query(many));
    EXPECT_EQ(parse_query(many + "a=1").error().code(), ErrorCode::too_large);
}

}  // namespace
}  // namespace leftfold::http
