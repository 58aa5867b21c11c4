#include "leftfold/env/real_env.hpp"

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <signal.h>

#include "leftfold/base/assert.hpp"

#include "event_loop.hpp"
#include "file_descriptor.hpp"
#include "real_clock.hpp"
#include "real_network.hpp"
#include "real_random.hpp"
#include "real_workers.hpp"

namespace leftfold {

namespace {

// A signal handler can reach nothing but globals: the writing end of the pipe, -1 while nobody listens.
std::atomic<int> signal_pipe = -1;
std::atomic<bool> signal_came = false;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void on_signal(int signal) {
    const int saved_errno = errno;
    signal_came.store(true);
    const auto byte = static_cast<unsigned char>(signal);
    static_cast<void>(!::write(signal_pipe.load(), &byte, 1));
    errno = saved_errno;
}

// Turns SIGINT and SIGTERM into steps, by a pipe: it works whichever thread the system picks for the handler.
class TerminationSignals final : public EventSource {
  public:
    TerminationSignals(EventLoop& loop, std::move_only_function<void(int)> step) : loop_(loop), step_(std::move(step)) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
            throw std::system_error(errno, std::generic_category(), "cannot create a pipe for signals");
        reading_ = FileDescriptor(ends[0]);
        writing_ = FileDescriptor(ends[1]);
        if (const int error_number = loop_.watch(reading_.get(), EPOLLIN, *this); error_number != 0)
            throw std::system_error(error_number, std::generic_category(), "cannot watch a pipe for signals");
        int nobody = -1;
        LEFTFOLD_ASSERT(signal_pipe.compare_exchange_strong(nobody, writing_.get()));
        struct sigaction action{};
        action.sa_handler = &on_signal;
        action.sa_flags = SA_RESTART;
        ::sigaction(SIGINT, &action, &old_interrupt_);
        ::sigaction(SIGTERM, &action, &old_terminate_);
    }

    // A process told to end is on its way out: a further signal, as late as in main's last steps, must not turn its
    // clean end into a death by signal.
    ~TerminationSignals() {
        if (signal_came.load()) {
            struct sigaction ignore{};
            ignore.sa_handler = SIG_IGN;
            old_interrupt_ = old_terminate_ = ignore;
        }
        ::sigaction(SIGINT, &old_interrupt_, nullptr);
        ::sigaction(SIGTERM, &old_terminate_, nullptr);
        signal_pipe.store(-1);
        loop_.forget(reading_.get(), *this);
    }

    void on_events(std::uint32_t) override {
        unsigned char signal = 0;
        if (::read(reading_.get(), &signal, 1) == 1)
            step_(signal);
    }

  private:
    EventLoop& loop_;
    std::move_only_function<void(int)> step_;
    FileDescriptor reading_;
    FileDescriptor writing_;
    struct sigaction old_interrupt_{};
    struct sigaction old_terminate_{};
};

}  // namespace

struct RealEnv::Impl {
    RealClock clock;
    RealRandom random;
    EventLoop loop;
    RealWorkers workers{loop};
    std::unique_ptr<FileSystem> files = make_real_file_system();
    RealNetwork network{loop};
    std::unique_ptr<TerminationSignals> signals;
    Env env{clock, random, loop, workers, *files, network};
};

RealEnv::RealEnv() : impl_(std::make_unique<Impl>()) {}

RealEnv::~RealEnv() {
    // Steps own streams and the like, which need the loop and the network when they go.
    impl_->loop.drop_all_work();
}

Env& RealEnv::env() noexcept {
    return impl_->env;
}

void RealEnv::run() {
    impl_->loop.run();
}

void RealEnv::stop() {
    impl_->loop.stop();
}

void RealEnv::on_termination_signal(std::move_only_function<void(int signal)> step) {
    impl_->signals = std::make_unique<TerminationSignals>(impl_->loop, std::move(step));
}

}  // namespace leftfold
