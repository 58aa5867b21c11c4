// RealListener: a listening socket on an EventLoop.
#pragma once

#include <memory>
#include <string>

#include <sys/types.h>

#include "leftfold/env/network.hpp"

#include "event_loop.hpp"
#include "file_descriptor.hpp"

namespace leftfold {

// Replies are whole when they are written, so waiting for more to fill a segment only costs time.
void send_without_delay(int fd) noexcept;

class RealListener final : public Listener, private EventSource {
  public:
    static Result<std::unique_ptr<RealListener>> open(EventLoop& loop, const Endpoint& endpoint,
                                                      Network::Accept accept);
    ~RealListener() override;

    const Endpoint& endpoint() const noexcept override { return endpoint_; }

  private:
    RealListener(EventLoop& loop, FileDescriptor fd, Endpoint endpoint, Network::Accept accept);

    void on_events(std::uint32_t events) override;
    // False if there is nothing to accept now.
    bool accept_one();
    void pause_accepting();

    EventLoop& loop_;
    FileDescriptor fd_;
    Endpoint endpoint_;
    Network::Accept accept_;
    bool* destroyed_ = nullptr;  // of the callback that is running
    TimerId resume_timer_;
    // Of the Unix socket's file, so that one which another process put in its place is left alone.
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

}  // namespace leftfold
