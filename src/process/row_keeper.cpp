#include "row_keeper.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold::process {

RowKeeper::RowKeeper(const Env& env, log::EventLog& log, const DispatchProjection& projection, TopicId topic,
                     const ProcessOptions& options, ProcessStatistics& statistics, std::function<void()> changed)
    : env_(env),
      log_(log),
      projection_(projection),
      topic_(topic),
      options_(options),
      statistics_(statistics),
      changed_(std::move(changed)),
      folded_(log.topics()[topic.value()].partition_count),
      catch_up_to_(folded_.size()),
      retry_(env,
             [this] {
                 is_waiting_ = false;
                 if (rows_ == nullptr || must_discard_)
                     open(must_discard_);
                 else
                     go_on();
             }),
      positions_(env,
                 [this] {
                     are_positions_due_ = true;
                     go_on();
                 }),
      worker_(env.workers.start("process rows", env.scheduler)) {}

RowKeeper::~RowKeeper() {
    if (watch_)
        log_.unwatch(*watch_);
}

log::Slot RowKeeper::slot(std::size_t partition) const noexcept {
    return {topic_, PartitionId(static_cast<std::uint32_t>(partition))};
}

void RowKeeper::start() {
    watch_ = log_.watch([this, alive = std::weak_ptr(alive_)](log::Slot moved, Position) {
        if (!alive.expired() && moved.topic == topic_)
            go_on();
    });
    open(false);
}

void RowKeeper::stop(Step stopped) {
    LEFTFOLD_ASSERT(!stopped_);
    stopped_ = std::move(stopped);
    if (watch_)
        log_.unwatch(*std::exchange(watch_, std::nullopt));
    if (!is_busy_)
        close();
}

void RowKeeper::submit(Job job, Step done) {
    LEFTFOLD_ASSERT(!is_busy_);
    is_busy_ = true;
    worker_->submit(std::move(job), [this, alive = std::weak_ptr(alive_), done = std::move(done)]() mutable {
        if (alive.expired())
            return;
        is_busy_ = false;
        done();
    });
}

// ---------------------------------------------------------------------------------------------------------------------
// Opening and closing

void RowKeeper::open(bool discard) {
    is_caught_up_ = false;
    must_discard_ = discard;
    RowsIdentity identity{.log = log_.incarnation().to_string(), .ends = {}};
    for (std::size_t i = 0; i < folded_.size(); ++i) {
        const auto bounds = log_.bounds(slot(i));
        if (!bounds) {
            failed(bounds.error());
            return;
        }
        catch_up_to_[i] = bounds->durable_end;
        identity.ends.push_back({projection_.topics().front(), slot(i).partition, bounds->durable_end});
    }
    struct Opening {
        RowsIdentity identity;
        std::unique_ptr<OpenedRows> before;
        Result<std::unique_ptr<OpenedRows>> rows;
    };
    auto opening = std::make_shared<Opening>(Opening{std::move(identity), std::move(rows_), nullptr});
    submit(
        [this, opening, discard] {
            opening->before.reset();
            opening->rows = open_rows(env_.files, options_, projection_, opening->identity, discard);
        },
        [this, opening] { opened(std::move(opening->rows)); });
}

void RowKeeper::opened(Result<std::unique_ptr<OpenedRows>> opened) {
    if (!opened) {
        if (stopped_)
            close();
        else
            failed(std::move(opened).error().with_context("opening the rows of process " + projection_.name()));
        return;
    }
    rows_ = *std::move(opened);
    must_discard_ = false;
    failures_ = 0;
    trouble_.clear();
    if (rows_->was_thrown_away)
        ++statistics_.rebuilds;
    // What this life has taken since is still true.
    if (rows_->is_new)
        unwritten_ = taken_;
    std::ranges::fill(folded_, Position());
    for (const rows::FoldedPosition& position : rows_->positions) {
        if (position.topic != projection_.topics().front())
            taken_.emplace(std::pair(position.topic, position.partition), position.position);
        else if (position.partition.value() < folded_.size())
            folded_[position.partition.value()] = position.position;
    }
    if (stopped_)
        close();
    else
        go_on();
}

void RowKeeper::close() {
    positions_.cancel();
    retry_.cancel();
    if (rows_ == nullptr) {
        env_.scheduler.post(std::move(stopped_));
        return;
    }
    auto closing = std::make_shared<std::pair<std::unique_ptr<OpenedRows>, RowBatch>>(std::move(rows_), RowBatch());
    for (const auto& [place, position] : std::exchange(unwritten_, {}))
        closing->second.positions.push_back({place.first, place.second, position});
    submit(
        [closing] {
            // If these positions are lost, what is behind them comes again, as repeats.
            if (!closing->second.empty())
                static_cast<void>(commit_batch(*closing->first, closing->second));
            closing->first.reset();
        },
        [this] { std::exchange(stopped_, nullptr)(); });
}

