#include "event_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

#include <sys/eventfd.h>

#include "leftfold/base/assert.hpp"

#include "real_clock.hpp"

namespace leftfold {

namespace {

FileDescriptor or_throw(int fd, const char* what) {
    if (fd < 0)
        throw std::system_error(errno, std::generic_category(), what);
    return FileDescriptor(fd);
}

}  // namespace

EventLoop::EventLoop()
    : thread_(std::this_thread::get_id()),
      epoll_(or_throw(::epoll_create1(EPOLL_CLOEXEC), "cannot create an epoll instance")),
      wake_up_(or_throw(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "cannot create an eventfd")),
      read_buffer_(kReadBufferBytes) {
    // Edge-triggered: each write wakes the loop, and nobody needs to read the counter back.
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = nullptr;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_up_.get(), &event) < 0)
        throw std::system_error(errno, std::generic_category(), "cannot watch an eventfd");
}

EventLoop::~EventLoop() {
    drop_all_work();
}

void EventLoop::post(Step step) {
    if (on_own_thread()) {
        ready_.push_back(std::move(step));
        return;
    }
    bool was_sleeping = false;
    {
        const std::lock_guard lock(mutex_);
        posted_elsewhere_.push_back(std::move(step));
        has_posted_elsewhere_.store(true, std::memory_order_relaxed);
        was_sleeping = std::exchange(sleeping_, false);
    }
    if (was_sleeping)
        wake();
}

void EventLoop::post_when_idle(Step step, Duration at_most) {
    LEFTFOLD_ASSERT(on_own_thread());
    gathering_.push_back(std::move(step));
    gathers_until_ = std::min(gathers_until_, monotonic_now() + at_most);
}

TimerId EventLoop::call_after(Duration delay, Step step) {
    LEFTFOLD_ASSERT(on_own_thread());
    const MonotonicTime now = monotonic_now();
    const Duration far = MonotonicTime::max() - now;
    return timers_.add(now + std::clamp(delay, Duration::zero(), far), std::move(step));
}

void EventLoop::cancel(TimerId timer) {
    LEFTFOLD_ASSERT(on_own_thread());
    // The step may own what cancels other timers, so it is destroyed outside of the heap.
    const Step dropped = timers_.cancel(timer);
}

void EventLoop::run() {
    LEFTFOLD_ASSERT(on_own_thread());
    while (!stopping()) {
        wait_and_dispatch();
        run_timers();
        run_steps();
        end_turn();
    }
    stop_requested_.store(false, std::memory_order_relaxed);
}

void EventLoop::stop() noexcept {
    stop_requested_.store(true, std::memory_order_relaxed);
    wake();
}

int EventLoop::watch(int fd, std::uint32_t events, EventSource& source) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &source;
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

void EventLoop::change(int fd, std::uint32_t events, EventSource& source) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &source;
    LEFTFOLD_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0);
}

void EventLoop::forget(int fd, EventSource& source) noexcept {
    if (fd >= 0)
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    for (std::size_t index = event_index_; index < event_count_; ++index)
        if (events_[index].data.ptr == &source)
            events_[index].data.ptr = nullptr;
    if (std::exchange(source.awaits_turn_end_, false)) {
        std::ranges::replace(turn_end_, &source, nullptr);
        std::ranges::replace(turn_end_running_, &source, nullptr);
    }
}

void EventLoop::call_at_turn_end(EventSource& source) {
    if (!std::exchange(source.awaits_turn_end_, true))
        turn_end_.push_back(&source);
}

void EventLoop::drop_all_work() {
    // Destroying a step may post another, or cancel a timer.
    for (;;) {
        fetch_posted_elsewhere();
        const std::vector<Step> running = std::exchange(running_, {});
        const std::vector<Step> ready = std::exchange(ready_, {});
        const std::vector<Step> gathering = std::exchange(gathering_, {});
        const std::vector<Step> timers = timers_.take_all();
        running_index_ = 0;
        if (running.empty() && ready.empty() && gathering.empty() && timers.empty())
            return;
    }
}

void EventLoop::wait_and_dispatch() {
    // After a stop() some are left from before; being edge-triggered, they would not come again.
    if (event_index_ == event_count_) {
        event_index_ = 0;
        event_count_ = wait_for_events();
    }
    while (event_index_ < event_count_ && !stopping()) {
        const epoll_event event = events_[event_index_++];
        if (event.data.ptr != nullptr)
            static_cast<EventSource*>(event.data.ptr)->on_events(event.events);
    }
}

std::size_t EventLoop::wait_for_events() {
    const bool has_work = !ready_.empty() || running_index_ < running_.size() || !turn_end_.empty() ||
                          turn_end_index_ < turn_end_running_.size();
    if (has_work) {
        send_offered_elsewhere();
        return gather();
    }
    if (!gathering_.empty()) {
        const std::size_t count = gather();
        if (count == 0 && !has_posted_elsewhere_.load(std::memory_order_relaxed))
            end_gathering();
        return count;
    }
    if (!offered_.empty())
        return run_brief_job();
    if (!prepare_to_sleep())
        return poll(Duration::zero());
    const auto due = timers_.next_due();
    const std::size_t count = poll(due ? std::max(Duration::zero(), *due - monotonic_now()) : Duration::max());
    // Here, and not only when the posted steps are fetched, so that what is posted meanwhile needs no wake-up.
    const std::lock_guard lock(mutex_);
    sleeping_ = false;
    return count;
}

