#include "leftfold/base/assert.hpp"
#include "leftfold/http/server.hpp"

#include "fault.hpp"
#include "server_codec.hpp"

namespace leftfold::http {

namespace {

class FunctionSink final : public ReplySink {
  public:
    explicit FunctionSink(std::move_only_function<void(Response)> receive) : receive_(std::move(receive)) {}

    void retain() noexcept override { ++references_; }
    void release() noexcept override {
        if (--references_ == 0)
            delete this;
    }
    void reply(std::uint64_t, Response response) override { receive_(std::move(response)); }

  private:
    ~FunctionSink() = default;

    std::move_only_function<void(Response)> receive_;
    std::uint32_t references_ = 0;
};

}  // namespace

Responder Responder::to(std::move_only_function<void(Response)> receive) {
    return Responder(*new FunctionSink(std::move(receive)), 0);
}

Responder::~Responder() {
    if (sink_ != nullptr)
        send(fault_response(Fault::handler_failed, {}));
}

void Responder::send(Response response) {
    LEFTFOLD_ASSERT(sink_ != nullptr);  // answered once already
    ReplySink& sink = *std::exchange(sink_, nullptr);
    sink.reply(ticket_, std::move(response));
    sink.release();
}

}  // namespace leftfold::http
