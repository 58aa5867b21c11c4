// FakeWorld: clock, scheduler and network under the test's hand, for the tests of this module.
//
// Nothing moves but in run() and advance(). A FakePeer is the test's end of a connection; what it sends is delivered in
// one piece by the next run().
#pragma once

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leftfold/base/assert.hpp"
#include "leftfold/env/env.hpp"
#include "leftfold/env/real_env.hpp"

namespace leftfold::http {

class FakeClock final : public Clock {
  public:
    Timestamp now() const noexcept override {
        return timestamp_from_micros(784'111'777'000'000) +
               std::chrono::duration_cast<std::chrono::microseconds>(elapsed);  // Sun, 06 Nov 1994 08:49:37 GMT
    }
    MonotonicTime monotonic() const noexcept override { return MonotonicTime(elapsed); }

    Duration elapsed{};
};

class FakeScheduler final : public Scheduler {
  public:
    explicit FakeScheduler(FakeClock& clock) : clock_(clock) {}

    void post(Step step) override { ready_.push_back(std::move(step)); }
    void post_when_idle(Step step, Duration) override { post(std::move(step)); }
    TimerId call_after(Duration delay, Step step) override {
        const TimerId id(++last_id_);
        timers_.emplace(std::pair(clock_.elapsed + delay, id), std::move(step));
        return id;
    }
    void cancel(TimerId timer) override {
        std::erase_if(timers_, [timer](const auto& entry) { return entry.first.second == timer; });
    }

    bool run_ready() {
        bool ran = false;
        while (!ready_.empty()) {
            Step step = std::move(ready_.front());
            ready_.pop_front();
            step();
            ran = true;
        }
        return ran;
    }
    // The first timer due by `until`, with the clock at its time.
    bool run_timer(Duration until) {
        if (timers_.empty() || timers_.begin()->first.first > until)
            return false;
        auto node = timers_.extract(timers_.begin());
        clock_.elapsed = std::max(clock_.elapsed, node.key().first);
        node.mapped()();
        return true;
    }
    std::size_t timer_count() const noexcept { return timers_.size(); }

  private:
    FakeClock& clock_;
    std::deque<Step> ready_;
    std::map<std::pair<Duration, TimerId>, Step> timers_;
    std::uint64_t last_id_ = 0;
};

class FakeStream;

// The test's end. Outlives the stream by shared_ptr.
class FakePeer {
  public:
    void send(std::string_view bytes) { to_stream_.append(bytes); }
    void finish_sending() { sends_end_ = true; }
    void reset() { fails_ = true; }
    std::string take() { return std::exchange(received, {}); }

    std::string received;
    std::size_t window = std::numeric_limits<std::size_t>::max();  // how much more it takes
    bool end_seen = false;                                         // the stream finished sending
    bool closed = false;                                           // the stream closed
    bool reading_paused = false;

  private:
    friend class FakeStream;
    friend class FakeNetwork;

    FakeStream* stream_ = nullptr;
    std::string to_stream_;
    bool sends_end_ = false;
    bool end_delivered_ = false;
    bool fails_ = false;
};

class FakeStream final : public Stream {
  public:
    explicit FakeStream(std::shared_ptr<FakePeer> peer) : peer_(std::move(peer)) { peer_->stream_ = this; }
    ~FakeStream() override { close(); }

    void start(StreamHandler& handler) override { handler_ = &handler; }
    void send(std::string bytes) override {
        LEFTFOLD_ASSERT(handler_ != nullptr && !finishing_);
        unsent_ += bytes;
    }
    std::size_t unsent_bytes() const noexcept override { return unsent_.size(); }
    void pause_reading() override { peer_->reading_paused = true; }
    void resume_reading() override { peer_->reading_paused = false; }
    void finish_sending() override { finishing_ = true; }
    void close() override {
        peer_->closed = true;
        peer_->stream_ = nullptr;
        unsent_.clear();
    }
    const Endpoint& peer() const noexcept override { return endpoint_; }

