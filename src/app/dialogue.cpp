#include "dialogue.hpp"

namespace leftfold {

namespace {
constexpr std::chrono::seconds kAnswerTimeout{30};
}

Result<std::unique_ptr<Dialogue>> Dialogue::open(const ApplicationParts& parts, const std::string& directory,
                                                 HostRole role) {
    auto dialogue = std::make_unique<Dialogue>();
    LEFTFOLD_TRY(session, OwnerSession::open(dialogue->real_, parts.name, parts.services, directory,
                                             OwnerSession::AtOwnersEnd::fail, role));
    dialogue->session_ = std::move(session);
    dialogue->real_.on_termination_signal([raw = dialogue.get()](int) {
        raw->is_interrupted_ = true;
        raw->real_.stop();
    });
    return dialogue;
}

Result<http::ClientResponse> Dialogue::ask(std::string target) {
    return wait_for(
        [&](OwnerSession::Answer answer) { session_->ask(std::move(target), kAnswerTimeout, std::move(answer)); });
}

Result<http::ClientResponse> Dialogue::order(std::string target, Duration timeout) {
    return wait_for(
        [&](OwnerSession::Answer answer) { session_->order(std::move(target), timeout, std::move(answer)); });
}

bool Dialogue::pause(Duration duration) {
    const TimerId timer = real_.env().scheduler.call_after(duration, [this] { real_.stop(); });
    if (!is_interrupted_)
        real_.run();
    real_.env().scheduler.cancel(timer);
    return !is_interrupted_;
}

template <class Send>
Result<http::ClientResponse> Dialogue::wait_for(const Send& send) {
    std::optional<Result<http::ClientResponse>> answer;
    send([&](Result<http::ClientResponse> response) {
        answer = std::move(response);
        real_.stop();
    });
    while (!answer && !is_interrupted_)
        real_.run();
    if (!answer)
        return fail(ErrorCode::cancelled, "interrupted; what was asked for goes on in a running server");
    return std::move(*answer);
}

}  // namespace leftfold
