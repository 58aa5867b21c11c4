#include "nearest.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace leftfold {
namespace {

TEST(Nearest, distance_counts_slips) {
    EXPECT_EQ(edit_distance("", ""), 0u);
    EXPECT_EQ(edit_distance("", "abc"), 3u);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
    EXPECT_EQ(edit_distance("port", "prot"), 1u);
    EXPECT_EQ(edit_distance("ca", "abc"), 3u);  // optimal string alignment, not full Damerau-Levenshtein
}

TEST(Nearest, finds_what_was_meant) {
    const std::vector<std::string> names = {"http.port", "http.host", "log.data", "log.segment-size"};
    EXPECT_EQ(nearest("http.prot", names), "http.port");
    EXPECT_EQ(nearest("htp.host", names), "http.host");
    EXPECT_EQ(nearest("log.segment", names), "log.segment-size");
    EXPECT_EQ(did_you_mean("log.dat", names), "; did you mean log.data?");
}

TEST(Nearest, keeps_silent_where_nothing_is_near) {
    const std::vector<std::string> names = {"serve", "events", "ab"};
    EXPECT_EQ(nearest("frobnicate", names), std::nullopt);
    EXPECT_EQ(nearest("x", names), std::nullopt);
    EXPECT_EQ(nearest("xy", names), std::nullopt);  // nothing of it would be left
    EXPECT_EQ(nearest(std::string(100'000, 's'), names), std::nullopt);
    EXPECT_EQ(did_you_mean("frobnicate", names), "");
}

}  // namespace
}  // namespace leftfold