// ---------------------------------------------------------------------------------------------------------------------
// Folding

void RowKeeper::go_on() {
    if (is_busy_ || is_waiting_ || is_stuck_ || rows_ == nullptr || stopped_)
        return;
    auto batch = std::make_shared<RowBatch>();
    if (const auto gathered = gather(*batch); !gathered) {
        failed(Error(gathered.error()).with_context("reading the events of process " + projection_.name()));
        return;
    }
    if (!is_caught_up_) {
        is_caught_up_ = std::ranges::equal(folded_, catch_up_to_, std::ranges::greater_equal());
        if (is_caught_up_)
            changed_();
    }
    // changed_() may have found the rows damaged.
    if (batch->empty() || is_busy_)
        return;
    auto result = std::make_shared<BatchResult>();
    submit([this, batch, result] { *result = commit_batch(*rows_, *batch); },
           [this, batch, result] { committed(*batch, *result); });
}

Result<bool> RowKeeper::gather(RowBatch& batch) {
    std::size_t bytes = options_.batch_bytes_max;
    // In turns, so that a busy partition does not hold back the others.
    first_ = (first_ + 1) % folded_.size();
    for (std::size_t n = 0; n < folded_.size() && bytes > 0; ++n) {
        const std::size_t i = (first_ + n) % folded_.size();
        LEFTFOLD_TRY(bounds, log_.bounds(slot(i)));
        if (folded_[i] >= bounds.durable_end)
            continue;
        LEFTFOLD_TRY(events, log_.read(slot(i), folded_[i], bytes));
        if (events.next() <= folded_[i])
            continue;
        for (const Record& record : events.records())
            bytes -= std::min(bytes, record.payload.size() + record.meta.key.size());
        batch.positions.push_back({projection_.topics().front(), slot(i).partition, events.next()});
        batch.events.push_back(std::move(events));
    }
    if (unwritten_.empty())
        return true;
    if (batch.events.empty() && !are_positions_due_) {
        positions_.after(options_.positions_every);
        return true;
    }
    for (const auto& [place, position] : unwritten_)
        batch.positions.push_back({place.first, place.second, position});
    are_positions_due_ = false;
    return true;
}

void RowKeeper::committed(RowBatch& batch, const BatchResult& result) {
    if (!result.result) {
        const Error& error = result.result.error();
        if (stopped_) {
            close();
        } else if (result.is_event) {
            is_stuck_ = true;
            trouble_ = error.message();
        } else {
            must_discard_ = must_discard_ || error.code() == ErrorCode::corrupt;
            failed(Error(error).with_context("writing the rows of process " + projection_.name()));
        }
        return;
    }
    ++statistics_.commits;
    failures_ = 0;
    trouble_.clear();
    for (const rows::FoldedPosition& position : batch.positions) {
        if (position.topic == projection_.topics().front())
            folded_[position.partition.value()] = position.position;
        else if (const auto unwritten = unwritten_.find({position.topic, position.partition});
                 unwritten != unwritten_.end() && unwritten->second == position.position)
            unwritten_.erase(unwritten);
    }
    if (stopped_) {
        close();
        return;
    }
    if (must_discard_) {
        open(true);
        return;
    }
    if (is_caught_up_)
        changed_();
    go_on();
}

void RowKeeper::failed(const Error& error) {
    trouble_ = error.message();
    ++statistics_.failures;
    is_waiting_ = true;
    retry_.after(Backoff{options_.retry_first, options_.retry_max}.after(++failures_));
}

void RowKeeper::read_failed(const Error& error) {
    if (rows_ == nullptr || stopped_)
        return;
    trouble_ = error.message();
    if (error.code() != ErrorCode::corrupt || must_discard_)
        return;
    must_discard_ = true;
    // Not within this call: the caller may still hold the reader.
    if (!is_busy_)
        env_.scheduler.post([this, alive = std::weak_ptr(alive_)] {
            if (!alive.expired() && must_discard_ && !is_busy_ && !stopped_)
                open(true);
        });
}

std::optional<Position> RowKeeper::taken_up_to(const std::string& topic, PartitionId partition) const {
    const auto found = taken_.find({topic, partition});
    return found == taken_.end() ? std::nullopt : std::optional(found->second);
}

void RowKeeper::take_up_to(const std::string& topic, PartitionId partition, Position position) {
    taken_.insert_or_assign({topic, partition}, position);
    unwritten_.insert_or_assign({topic, partition}, position);
    go_on();
}

std::int64_t RowKeeper::lag() const {
    std::int64_t lag = 0;
    for (std::size_t i = 0; i < folded_.size(); ++i)
        if (const auto bounds = log_.bounds(slot(i)))
            lag += bounds->durable_end.value() - folded_[i].value();
    return lag;
}

}  // namespace leftfold::process
