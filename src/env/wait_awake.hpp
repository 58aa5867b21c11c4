// wait_awake: a thread that sleeps takes 10 to 50 µs to run again, on a virtual machine more, which for a lone command
// is most of what it takes beside the disk. So who knows that something is under way looks for it a moment before it
// sleeps.
#pragma once

#include <thread>

#include "real_clock.hpp"

namespace leftfold {

// About what an SSD takes for a sync.
inline constexpr Duration kAwakeMax = std::chrono::microseconds(100);

inline void relax_processor() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
}

// Until is_over() holds, for kAwakeMax at most. Not at all where there is one processor: it is needed for the other
// thread.
template <class IsOver>
void wait_awake(IsOver is_over) {
    constexpr int kLooksPerClock = 16;
    static const bool has_other_processors = std::thread::hardware_concurrency() > 1;
    if (!has_other_processors || is_over())
        return;
    const MonotonicTime until = monotonic_now() + kAwakeMax;
    do {
        for (int look = 0; look < kLooksPerClock; ++look) {
            if (is_over())
                return;
            relax_processor();
        }
    } while (monotonic_now() < until);
}

}  // namespace leftfold
