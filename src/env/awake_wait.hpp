// AwakeWait: a thread that sleeps takes 10 to 50 µs to run again, on a virtual machine more, which for a lone command
// is most of what it takes beside the disk. So who knows that something is under way looks for it a moment before it
// sleeps. Where that was in vain, on a slow disk or a machine with no processor to spare, it sleeps at once for a
// while.
#pragma once

#include <thread>

#include "real_clock.hpp"

namespace leftfold {

// One thread's.
class AwakeWait {
  public:
    // Until is_over() holds, for a moment at most. Not at all where there is one processor: the other thread needs it.
    template <class IsOver>
    void wait(IsOver is_over) {
        static const bool has_other_processors = std::thread::hardware_concurrency() > 1;
        if (!has_other_processors || is_over())
            return;
        if (skips_left_ > 0) {
            --skips_left_;
            return;
        }
        const MonotonicTime until = monotonic_now() + kMoment;
        do {
            for (int look = 0; look < kLooksPerClock; ++look) {
                if (is_over())
                    return;
                relax_processor();
            }
        } while (monotonic_now() < until);
        skips_left_ = kSkipsAfterVain;
    }

  private:
    // Above what an SSD takes for a sync, or a client on the same machine for its next command.
    static constexpr Duration kMoment = std::chrono::microseconds(200);
    static constexpr int kSkipsAfterVain = 4;
    static constexpr int kLooksPerClock = 16;

    static void relax_processor() noexcept {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#else
        std::this_thread::yield();
#endif
    }

    int skips_left_ = 0;
};

}  // namespace leftfold
