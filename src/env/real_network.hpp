// RealNetwork: TCP and Unix sockets on an EventLoop.
#pragma once

#include <memory>

#include "leftfold/env/network.hpp"

#include "event_loop.hpp"

namespace leftfold {

class RealNetwork final : public Network {
  public:
    explicit RealNetwork(EventLoop& loop) : loop_(loop) {}

    Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, Accept accept) override;
    void connect(const Endpoint& endpoint, Connected connected) override;

  private:
    EventLoop& loop_;
};

}  // namespace leftfold
