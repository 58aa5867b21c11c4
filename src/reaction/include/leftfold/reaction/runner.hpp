// ReactionRunner: has one reaction react to every durable event of its streams, at least once, on one shard.
//
// An event of a key begins only after the one before it has ended: done, or discarded by an operator. Events of
// different keys are under way side by side. What fails is tried again with exponential back-off; after its last
// attempt, or when the reaction gives up, an event is a dead letter: it holds back the later events of its key, and of
// no other, until an operator retries or discards it.
//
// In the store are the positions up to which all is done or kept, and a row for each key that is kept: one that failed,
// is dead, is slow, or has many events waiting. Rows and positions are one transaction. A crash repeats what was done
// since the last one; it skips nothing and changes no order. This store is no fold over the log: deleted, the reaction
// begins anew.
//
// In memory are a window of events for each partition and the keys that wait for an attempt, both bounded: at a bound
// it stops reading. Dead letters and what they hold back are in the store only.
//
// Thread rule: everything on the thread of the shard's scheduler; callbacks are later steps of it. `open_store` is
// called on a worker. Life cycle: start(), then stop() and wait for it, before the log is stopped. Destroyed without a
// stop, as after a crash in a test, it cancels the attempts under way and runs them to their ends within the
// destructor.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/env/env.hpp"
#include "leftfold/log/event_log.hpp"
#include "leftfold/reaction/model.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold {

// Where a reaction begins that was never started before.
enum class StartAt : std::uint8_t { beginning, now };

struct ReactionOptions {
    std::string folder = {};  // of this reaction alone: "<data>/reactions/notify-owner"
    // Opens the store in this file, making it where it is missing.
    std::function<Result<std::unique_ptr<rows::RowStore>>(const std::string& path, const rows::Schema& schema)>
        open_store = {};
    StartAt start_at = StartAt::beginning;

    std::size_t concurrency_max = 16;                // attempts under way
    std::size_t attempts_max = 10;                   // then it is a dead letter
    Duration retry_first = std::chrono::seconds(1);  // doubles; the actual time is between half of it and all
    Duration retry_max = std::chrono::minutes(10);
    Duration attempt_timeout = std::chrono::minutes(5);  // then it is cancelled, and has failed
    Duration stop_grace = std::chrono::seconds(10);      // for attempts under way, then they are cancelled

    std::size_t window_max = 256;                          // events of a partition from the oldest unfinished on
    std::size_t read_ahead_bytes_max = 4U << 20U;          // of all events in memory
    std::size_t waiting_keys_max = 10'000;                 // that are kept and not dead
    std::size_t key_queue_max = 32;                        // events of a key in memory; more are kept
    Duration slow_after = std::chrono::seconds(1);         // an attempt that holds back a full window is kept
    Duration commit_after = std::chrono::milliseconds(5);  // gathers changes
    Duration store_retry_first = std::chrono::milliseconds(100);
    Duration store_retry_max = std::chrono::seconds(30);
};

// An event that has failed for the last time, and what waits behind it.
struct DeadLetter {
    std::string topic;
    std::string key;
    Version version;  // of the event in its stream: read_stream() has it
    std::string event_type;
    std::string event_id;
    std::string error;
    std::uint32_t attempts = 0;
    Timestamp failed_at;
    std::uint64_t held = 0;  // events of the key behind it
};

struct DiscardedEvent {
    std::string topic;
    std::string key;
    Version version;
    std::string event_type;
    std::string event_id;
    std::string error;
    std::uint32_t attempts = 0;
    Timestamp failed_at;
    Timestamp discarded_at;
    std::string reason;
};

// Behind `after`, if given; at most 1,000.
struct DeadLetterPage {
    std::optional<DeadLetter> after = {};
    std::size_t limit = 100;
};
struct DiscardedPage {
    std::optional<DiscardedEvent> after = {};
    std::size_t limit = 100;
};

struct FollowedPosition {
    std::string topic;
    PartitionId partition;
    Position position;     // all before it is done, or kept in the store
    Position durable_end;  // of the log
};

struct ReactionStatus {
    std::string name;
    bool is_running = false;  // the rows are open, and it is not stopping
    std::vector<FollowedPosition> positions = {};
    std::int64_t lag = 0;  // events that are neither done nor kept
    std::size_t in_flight = 0;
    std::uint64_t retrying = 0;  // keys whose event failed and will be tried again
    std::uint64_t dead_letters = 0;
    std::uint64_t held = 0;              // events kept behind another one of their key
    std::string last_error = {};         // of the last attempt that failed
    std::string trouble = {};            // with log or store; empty: all is well
    bool is_stopped_by_trouble = false;  // nothing goes on until a person acts
};

struct ReactionStatistics {
    std::uint64_t attempts = 0;
    std::uint64_t done = 0;
    std::uint64_t failed = 0;  // attempts
    std::uint64_t dead = 0;
    std::uint64_t retried = 0;  // by operators
    std::uint64_t discarded = 0;
    std::uint64_t kept = 0;  // keys whose events went into the store
    std::uint64_t commits = 0;
    std::uint64_t store_failures = 0;
    std::uint64_t reopened = 0;  // the store, after it had failed for a while: as after a crash
};

class ReactionRunner {
  public:
    // All borrowed but the options.
    ReactionRunner(const Env& env, log::EventLog& log, const ReactionModel& model, HttpCaller& http,
                   ReactionOptions options);
    ~ReactionRunner();
    ReactionRunner(const ReactionRunner&) = delete;
    ReactionRunner& operator=(const ReactionRunner&) = delete;

    // An attempt that failed; an event that is a dead letter now. For the app's log. Set before start(). Called within
    // a step of the runner, which it must not destroy.
    struct Failure {
        std::string topic;
        std::string key;
        Version version;
        std::string error;
        std::uint32_t attempts = 0;
        bool is_dead = false;
    };
    void on_failure(std::move_only_function<void(const Failure&)> failed);

    // invalid_argument: the log has no topic that it follows, or an option makes no sense.
    Result<> start();
    // Begins no attempt any more, waits for those under way, writes what is done, then `stopped`. Once.
    void stop(Step stopped);

    // For operators. unavailable: the store is not open.
    ReactionStatus status() const;
    const ReactionStatistics& statistics() const noexcept;

    // Oldest first.
    Result<std::vector<DeadLetter>> dead_letters(const DeadLetterPage& page = {});
    // Of a key there is one at most. not_found.
    Result<DeadLetter> show(const std::string& topic, const std::string& key);

    // Both answer when it is durable. `version` is that of the dead letter as it was seen: not_found or conflict if it
    // is another one by now. After `unavailable` or an error of the disk it may have been done, or not.
    using Done = std::move_only_function<void(Result<>)>;
    // Attempts anew, from the first; once it is done, with those held back.
    void retry(const std::string& topic, const std::string& key, Version version, Done done);
    // It will never be done; those held back go on. invalid_argument: no reason.
    void discard(const std::string& topic, const std::string& key, Version version, const std::string& reason,
                 Done done);
    Result<std::vector<DiscardedEvent>> discarded(const DiscardedPage& page = {});

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;  // its steps know by it whether they come too late
};

}  // namespace leftfold
