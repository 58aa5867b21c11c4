// EventLoop: the real Scheduler, which also watches descriptors with epoll. All on the thread that made it, except
// post() and stop().
//
// A turn: wait for descriptors (or not, if there is work), tell their owners, run the timers that are due, run the
// steps posted so far, then the end-of-turn calls, in which streams write what the turn has queued.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include <sys/epoll.h>

#include "leftfold/base/bytes.hpp"
#include "leftfold/env/scheduler.hpp"

#include "file_descriptor.hpp"
#include "timer_heap.hpp"

namespace leftfold {

// Who is told about a descriptor. May be destroyed in any call, also that of another source, after forget().
class EventSource {
  public:
    // `events` of epoll(7).
    virtual void on_events(std::uint32_t events) = 0;
    // Asked for by EventLoop::call_at_turn_end().
    virtual void on_turn_end() {}

  protected:
    EventSource() = default;
    EventSource(const EventSource&) = delete;
    EventSource& operator=(const EventSource&) = delete;
    virtual ~EventSource() = default;

  private:
    friend class EventLoop;
    bool awaits_turn_end_ = false;
};

// A job that a worker offers to the loop before it runs it itself. One of the two is called, by the loop; or the worker
// takes it back.
class BriefJob {
  public:
    virtual void run_here() = 0;
    virtual void run_elsewhere() = 0;

  protected:
    ~BriefJob() = default;
};

class EventLoop final : public Scheduler {
  public:
    EventLoop();
    ~EventLoop() override;

    void post(Step step) override;
    void post_when_idle(Step step, Duration at_most) override;
    TimerId call_after(Duration delay, Step step) override;
    void cancel(TimerId timer) override;

    void run();
    void stop() noexcept;

    // `events` as for epoll_ctl(2). The source stays until forget(). 0, or the errno of a failure: for want of memory,
    // or of the watches allowed to a user (fs.epoll.max_user_watches).
    [[nodiscard]] int watch(int fd, std::uint32_t events, EventSource& source);
    void change(int fd, std::uint32_t events, EventSource& source);
    // No call comes after it. `fd` is -1 if it was never watched.
    void forget(int fd, EventSource& source) noexcept;
    // Calls on_turn_end() once, at the end of this turn; asked for at the end of a turn, in the next one.
    void call_at_turn_end(EventSource& source);

    // For bytes on their way from a descriptor to a handler: one for all, so that an idle connection holds none.
    MutableByteSpan read_buffer() noexcept { return read_buffer_; }

    // Runs the job here if there is nothing else to do and such jobs have been brief, else sends it where it came from;
    // before this loop sleeps.
    void offer(BriefJob& job);
    void take_back(BriefJob& job) noexcept;

    bool on_own_thread() const noexcept { return std::this_thread::get_id() == thread_; }

    // Destroys, without running them, the steps and timers that are left, and those that this posts.
    void drop_all_work();

  private:
    static constexpr std::size_t kEventsPerTurn = 256;
    // Chains of steps that post steps, before descriptors get their turn again.
    static constexpr int kRoundsPerTurn = 8;
    static constexpr std::size_t kReadBufferBytes = 65536;

    void wait_and_dispatch();
    std::size_t wait_for_events();
    std::size_t run_brief_job();
    std::size_t gather();
    void end_gathering();
    void send_offered_elsewhere();
    std::size_t poll(Duration timeout) noexcept;
    bool prepare_to_sleep();
    void run_timers();
    void run_steps();
    void end_turn();
    void fetch_posted_elsewhere();
    void wake() noexcept;
    bool stopping() const noexcept { return stop_requested_.load(std::memory_order_relaxed); }

    const std::thread::id thread_;
    FileDescriptor epoll_;
    FileDescriptor wake_up_;
    TimerHeap timers_;

    std::vector<Step> ready_;
    std::vector<Step> running_;
    std::size_t running_index_ = 0;

    std::array<epoll_event, kEventsPerTurn> events_{};
    std::size_t event_index_ = 0;
    std::size_t event_count_ = 0;
    std::vector<EventSource*> turn_end_;
    std::vector<EventSource*> turn_end_running_;
    std::size_t turn_end_index_ = 0;
    std::vector<std::byte> read_buffer_;

    std::vector<Step> gathering_;  // posted for when there is nothing else to do, or
    MonotonicTime gathers_until_ = MonotonicTime::max();
    std::vector<BriefJob*> offered_;
    int offers_refused_left_ = 0;

    std::atomic<bool> stop_requested_ = false;
    std::atomic<bool> has_posted_elsewhere_ = false;  // written under mutex_; a hint for who looks without it

    std::mutex mutex_;
    std::vector<Step> posted_elsewhere_;  // guarded by mutex_
    bool sleeping_ = false;               // guarded by mutex_; who finds it true wakes the loop, once
};

}  // namespace leftfold
