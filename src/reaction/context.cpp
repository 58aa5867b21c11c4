#include "leftfold/reaction/context.hpp"

namespace leftfold {

StoredEvent::StoredEvent(const Record& record) : record_(record) {
    std::string_view* const texts[] = {
        &record_.meta.type,           &record_.meta.key,          &record_.meta.command_id,
        &record_.meta.correlation_id, &record_.meta.causation_id, &record_.meta.traceparent,
        &record_.meta.actor,          &record_.meta.tenant,       &record_.payload};
    std::size_t size = 0;
    for (const std::string_view* text : texts)
        size += text->size();
    buffer_.reserve(size);
    for (std::string_view* text : texts) {
        const std::size_t begin = buffer_.size();
        buffer_.append(*text);
        *text = std::string_view(buffer_.data() + begin, text->size());
    }
}

Task<Result<http::ClientResponse>> ReactionContext::call(HttpCall call) const {
    if (call.idempotency_key.empty())
        call.idempotency_key = idempotency_key();
    call.header("Idempotency-Key", call.idempotency_key);
    if (!meta.traceparent.empty())
        call.header("traceparent", meta.traceparent);
    Completion<http::ClientResponse> answer;
    http.call(std::move(call), [completer = answer.completer()](Result<http::ClientResponse> response) mutable {
        completer.complete(std::move(response));
    });
    Result<http::ClientResponse> result = co_await answer;
    co_return result;
}

}  // namespace leftfold
