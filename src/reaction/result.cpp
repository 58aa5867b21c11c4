#include "leftfold/reaction/result.hpp"

#include <charconv>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace leftfold {

namespace {

constexpr std::size_t kBodyShown = 200;
constexpr std::int64_t kRetryAfterMax = 24 * 3600;

// The form in seconds (RFC 9110 §10.2.3); a date is as good as none.
Duration retry_after(const http::ClientResponse& response) {
    const auto value = response.header("Retry-After");
    std::int64_t seconds = 0;
    if (!value)
        return {};
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), seconds);
    if (error != std::errc() || end != value->data() + value->size() || seconds < 0)
        return {};
    return std::chrono::seconds(std::min(seconds, kRetryAfterMax));
}

bool is_worth_a_retry(int status) noexcept {
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

std::string told(const http::ClientResponse& response) {
    const std::string_view body = std::string_view(response.body).substr(0, kBodyShown);
    return body.empty() ? fmt::format("the answer was {}", response.status)
                        : fmt::format("the answer was {}: {}", response.status, body);
}

}  // namespace

ReactionResult ReactionResult::of(const Result<http::ClientResponse>& answer) {
    if (!answer) {
        const ErrorCode code = answer.error().code();
        const bool stays = code == ErrorCode::invalid_argument || code == ErrorCode::unsupported;
        return stays ? give_up(answer.error().message()) : retry(answer.error().message());
    }
    if (answer->status >= 200 && answer->status < 300)
        return done();
    return is_worth_a_retry(answer->status) ? retry(told(*answer), retry_after(*answer)) : give_up(told(*answer));
}

}  // namespace leftfold
