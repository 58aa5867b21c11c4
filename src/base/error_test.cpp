#include "leftfold/base/error.hpp"

#include <cerrno>
#include <memory>

#include <gtest/gtest.h>

namespace leftfold {
namespace {

Result<std::unique_ptr<int>> make(bool good) {
    if (!good)
        return fail(ErrorCode::not_found, "nothing there");
    return std::make_unique<int>(7);
}

Result<int> use(bool good) {
    LEFTFOLD_TRY(value, make(good));
    return *value;
}

Result<> check(bool good) {
    LEFTFOLD_CHECK(use(good));
    return {};
}

TEST(Error, try_passes_value_and_error) {
    EXPECT_EQ(use(true).value(), 7);
    EXPECT_EQ(use(false).error().code(), ErrorCode::not_found);
    EXPECT_TRUE(check(true).has_value());
    EXPECT_EQ(check(false).error().message(), "nothing there");
}

TEST(Error, from_errno_keeps_meaning) {
    const Error full = Error::from_errno(ENOSPC, "write 'x'");
    EXPECT_EQ(full.code(), ErrorCode::no_space);
    EXPECT_TRUE(full.retryable());
    EXPECT_EQ(full.message(), "write 'x': No space left on device");
    EXPECT_EQ(Error::from_errno(EROFS, "open").code(), ErrorCode::read_only);
    EXPECT_EQ(Error::from_errno(EFBIG, "write").code(), ErrorCode::no_space);
}

TEST(Error, context_comes_first) {
    EXPECT_EQ(Error(ErrorCode::io, "b").with_context("a").message(), "a: b");
}

}  // namespace
}  // namespace leftfold
