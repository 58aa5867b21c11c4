#include "leftfold/base/crc32c.hpp"

#include <string>

#include <gtest/gtest.h>

namespace leftfold {
namespace {

// RFC 3720 appendix B.4.
TEST(Crc32c, known_vectors_match) {
    EXPECT_EQ(crc32c(bytes_of(std::string(32, '\0'))), 0x8A9136AAU);
    EXPECT_EQ(crc32c(bytes_of(std::string(32, '\xFF'))), 0x62A8AB43U);
    std::string ascending;
    for (int i = 0; i < 32; ++i)
        ascending.push_back(static_cast<char>(i));
    EXPECT_EQ(crc32c(bytes_of(ascending)), 0x46DD794EU);
    EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283U);
}

TEST(Crc32c, continued_equals_whole) {
    const std::string text = "a text that is longer than one word of eight bytes";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        const auto head = crc32c(bytes_of(std::string_view(text).substr(0, cut)));
        EXPECT_EQ(crc32c(bytes_of(std::string_view(text).substr(cut)), head), crc32c(bytes_of(text))) << cut;
    }
}

}  // namespace
}  // namespace leftfold
