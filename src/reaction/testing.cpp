#include "leftfold/reaction/testing.hpp"

#include <functional>
#include <map>
#include <optional>

#include <fmt/format.h>

namespace leftfold::reaction {

namespace {

// More than a reaction does, unless it never ends.
constexpr std::size_t kStepsMax = 1'000'000;

// A loop in simulated time: when nothing is ready, time jumps to the next timer.
class ScenarioLoop final : public Scheduler, public Clock {
  public:
    explicit ScenarioLoop(Timestamp start) noexcept : start_(start) {}

    void post(Step step) override { steps_.emplace(std::pair(now_, ++count_), std::move(step)); }
    void post_when_idle(Step step, Duration at_most) override { call_after(at_most, std::move(step)); }
    TimerId call_after(Duration delay, Step step) override {
        const auto place = std::pair(now_ + std::max(delay, Duration(0)), ++count_);
        timers_.emplace(count_, place.first);
        steps_.emplace(place, std::move(step));
        return TimerId(count_);
    }
    void cancel(TimerId timer) override {
        if (const auto found = timers_.find(timer.value()); found != timers_.end())
            steps_.erase({found->second, timer.value()});
    }
    Timestamp now() const noexcept override {
        return start_ + std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch());
    }
    MonotonicTime monotonic() const noexcept override { return now_; }

    // Until that holds, or nothing is left to do, or it takes for ever.
    void run_until(const std::function<bool()>& done) {
        for (std::size_t ran = 0; !done() && ran < kStepsMax && step(); ++ran) {
        }
    }

  private:
    bool step() {
        if (steps_.empty())
            return false;
        auto node = steps_.extract(steps_.begin());
        now_ = node.key().first;
        node.mapped()();
        return true;
    }

    Timestamp start_;
    MonotonicTime now_{};
    std::map<std::pair<MonotonicTime, std::uint64_t>, Step> steps_;
    std::map<std::uint64_t, MonotonicTime> timers_;
    std::uint64_t count_ = 0;
};

class ScenarioCaller final : public HttpCaller {
  public:
    ScenarioCaller(Scheduler& scheduler, Answers answers) noexcept
        : scheduler_(scheduler), answers_(std::move(answers)) {}

    void call(HttpCall call, Answered answered) override {
        calls.push_back(std::move(call));
        Result<http::ClientResponse> next = answer(200, "{}", {});
        if (!answers_.empty()) {
            next = std::move(answers_.front());
            answers_.pop_front();
        }
        scheduler_.post(
            [answered = std::move(answered), next = std::move(next)]() mutable { answered(std::move(next)); });
    }

    std::vector<HttpCall> calls;

  private:
    Scheduler& scheduler_;
    Answers answers_;
};

struct Ended {
    std::optional<ReactionResult> result;
    bool has_thrown = false;
};

Task<> run(const ReactionModel* model, std::shared_ptr<const StoredEvent> event, ReactionContext context,
           Ended* ended) {
    try {
        ReactionResult result = co_await model->react(std::move(event), std::move(context));
        ended->result = std::move(result);
    } catch (const std::exception& error) {
        ended->has_thrown = true;
        ended->result = ReactionResult::retry(fmt::format("on() threw: {}", error.what()));
    } catch (...) {
        ended->has_thrown = true;
        ended->result = ReactionResult::retry("on() threw something that is no std::exception");
    }
}

std::string_view name_of(ReactionOutcome outcome) noexcept {
    switch (outcome) {
        case ReactionOutcome::done:
            return "done";
        case ReactionOutcome::retry:
            return "retry";
        case ReactionOutcome::give_up:
            return "give_up";
    }
    return "?";
}

}  // namespace

http::ClientResponse answer(int status, std::string body, std::string_view header_lines) {
    http::ClientResponse response;
    response.status = status;
    response.head = fmt::format("HTTP/1.1 {} {}\r\n{}\r\n", status, http::reason_phrase(status), header_lines);
    response.body = std::move(body);
    return response;
}

Reaction attempt(const ReactionModel& model, const ScenarioEvent& event, std::uint32_t number, Answers answers) {
    Record record;
    record.meta.id = Uuid::v7(event.time, 1, 1);
    record.meta.type = event.type;
    record.meta.type_version = event.type_version;
    record.meta.key = event.key;
    record.meta.version = Version(event.version);
    record.meta.time = event.time;
    record.meta.recorded_at = event.time;
    record.meta.traceparent = event.traceparent;
    record.payload = event.payload;

    ScenarioLoop loop(event.time);
    ScenarioCaller caller(loop, std::move(answers));
    Ended ended;
    TaskScope scope(loop);
    const auto stored = std::make_shared<const StoredEvent>(record);
    scope.spawn(run(&model, stored, ReactionContext(stored, number, caller, loop, loop), &ended));
    loop.run_until([&] { return ended.result.has_value(); });
    const Duration took = loop.monotonic().time_since_epoch();
    const bool is_stuck = !ended.result;
    bool is_stopped = false;
    scope.stop([&] { is_stopped = true; });
    loop.run_until([&] { return is_stopped; });
    LEFTFOLD_ASSERT(is_stopped);
    if (is_stuck)
        throw ScenarioFailed("the reaction waits for something that never comes");
    return Reaction(*std::move(ended.result), ended.has_thrown, std::move(caller.calls), took);
}

const Reaction& Reaction::then(ReactionOutcome expected) const {
    if (result_.outcome() == expected)
        return *this;
    std::string told = fmt::format("expected {}, and it was {}", name_of(expected), name_of(result_.outcome()));
    if (!result_.error().empty())
        told += fmt::format(" ({})", result_.error());
    for (const HttpCall& call : calls_)
        told += fmt::format("\n  called {} {} {}", to_string(call.method), call.url, call.body);
    throw ScenarioFailed(told);
}

}  // namespace leftfold::reaction
