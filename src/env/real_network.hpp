// RealNetwork: TCP and Unix sockets on an EventLoop.
#pragma once

#include <memory>
#include <vector>

#include "leftfold/env/network.hpp"

#include "event_loop.hpp"

namespace leftfold {

class RealNetwork final : public Network {
  public:
    explicit RealNetwork(EventLoop& loop);
    // Drops the connections that are being made, without an answer.
    ~RealNetwork() override;

    Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, Accept accept) override;
    void connect(const Endpoint& endpoint, Connected connected) override;

  private:
    class Connecting;

    EventLoop& loop_;
    std::vector<std::unique_ptr<Connecting>> connecting_;
};

}  // namespace leftfold
