// RealStream: a connected socket on an EventLoop.
#pragma once

#include <string>
#include <vector>

#include "leftfold/env/network.hpp"

#include "event_loop.hpp"
#include "file_descriptor.hpp"

namespace leftfold {

class RealStream final : public Stream, private EventSource {
  public:
    // `fd` is connected and does not block.
    RealStream(EventLoop& loop, FileDescriptor fd, Endpoint peer);
    ~RealStream() override;

    void start(StreamHandler& handler) override;
    void send(std::string bytes) override;
    std::size_t unsent_bytes() const noexcept override { return unsent_bytes_; }
    void pause_reading() override { paused_ = true; }
    void resume_reading() override;
    void finish_sending() override;
    void close() override;
    const Endpoint& peer() const noexcept override { return peer_; }

  private:
    void on_events(std::uint32_t events) override;
    void on_turn_end() override;

    // These four make callbacks, in which the owner may destroy *this: they return false if nothing of it may be
    // touched any more, because it is destroyed, closed or failed.
    bool read();
    bool flush();
    bool fail_with(Error error);
    template <class Callback>
    bool tell(Callback callback);

    bool wants_data() const noexcept { return readable_ && !paused_ && !ended_; }
    bool write_some();
    void drop_sent(std::size_t count);
    void watch_for_space();

    EventLoop& loop_;
    FileDescriptor fd_;
    StreamHandler* handler_ = nullptr;
    bool* destroyed_ = nullptr;  // of the callback that is running

    std::vector<std::string> queue_;
    std::size_t queue_index_ = 0;   // of the first string with unsent bytes
    std::size_t front_offset_ = 0;  // of the first unsent byte in it
    std::size_t unsent_bytes_ = 0;

    // The descriptor is edge-triggered, so what it said last is remembered here.
    bool readable_ = false;
    bool hung_up_ = false;  // an end or an error waits behind the bytes
    bool no_space_ = false;
    bool watches_space_ = false;

    bool paused_ = false;
    bool ended_ = false;
    bool finishing_ = false;
    int start_error_ = 0;
    Endpoint peer_;
};

}  // namespace leftfold
