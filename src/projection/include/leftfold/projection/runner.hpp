// ProjectionRunner: keeps the rows of one projection up with the log, on one shard. It owns their generations: the live
// one, which is served, the one before it, and one that is being built.
//
// Batches of durable events are read on the shard's thread, a little in each of its turns, and folded on a worker: one
// transaction for a batch, with the positions that it ends at. A restart goes on from there, and folds again what a
// crash took. While live, what has come since the last commit is one batch.
//
// An event that makes the fold fail stops the projection before it, for all to see, until retry() or skip(). A store
// that fails is tried again, ever more slowly. A store that is damaged, of another log, or ahead of this one (which was
// restored, then) is thrown away, and the rows are built anew; until then there is nothing to serve.
//
// A build reads the log from its beginning into a new generation, up to where the live one is. Then the live one is
// held still, the two are compared at the same positions, and the new one takes its place: rows never seem to go back.
// The generation before stays, for switch_back().
//
// Another shape or version of the projection is built anew at the start. The old rows cannot be folded on by new code:
// where the tables are the same they are served as they are, marked stale, so that plain queries go on and those that
// name a later position wait; where they differ this program cannot read them, and nothing is served.
//
// Thread rule: everything on the thread of the shard's scheduler; callbacks are later steps of it. `open_store` and the
// fold are called on workers.
// Life cycle: start(), then stop() and wait for it, before the log is stopped. After a crash in a test: just destroy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "leftfold/env/env.hpp"
#include "leftfold/log/event_log.hpp"
#include "leftfold/log/position_token.hpp"
#include "leftfold/projection/model.hpp"
#include "leftfold/projection/status.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold {

// Opens the store in this file, making it where it is missing. Called on any worker's thread, also on two at once, but
// not twice for the same path. `corrupt` or `unsupported`: there is something else, or it is damaged.
using StoreFactory =
    std::function<Result<std::unique_ptr<rows::RowStore>>(const std::string& path, const rows::Schema& schema)>;

enum class SwitchPolicy : std::uint8_t {
    automatic,
    on_word,  // a build that has something to replace waits for switch_to()
};

struct ProjectionRunnerOptions {
    std::string folder = {};  // of this projection alone: "<data>/projections/balances"
    StoreFactory open_store = {};
    SwitchPolicy switch_policy = SwitchPolicy::automatic;
    // A copy made by export_to(): the first build begins with it, if its shape and log are the same. Empty: none.
    std::string start_from = {};

    std::size_t batch_bytes_max = 4U << 20U;                // of events, in memory; two batches may be there at once
    std::size_t turn_bytes_max = 256U << 10U;               // read in one turn of the shard
    std::size_t waiters_max = 10'000;                       // queries that wait for positions: then `unavailable`
    std::uint64_t difference_rows_max = 1'000'000;          // compared one by one; beyond it only counts are
    std::size_t difference_sample_max = 20;                 // rows shown of each table
    Duration retry_first = std::chrono::milliseconds(100);  // after a failure of the disk; doubles
    Duration retry_max = std::chrono::seconds(30);
};

using OperatorDone = std::move_only_function<void(Result<>)>;
using ReachedDone = std::move_only_function<void(Result<>)>;

class ProjectionRunner {
  public:
    // Env, log and model are borrowed.
    ProjectionRunner(const Env& env, log::EventLog& log, const ProjectionModel& model, ProjectionRunnerOptions options);
    ~ProjectionRunner();
    ProjectionRunner(const ProjectionRunner&) = delete;
    ProjectionRunner& operator=(const ProjectionRunner&) = delete;

    // invalid_argument: the log has no such topic. All that fails later is in status() and tried again.
    Result<> start();
    // Waits for what is under way, closes the stores, tells all that wait (`unavailable`, `cancelled`), then `stopped`.
    void stop(Step stopped);

    const ProjectionModel& model() const noexcept;
    // The rows that are served, for use within this turn: a switch brings others. nullptr: none, see not_served().
    rows::RowReader* reader() noexcept;
    // Why there is no reader, with the progress; `unavailable`.
    Error not_served() const;
    // A read of reader() failed: `corrupt` makes it throw the rows away and build anew.
    void read_failed(const Error& error);

    // Whether the rows served hold all that the token names of the topics followed. false: wait_for(). conflict: the
    // token is of another log, or names positions that this one does not have. Allocates nothing.
    Result<bool> has_reached(const log::PositionToken& token);
    // Answers when has_reached() does; unavailable, to be tried again: not within this time, or too many wait.
    void wait_for(const log::PositionToken& token, Duration at_most, ReachedDone done);

    ProjectionStatus status() const;
    const ProjectionStatistics& statistics() const noexcept;
    // Called after each change of state or generation; an app logs it. Once, before start().
    void on_change(std::move_only_function<void()> changed);

    // An operator's words. Answers: conflict: not now, and why; cancelled: stopped before.
    //
    // Tries the event again at which a generation has stopped, the served or the built one.
    Result<> retry();
    // Moves past that event, for good: it is recorded in the store. A later build that fails at it passes it as well.
    void skip(const EventPlace& place, OperatorDone done);
    // Builds a new generation beside the live one, from the log or from a copy; `done` when that has begun.
    void rebuild(OperatorDone done, std::string from_copy = {});
    // Drops the one that is being built.
    void cancel_build(OperatorDone done);
    // Switches to the one that is being built, when it is ready; `done` when that is done.
    void switch_to(Generation generation, OperatorDone done);
    // The one before catches up and takes the place of the live one, which then is the one before.
    void switch_back(OperatorDone done);
    // Copies the live rows as they are now to a file, which must not exist. Folding waits meanwhile.
    void export_to(std::string path, OperatorDone done);

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;  // its steps know by it whether they come too late
};

}  // namespace leftfold
