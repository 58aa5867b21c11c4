#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "leftfold/rows/row_store.hpp"

namespace leftfold::rows {
namespace {

using Limits = std::numeric_limits<std::int64_t>;

// Each is less than all behind it; those of one group are equal.
const std::vector<std::vector<Cell>> kOrder = {
    {Cell{}},
    {-std::numeric_limits<double>::infinity()},
    {-1e300},
    {Limits::min(), -9223372036854775808.0},
    {Limits::min() + 1},
    {std::int64_t{-2}, -2.0},
    {-1.5},
    {std::int64_t{-1}},
    {std::int64_t{0}, 0.0, -0.0},
    {0.5},
    {std::int64_t{9007199254740992}, 9007199254740992.0},
    {std::int64_t{9007199254740993}},  // no double has this value
    {9007199254740994.0},
    {Limits::max()},
    {9223372036854775808.0},
    {std::numeric_limits<double>::infinity()},
    {std::string()},
    {std::string("\0", 1)},
    {std::string("\0a", 2)},
    {std::string("A")},
    {std::string("a")},
    {std::string("a\0", 2)},
    {std::string("ab")},
    {std::string("\xC3\xA4")},
    {std::string("\xFF")},
};

TEST(Cell, order_is_null_then_numbers_by_value_then_texts_by_bytes) {
    for (std::size_t i = 0; i < kOrder.size(); ++i) {
        for (std::size_t j = 0; j < kOrder.size(); ++j) {
            for (const Cell& left : kOrder[i]) {
                for (const Cell& right : kOrder[j]) {
                    const std::weak_ordering expected = i <=> j;
                    EXPECT_TRUE(compare(left, right) == expected) << "groups " << i << " and " << j;
                }
            }
        }
    }
}

TEST(Cell, nan_equals_what_it_is_compared_with) {
    EXPECT_TRUE(compare(std::nan(""), std::int64_t{5}) == 0);
    EXPECT_TRUE(compare(1.0, std::nan("")) == 0);
}

}  // namespace
}  // namespace leftfold::rows
