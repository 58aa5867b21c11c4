// Tests of a reaction, under any test framework, without a network and without waiting:
//
//   given<NotifyOwner>(bank::Withdrawn{Money("7.00")}).answered(503).react().then_retries();
//
//   const Reaction reaction = given<NotifyOwner>(bank::Withdrawn{Money("7.00")}).of_key("acc-1").react();
//   reaction.then_done();
//   reaction.calls().at(0).url …
//
// The event goes through its JSON as it does in production. Calls are answered with 200 and "{}", or as told, in order.
// Time is simulated: a sleep costs nothing. What is not as expected throws ScenarioFailed, which every framework
// reports.
#pragma once

#include <concepts>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/event/scenario_failed.hpp"
#include "leftfold/reaction/typed_reaction.hpp"

namespace leftfold {

namespace reaction {

struct ScenarioEvent {
    std::string type;
    std::uint32_t type_version = 1;
    std::string payload;
    std::string key = "key-1";
    std::int64_t version = 1;
    std::string traceparent = {};
    Timestamp time = timestamp_from_micros(1'704'067'200'000'000);  // 2024-01-01T00:00:00Z
};

// One attempt, and what came of it.
class Reaction {
  public:
    Reaction(ReactionResult result, bool has_thrown, std::vector<HttpCall> calls, Duration took) noexcept
        : result_(std::move(result)), has_thrown_(has_thrown), calls_(std::move(calls)), took_(took) {}

    const Reaction& then_done() const { return then(ReactionOutcome::done); }
    // Also if it threw.
    const Reaction& then_retries() const { return then(ReactionOutcome::retry); }
    const Reaction& then_gives_up() const { return then(ReactionOutcome::give_up); }

    const ReactionResult& result() const noexcept { return result_; }
    bool has_thrown() const noexcept { return has_thrown_; }
    // With the headers that were added: Idempotency-Key, traceparent.
    const std::vector<HttpCall>& calls() const noexcept { return calls_; }
    Duration took() const noexcept { return took_; }  // in simulated time

  private:
    const Reaction& then(ReactionOutcome expected) const;

    ReactionResult result_;
    bool has_thrown_;
    std::vector<HttpCall> calls_;
    Duration took_;
};

using Answers = std::deque<Result<http::ClientResponse>>;
http::ClientResponse answer(int status, std::string body, std::string_view header_lines);
Reaction attempt(const ReactionModel& model, const ScenarioEvent& event, std::uint32_t number, Answers answers);

template <class R>
class [[nodiscard]] GivenEvent {
  public:
    explicit GivenEvent(ScenarioEvent event) : event_(std::move(event)) {}

    GivenEvent of_key(std::string_view key) && {
        event_.key = key;
        return std::move(*this);
    }
    GivenEvent at(Timestamp time) && {
        event_.time = time;
        return std::move(*this);
    }
    GivenEvent in_trace(std::string_view traceparent) && {
        event_.traceparent = traceparent;
        return std::move(*this);
    }
    GivenEvent on_attempt(std::uint32_t number) && {
        number_ = number;
        return std::move(*this);
    }
    // The first call that is not answered yet. `header_lines`: whole lines, each "Name: value\r\n".
    GivenEvent answered(int status, std::string body = "{}", std::string_view header_lines = {}) && {
        answers_.emplace_back(answer(status, std::move(body), header_lines));
        return std::move(*this);
    }
    GivenEvent unreachable() && {
        answers_.emplace_back(fail(ErrorCode::unavailable, "no connection", Retry::yes));
        return std::move(*this);
    }

    // `reaction`: where it has settings in its fields.
    Reaction react(R reaction = {}) && {
        const auto model = make_typed_reaction<R>("test", "reaction", std::move(reaction));
        return attempt(*model, event_, number_, std::move(answers_));
    }

  private:
    ScenarioEvent event_;
    std::uint32_t number_ = 1;
    Answers answers_;
};

template <class E, class Stream>
inline constexpr bool kIsOf = false;
template <class E, class Stream>
    requires requires { typename Stream::Event; }
inline constexpr bool kIsOf<E, Stream> = []<class... A>(std::type_identity<std::variant<A...>>) {
    return (std::same_as<E, A> || ...);
}(std::type_identity<typename Stream::Event>());

template <class E, class... S>
std::string stored_type(std::type_identity<ReadsFrom<S...>>) {
    std::string_view aggregate;
    ((aggregate = kIsOf<E, S> ? std::string_view(S::aggregate) : aggregate), ...);
    return topic_name("test", aggregate) + "." + std::string(event_name<E>());
}

}  // namespace reaction

using reaction::Reaction;

// The event to react to.
template <class R, class E>
    requires reaction::NamesStreams<R> && reaction::kReacts<R, E>
reaction::GivenEvent<R> given(const E& event) {
    return reaction::GivenEvent<R>({.type = reaction::stored_type<E>(std::type_identity<typename R::Events>()),
                                    .type_version = event_version<E>(),
                                    .payload = json::to_string(event)});
}

}  // namespace leftfold
