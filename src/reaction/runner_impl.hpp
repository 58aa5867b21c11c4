// The parts of ReactionRunner: life cycle (runner.cpp), reading on and attempts (following.cpp), the store
// (keeping.cpp), operators (operating.cpp).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/reaction/runner.hpp"

#include "alarm.hpp"
#include "attempts.hpp"
#include "followed_slots.hpp"
#include "lanes.hpp"
#include "reaction_rows.hpp"

namespace leftfold {

class ReactionRunner::Impl : public std::enable_shared_from_this<Impl> {
  public:
    Impl(const Env& env, log::EventLog& log, const ReactionModel& model, HttpCaller& http, ReactionOptions options);
    ~Impl();
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    Result<> start();
    void stop(Step stopped);
    ReactionStatus status() const;

    Result<std::vector<DeadLetter>> dead_letters(const DeadLetterPage& page);
    Result<std::vector<DiscardedEvent>> discarded(const DiscardedPage& page);
    Result<DeadLetter> show(const std::string& topic, const std::string& key);
    void retry(const std::string& topic, const std::string& key, Version version, Done done);
    void discard(const std::string& topic, const std::string& key, Version version, const std::string& reason,
                 Done done);

    std::move_only_function<void(const Failure&)> on_failure;
    ReactionStatistics statistics;

  private:
    using Lane = reaction::Lane;
    using SlotIndex = reaction::SlotIndex;

    enum class Phase : std::uint8_t {
        created,
        opening,  // the store is being opened, or will be again
        running,
        reopening,  // waits for the attempts under way, then opening
        stuck,      // until a person acts
        stopping,   // waits for the attempts under way, and the store
        closed,
    };
    // An operator's, in the next transaction.
    struct Decision {
        Lane* lane;  // that goes on when it is durable; nullptr: it goes on already
        Done done;
    };
    struct Pending {
        log::ReadBatch batch;
        std::size_t next = 0;  // the first record that is not routed
    };

    // Life cycle
    void open();
    void opened(Result<std::unique_ptr<reaction::OpenedRows>> opened);
    Result<reaction::RowsIdentity> identity() const;
    void load(reaction::OpenedRows& rows);
    void reopen(const Error& why);
    void go_on_stopping();
    void close();
    void submit(Job job, Step done);
    void post(Step step);
    Result<> check_options() const;

    // Reading on, attempts
    void wake();
    void pump();
    void begin_attempts(MonotonicTime now);
    bool refill(Lane& lane, MonotonicTime now);
    void attempt_ended(reaction::Attempts::Id id, reaction::AttemptEnd end, ReactionResult result);
    void attempt_failed(Lane& lane, const ReactionResult& result);
    Duration back_off(std::uint32_t attempts, Duration at_least);
    void read_on(MonotonicTime now);
    Result<bool> read_some(SlotIndex slot);
    Result<> route(SlotIndex slot, const Record& record);
    void let_pass(SlotIndex slot, MonotonicTime now);

    // The store
    void commit();
    void committed(reaction::Lanes::Changes& changes, const reaction::CommitResult& result);
    void commit_failed(reaction::Lanes::Changes& changes, const reaction::CommitResult& result);
    void answer(std::vector<Decision> decisions, const Result<>& result);
    Result<> check_open() const;
    Result<Lane*> find_dead(const std::string& topic, const std::string& key, Version version);

    Env env_;
    log::EventLog& log_;
    const ReactionModel& model_;
    const ReactionOptions options_;
    reaction::FollowedSlots slots_;

    Phase phase_ = Phase::created;
    std::unique_ptr<reaction::OpenedRows> rows_;
    std::unique_ptr<reaction::Lanes> lanes_;
    std::vector<Pending> pending_;   // by slot
    std::vector<Position> written_;  // by slot: in the store
    std::map<reaction::Attempts::Id, Lane*> running_;
    std::vector<Decision> decisions_;  // for the next transaction
    std::vector<Decision> decisions_under_way_;
    bool is_busy_ = false;     // a job is under way
    bool is_pumping_ = false;  // a step is posted
    std::uint32_t store_failures_ = 0;
    std::string store_trouble_;
    std::string log_trouble_;
    MonotonicTime log_trouble_until_{};  // a key's events could not be read: shown at least so long
    std::string last_error_;
    Step stopped_;
    std::optional<log::EventLog::WatchId> watch_;
    reaction::Alarm pump_;       // the next retry
    reaction::Alarm commit_;     // changes are gathered
    reaction::Alarm store_;      // the store is tried again
    reaction::Alarm log_retry_;  // the log is read again
    reaction::Alarm grace_;
    std::unique_ptr<Worker> worker_;  // its jobs use the rows
    reaction::Attempts attempts_;     // last: its end may look at all of this
};

}  // namespace leftfold
