#include "real_random.hpp"

#include <cerrno>
#include <span>

#include <sys/random.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/bytes.hpp"

namespace leftfold {

void RealRandom::refill() {
    MutableByteSpan rest = std::as_writable_bytes(std::span(block_));
    while (!rest.empty()) {
        const ssize_t count = ::getrandom(rest.data(), rest.size(), 0);
        LEFTFOLD_ASSERT(count > 0 || errno == EINTR);
        if (count > 0)
            rest = rest.subspan(static_cast<std::size_t>(count));
    }
    left_ = block_.size();
}

}  // namespace leftfold
