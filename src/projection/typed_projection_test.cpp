#include "leftfold/projection/typed_projection.hpp"

#include <gtest/gtest.h>

#include "memory_store.hpp"
#include "testing/bank.hpp"

namespace leftfold {
namespace {

TEST(TypedProjection, schema_is_that_of_the_rows) {
    const auto model = make_typed_projection<testing::Balances>("bank", "balances");
    EXPECT_EQ(model->name(), "balances");
    EXPECT_EQ(model->shape(), "");
}

}  // namespace
}  // namespace leftfold
