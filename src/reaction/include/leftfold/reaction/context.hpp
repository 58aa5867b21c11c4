// ReactionContext: what a reaction knows of its event, and by what it reaches the world. A value, of its own attempt:
// it keeps the event's metadata alive. What it refers to lives as long as the attempt.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "leftfold/env/clock.hpp"
#include "leftfold/env/scheduler.hpp"
#include "leftfold/env/task.hpp"
#include "leftfold/event/record.hpp"
#include "leftfold/reaction/http_calls.hpp"

namespace leftfold {

// A record with its bytes.
class StoredEvent {
  public:
    explicit StoredEvent(const Record& record);
    StoredEvent(const StoredEvent&) = delete;
    StoredEvent& operator=(const StoredEvent&) = delete;

    const Record& record() const noexcept { return record_; }
    std::size_t bytes() const noexcept { return sizeof(StoredEvent) + buffer_.size(); }

  private:
    std::string buffer_;
    Record record_;
};

class ReactionContext {
  public:
    ReactionContext(std::shared_ptr<const StoredEvent> event, std::uint32_t number, HttpCaller& caller,
                    const Clock& time, Scheduler& home) noexcept
        : meta(event->record().meta),
          attempt(number),
          http(caller),
          clock(time),
          scheduler(home),
          event_(std::move(event)) {}

    EventMeta meta;
    std::uint32_t attempt;  // 1, 2, 3 … of this event; from 1 again when an operator says so
    HttpCaller& http;
    const Clock& clock;
    Scheduler& scheduler;

    // For whatever is called: the same at every attempt, in every life.
    std::string idempotency_key() const { return meta.id.to_string(); }

    // Adds the headers Idempotency-Key and, if the event has one, traceparent.
    //
    //   const auto answer = co_await context.call(leftfold::HttpCall::post(url, json));
    //   co_return leftfold::ReactionResult::of(answer);
    Task<Result<http::ClientResponse>> call(HttpCall call) const;

    // co_await context.sleep(1s): a Result<>, which fails only with `cancelled`.
    Sleep sleep(Duration delay) const noexcept { return Sleep(scheduler, delay); }

  private:
    std::shared_ptr<const StoredEvent> event_;
};

}  // namespace leftfold