    // One thing that the network does; false if there is none. The handler may destroy *this.
    bool move() {
        FakePeer& peer = *peer_;
        if (handler_ == nullptr)
            return false;
        if (peer.fails_)
            return handler_->on_failed(Error(ErrorCode::closed, "reset")), true;
        if (const std::size_t size = std::min(unsent_.size(), peer.window); size > 0) {
            peer.received.append(unsent_, 0, size);
            unsent_.erase(0, size);
            if (peer.window != std::numeric_limits<std::size_t>::max())
                peer.window -= size;
            if (unsent_.empty())
                handler_->on_sent();
            return true;
        }
        if (finishing_ && unsent_.empty() && !peer.end_seen)
            return peer.end_seen = true;
        if (!peer.to_stream_.empty() && !peer.reading_paused) {
            const std::string bytes = std::exchange(peer.to_stream_, {});
            return handler_->on_data(bytes_of(bytes)), true;
        }
        if (peer.sends_end_ && peer.to_stream_.empty() && !peer.end_delivered_) {
            peer.end_delivered_ = true;
            return handler_->on_end(), true;
        }
        return false;
    }

  private:
    std::shared_ptr<FakePeer> peer_;
    StreamHandler* handler_ = nullptr;
    std::string unsent_;
    bool finishing_ = false;
    Endpoint endpoint_ = TcpEndpoint{.host = "192.0.2.1", .port = 4711};
};

class FakeNetwork final : public Network {
  public:
    explicit FakeNetwork(Scheduler& scheduler) : scheduler_(scheduler) {}

    Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, Accept accept) override {
        accept_ = std::move(accept);
        return std::make_unique<FakeListener>(*this, endpoint);
    }
    // Hands the test its end in `connected`, unless told to refuse or to leave the connection hanging.
    void connect(const Endpoint&, Connected done) override {
        ++connects;
        if (hang_connects)
            return;
        scheduler_.post([this, done = std::move(done)]() mutable {
            if (refuse_connects)
                done(fail(ErrorCode::unavailable, "connection refused", Retry::yes));
            else
                done(make_stream());
        });
    }

    // A client connects to the listener.
    std::shared_ptr<FakePeer> open() {
        LEFTFOLD_ASSERT(accept_);
        auto stream = make_stream();
        auto peer = connected.back();
        accept_(std::move(stream));
        return peer;
    }
    bool is_listening() const noexcept { return static_cast<bool>(accept_); }

    bool move_streams() {
        bool moved = false;
        for (std::size_t i = 0; i < connected.size(); ++i)
            while (connected[i]->stream_ != nullptr && connected[i]->stream_->move())
                moved = true;
        return moved;
    }

    std::vector<std::shared_ptr<FakePeer>> connected;
    int connects = 0;
    bool refuse_connects = false;
    bool hang_connects = false;

  private:
    class FakeListener final : public Listener {
      public:
        FakeListener(FakeNetwork& network, Endpoint endpoint) : network_(network), endpoint_(std::move(endpoint)) {}
        ~FakeListener() override { network_.accept_ = {}; }
        const Endpoint& endpoint() const noexcept override { return endpoint_; }

      private:
        FakeNetwork& network_;
        Endpoint endpoint_;
    };

    std::unique_ptr<Stream> make_stream() {
        connected.push_back(std::make_shared<FakePeer>());
        return std::make_unique<FakeStream>(connected.back());
    }

    Scheduler& scheduler_;
    Accept accept_;
};

class FakeRandom final : public Random {
  public:
    std::uint64_t next() override { return ++last_; }

  private:
    std::uint64_t last_ = 0;
};

class NoWorkers final : public Workers {
  public:
    std::unique_ptr<Worker> start(std::string_view, Scheduler&, JobLength) override { return nullptr; }
};

class FakeWorld {
  public:
    Env env() { return Env{clock, random, scheduler, workers, *files, network}; }

    // Until nothing moves at this instant.
    void run() {
        for (bool moved = true; moved;) {
            moved = scheduler.run_ready();
            moved = network.move_streams() || moved;
            moved = scheduler.run_timer(clock.elapsed) || moved;
        }
    }
    void advance(Duration by) {
        const Duration until = clock.elapsed + by;
        run();
        while (scheduler.run_timer(until))
            run();
        clock.elapsed = until;
    }

    FakeClock clock;
    FakeScheduler scheduler{clock};
    FakeNetwork network{scheduler};
    FakeRandom random;
    NoWorkers workers;
    std::unique_ptr<FileSystem> files = make_real_file_system();
};

}  // namespace leftfold::http
