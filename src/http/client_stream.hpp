// ClientStream::Impl: one request whose answer is handed on as it comes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "leftfold/env/env.hpp"
#include "leftfold/env/owned_timer.hpp"
#include "leftfold/http/client.hpp"

#include "response_parser.hpp"

namespace leftfold::http {

class ClientStream::Impl final : private StreamHandler {
  public:
    Impl(const Env& env, Endpoint endpoint, const CodecLimits& limits, ClientStreamHandler& handler);

    // One of both, once.
    void start(std::string request_bytes, const ClientRequest& request);
    void refuse(Error error);

    void pause();
    void resume();

  private:
    void connected(Result<std::unique_ptr<Stream>> stream);
    void on_data(ByteSpan bytes) override;
    void on_sent() override {}
    void on_end() override;
    void on_failed(Error error) override;

    // False if the handler has destroyed *this.
    bool hand_on();
    void finish(Result<> whole);
    void lose(std::string_view how);
    void time_out();
    void watch_silence();

    Env env_;
    const Endpoint endpoint_;
    const CodecLimits limits_;
    ClientStreamHandler& handler_;
    std::unique_ptr<Stream> stream_;
    ResponseParser parser_;
    std::string request_;
    Duration silence_timeout_{};
    MonotonicTime heard_at_{};
    OwnedTimer timer_;  // until the head is there its deadline, then the silence
    bool head_told_ = false;
    bool paused_ = false;
    // A connect, or the step of a refusal, may come after *this has gone.
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace leftfold::http