std::size_t EventLoop::gather() {
    if (!gathering_.empty() && monotonic_now() >= gathers_until_)
        end_gathering();
    return poll(Duration::zero());
}

void EventLoop::end_gathering() {
    std::ranges::move(gathering_, std::back_inserter(ready_));
    gathering_.clear();
    gathers_until_ = MonotonicTime::max();
}

void EventLoop::offer(BriefJob& job) {
    LEFTFOLD_ASSERT(on_own_thread());
    offered_.push_back(&job);
}

void EventLoop::take_back(BriefJob& job) noexcept {
    LEFTFOLD_ASSERT(on_own_thread());
    std::erase(offered_, &job);
}

void EventLoop::send_offered_elsewhere() {
    for (BriefJob* job : offered_)
        job->run_elsewhere();
    offered_.clear();
}

// Of several, the others run on their threads meanwhile. The number of events that there are instead.
std::size_t EventLoop::run_brief_job() {
    constexpr Duration kBrief = std::chrono::microseconds(500);
    constexpr int kRefusedAfterLong = 100;
    const std::size_t count = poll(Duration::zero());
    if (count > 0 || has_posted_elsewhere_.load(std::memory_order_relaxed) || offers_refused_left_ > 0) {
        offers_refused_left_ = std::max(0, offers_refused_left_ - 1);
        send_offered_elsewhere();
        return count;
    }
    BriefJob* const job = offered_.back();
    offered_.pop_back();
    send_offered_elsewhere();
    const MonotonicTime begin = monotonic_now();
    job->run_here();
    if (monotonic_now() - begin > kBrief)
        offers_refused_left_ = kRefusedAfterLong;
    return 0;
}

std::size_t EventLoop::poll(Duration timeout) noexcept {
    using std::chrono::seconds;
    const int events_max = static_cast<int>(events_.size());
    const timespec wait{.tv_sec = static_cast<time_t>(timeout / seconds(1)),
                        .tv_nsec = static_cast<long>((timeout % seconds(1)).count())};
    int count = ::epoll_pwait2(epoll_.get(), events_.data(), events_max, &wait, nullptr);
    // Kernels before 5.11, and sandboxes of their time, only know milliseconds.
    if (count < 0 && (errno == ENOSYS || errno == EPERM)) {
        const auto wait_ms = std::chrono::ceil<std::chrono::milliseconds>(std::min<Duration>(timeout, seconds(3600)));
        count = ::epoll_wait(epoll_.get(), events_.data(), events_max, static_cast<int>(wait_ms.count()));
    }
    LEFTFOLD_ASSERT(count >= 0 || errno == EINTR);
    return static_cast<std::size_t>(std::max(count, 0));
}

bool EventLoop::prepare_to_sleep() {
    const std::lock_guard lock(mutex_);
    sleeping_ = posted_elsewhere_.empty();
    return sleeping_;
}

void EventLoop::run_timers() {
    if (timers_.empty())
        return;
    // What falls due while these run waits for the next turn, so that a timer of 0 which sets itself again starves
    // nobody.
    const MonotonicTime now = monotonic_now();
    while (!stopping()) {
        Step step = timers_.take_due(now);
        if (!step)
            return;
        step();
    }
}

void EventLoop::run_steps() {
    fetch_posted_elsewhere();
    for (int round = 0; round < kRoundsPerTurn; ++round) {
        if (running_index_ == running_.size()) {
            running_.clear();
            running_index_ = 0;
            if (ready_.empty())
                return;
            std::swap(running_, ready_);
        }
        while (running_index_ < running_.size()) {
            if (stopping())
                return;
            Step step = std::move(running_[running_index_++]);
            step();
        }
    }
}

void EventLoop::end_turn() {
    if (turn_end_index_ == turn_end_running_.size()) {
        turn_end_running_.clear();
        turn_end_index_ = 0;
        std::swap(turn_end_, turn_end_running_);
    }
    while (turn_end_index_ < turn_end_running_.size() && !stopping()) {
        EventSource* source = std::exchange(turn_end_running_[turn_end_index_++], nullptr);
        if (source == nullptr)
            continue;
        source->awaits_turn_end_ = false;
        source->on_turn_end();
    }
}

void EventLoop::fetch_posted_elsewhere() {
    const std::lock_guard lock(mutex_);
    has_posted_elsewhere_.store(false, std::memory_order_relaxed);
    if (ready_.empty()) {
        std::swap(ready_, posted_elsewhere_);
        return;
    }
    std::ranges::move(posted_elsewhere_, std::back_inserter(ready_));
    posted_elsewhere_.clear();
}

void EventLoop::wake() noexcept {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(wake_up_.get(), &one, sizeof one));
}

}  // namespace leftfold
