#include "leftfold/http/responder.hpp"

#include "leftfold/base/assert.hpp"

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

    bool begin_body(std::uint64_t, Response head, BodyHandler&) override {
        begun_ = std::move(head);
        return true;
    }
    void write_body(std::uint64_t, std::string_view piece) override { begun_.body += piece; }
    void end_body(std::uint64_t, bool is_whole) override {
        receive_(is_whole ? std::move(begun_) : fault_response(Fault::handler_failed, {}));
    }
    std::size_t unsent_body_bytes(std::uint64_t) const noexcept override { return 0; }
    bool has_body_room(std::uint64_t) noexcept override { return true; }

  private:
    ~FunctionSink() = default;

    std::move_only_function<void(Response)> receive_;
    Response begun_;
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

BodyWriter Responder::begin(Response head, BodyHandler& handler) {
    LEFTFOLD_ASSERT(sink_ != nullptr);  // answered once already
    ReplySink& sink = *std::exchange(sink_, nullptr);
    BodyWriter writer;
    if (sink.begin_body(ticket_, std::move(head), handler))
        writer = BodyWriter(sink, ticket_);
    sink.release();
    return writer;
}

BodyWriter::~BodyWriter() {
    if (sink_ == nullptr)
        return;
    sink_->end_body(ticket_, false);
    sink_->release();
}

void BodyWriter::write(std::string_view piece) {
    if (sink_ != nullptr)
        sink_->write_body(ticket_, piece);
}

std::size_t BodyWriter::unsent_bytes() const noexcept {
    return sink_ == nullptr ? 0 : sink_->unsent_body_bytes(ticket_);
}

bool BodyWriter::has_room() noexcept {
    return sink_ == nullptr || sink_->has_body_room(ticket_);
}

void BodyWriter::finish() {
    if (sink_ == nullptr)
        return;
    ReplySink& sink = *std::exchange(sink_, nullptr);
    sink.end_body(ticket_, true);
    sink.release();
}

}  // namespace leftfold::http
