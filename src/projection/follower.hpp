// Follower: moves one generation along the log. Reads batches on the shard's thread, has them folded on a worker, and
// learns what is committed.
//
// Partitions are read in turn, a part of each, so that none is left behind. While a batch is being folded the next one
// is read, if there is much to catch up with; else the next one is what has come meanwhile.
//
// Belongs to the shard. `changed` is told, in a step, when anything that the questions below answer has changed.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "leftfold/env/env.hpp"
#include "leftfold/log/event_log.hpp"
#include "leftfold/projection/runner.hpp"

#include "followed_slots.hpp"
#include "generation_rows.hpp"

namespace leftfold {

// Events per second over the last ones.
class RateMeter {
  public:
    void note(MonotonicTime now, std::uint64_t count);
    double per_second(MonotonicTime now) const;

  private:
    static constexpr std::size_t kSamples = 6;
    static constexpr Duration kApart = std::chrono::seconds(1);
    struct Sample {
        MonotonicTime time;
        std::uint64_t count;
    };
    std::deque<Sample> samples_;
    std::uint64_t last_ = 0;
};

// The time before the next attempt: doubles with each that failed.
class BackOff {
  public:
    BackOff(Duration first, Duration max) noexcept : first_(first), max_(max) {}

    Duration failed(const Error& error);
    void succeeded() noexcept { trouble_.reset(); }
    const std::optional<Trouble>& trouble() const noexcept { return trouble_; }

  private:
    Duration first_;
    Duration max_;
    std::optional<Trouble> trouble_;
};

class Follower : public std::enable_shared_from_this<Follower> {
  public:
    struct Options {
        std::size_t batch_bytes_max;
        std::size_t turn_bytes_max;
        Duration retry_first;
        Duration retry_max;
    };
    struct Begin {
        Positions positions;
        std::vector<SkippedEvent> skipped;
    };

    // All but `rows`, which is shared with the jobs, is borrowed.
    Follower(const Env& env, log::EventLog& log, const FollowedSlots& slots, Worker& worker,
             std::shared_ptr<GenerationRows> rows, const Options& options, Begin begin,
             ProjectionStatistics& statistics, std::move_only_function<void()> changed);
    ~Follower();

    // There may be something to read. Also the first thing to say.
    void wake();
    // Nothing at or behind these is read; none: all that is durable.
    void set_limits(std::optional<Positions> limits);

    // Begins no more folding; `still` is a step once none is under way.
    void hold(Step still);
    void release();

    // After fault(): tries that event again.
    void retry();
    // After fault(): moves past it. `overloaded`: too many were.
    void skip(Timestamp now, OperatorDone done);

    const Positions& positions() const noexcept { return positions_; }
    // All up to the limits, or to the durable end as it was at the last look, is committed.
    bool is_at_end() const noexcept { return saw_end_ && !batch_ && next_->pieces.empty(); }
    // Was at the end, and has not fallen behind by a whole batch since.
    bool keeps_up() const noexcept { return keeps_up_; }
    bool is_skipped(const EventPlace& place) const noexcept;
    const std::vector<SkippedEvent>& skipped() const noexcept { return skipped_; }
    const std::optional<EventFault>& fault() const noexcept { return fault_; }
    bool is_skipping() const noexcept { return is_skipping_; }
    const std::optional<Trouble>& trouble() const noexcept { return back_off_.trouble(); }
    // The store has failed for so long that opening it again may help, as after a failed sync.
    bool wants_reopening() const noexcept { return wants_reopening_; }
    // The store is damaged: nothing goes on.
    const std::optional<Error>& damage() const noexcept { return damage_; }
    std::uint64_t folded() const noexcept { return folded_; }
    double rate() const { return rate_.per_second(env_.clock.monotonic()); }

  private:
    bool may_go_on() const noexcept { return !is_held_ && !fault_ && !damage_ && !retry_timer_ && !is_skipping_; }
    bool is_busy() const noexcept { return is_folding_ || is_skipping_; }
    void gather();
    Result<> read_turn();
    // False: there is nothing to read of this partition.
    Result<bool> read_some(std::size_t slot, std::size_t bytes_max);
    void submit();
    void submit_next_if_due();
    void folded(FoldOutcome outcome);
    void committed(FoldOutcome& outcome);
    void skipped_event(std::vector<SkippedEvent>& skipped, Result<> result, OperatorDone done);
    void failed(const Error& error);
    void forget_what_was_read();
    void tell();
    void post(Step step);

    Env env_;
    log::EventLog& log_;
    const FollowedSlots& slots_;
    Worker& worker_;
    std::shared_ptr<GenerationRows> rows_;
    const Options options_;
    ProjectionStatistics& statistics_;
    std::move_only_function<void()> changed_;

    Positions positions_;  // committed
    Positions read_;       // up to here it is in batch_ or next_
    std::optional<Positions> limits_;
    std::size_t cursor_ = 0;            // whose turn it is
    std::shared_ptr<FoldBatch> batch_;  // being folded, or to be folded again
    std::shared_ptr<FoldBatch> next_ = std::make_shared<FoldBatch>();
    bool is_folding_ = false;
    bool is_skipping_ = false;
    bool is_gathering_ = false;  // a step is posted
    bool saw_end_ = false;
    bool has_told_end_ = false;
    bool keeps_up_ = false;

    bool is_held_ = false;
    Step still_;
    std::vector<SkippedEvent> skipped_;
    std::optional<EventFault> fault_;
    std::optional<Error> damage_;
    BackOff back_off_;
    bool wants_reopening_ = false;
    std::optional<TimerId> retry_timer_;
    std::uint64_t folded_ = 0;
    RateMeter rate_;
};

}  // namespace leftfold
