#include "leftfold/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace leftfold {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
    std::fprintf(stderr, "leftfold: assertion failed: %s (%s:%d)\n", condition, file, line);
    std::abort();
}

}  // namespace leftfold
