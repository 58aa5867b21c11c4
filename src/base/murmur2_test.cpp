#include "leftfold/base/murmur2.hpp"

#include <gtest/gtest.h>

namespace leftfold {
namespace {

// The cases of Kafka's own UtilsTest.testMurmur2.
TEST(Murmur2, kafka_vectors_match) {
    EXPECT_EQ(static_cast<std::int32_t>(murmur2("21")), -973932308);
    EXPECT_EQ(static_cast<std::int32_t>(murmur2("foobar")), -790332482);
    EXPECT_EQ(static_cast<std::int32_t>(murmur2("a-little-bit-long-string")), -985981536);
    EXPECT_EQ(static_cast<std::int32_t>(murmur2("a-little-bit-longer-string")), -1486304829);
    EXPECT_EQ(static_cast<std::int32_t>(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")), -58897971);
    EXPECT_EQ(static_cast<std::int32_t>(murmur2("abc")), 479470107);
}

TEST(Murmur2, partition_is_below_count) {
    for (int key = 0; key < 1000; ++key)
        EXPECT_LT(partition_of(std::to_string(key), 4).value(), 4U);
}

}  // namespace
}  // namespace leftfold
