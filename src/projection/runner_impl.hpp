// The inside of ProjectionRunner, shared by its sources: runner.cpp (queries, their waits, the stop), reporting.cpp
// (what it tells), operating.cpp (what it is told), control.cpp (the generations: opened, lost, begun) and building.cpp
// (a build, its comparison and the switch).
//
// Folding goes on by itself, in the followers. Everything else is one action at a time on a worker. advance() looks at
// what there is and begins the next one; what happens meanwhile leaves a mark, and is seen when the action has ended.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leftfold/base/assert.hpp"
#include "leftfold/projection/runner.hpp"

#include "comparison.hpp"
#include "followed_slots.hpp"
#include "follower.hpp"
#include "generation_rows.hpp"
#include "generations.hpp"
#include "position_waiters.hpp"

namespace leftfold {

class ProjectionRunner::Impl : public std::enable_shared_from_this<ProjectionRunner::Impl> {
  public:
    Impl(const Env& env, log::EventLog& log, const ProjectionModel& model, ProjectionRunnerOptions options);
    ~Impl();

    Result<> start();
    void stop(Step stopped);

    const ProjectionModel& model() const noexcept { return model_; }
    rows::RowReader* reader() noexcept;
    Error not_served() const;
    void read_failed(const Error& error);
    Result<bool> has_reached(const log::PositionToken& token);
    void wait_for(const log::PositionToken& token, Duration at_most, ReachedDone done);
    ProjectionStatus status() const;
    const ProjectionStatistics& statistics() noexcept;
    void on_change(std::move_only_function<void()> changed) { on_change_ = std::move(changed); }

    Result<> retry();
    void skip(const EventPlace& place, OperatorDone done);
    void rebuild(OperatorDone done, std::string from_copy);
    void cancel_build(OperatorDone done);
    void switch_to(Generation generation, OperatorDone done);
    void switch_back(OperatorDone done);
    void export_to(std::string path, OperatorDone done);

  private:
    using CallId = std::uint64_t;
    using Ids = std::vector<CallId>;

    struct OpenGeneration {
        GenerationEntry entry;
        std::unique_ptr<Worker> worker;
        std::shared_ptr<GenerationRows> rows;
        bool is_open = false;
        Positions positions;                // as it was opened
        std::vector<SkippedEvent> skipped;  // as it was opened
        std::unique_ptr<rows::RowReader> reader;
        std::shared_ptr<Follower> follower;  // none: of another shape, or not open
        std::optional<std::string> lost;     // why it must go
        Ids calls;                           // end with it
    };
    struct ComparisonState {
        std::unique_ptr<rows::RowReader> older;
        std::unique_ptr<Comparison> comparison;  // last: it uses the other
    };
    struct Build : OpenGeneration {
        BuildStage stage = BuildStage::opening;
        std::string from_copy;      // to begin with
        bool is_asked_for = false;  // by an operator, who is told what fails
        std::optional<Positions> limits;
        bool is_compared = false;
        std::shared_ptr<ComparisonState> comparison;
        std::optional<CallId> begun;
        std::optional<CallId> cancelled;
        Ids switched;
    };
    struct BuildRequest {
        bool from_previous = false;
        std::string from_copy;
        CallId call;
    };
    enum class Hold : std::uint8_t { none, asked, still };  // of the live follower

    // runner.cpp
    void stop_next();
    void stop_worker(std::unique_ptr<Worker>& worker, std::shared_ptr<GenerationRows> rows);
    void post(Step step);
    void answer_later(OperatorDone done, Result<> result);
    bool is_served() const noexcept;
    const Positions& live_positions() const noexcept;

    // reporting.cpp
    ProjectionState state() const;
    GenerationStatus status_of(const OpenGeneration& generation) const;
    BuildStatus status_of_build() const;
    void notify();
    void follower_changed();
    void skip_what_was_skipped();
    CallId add_call(OperatorDone done);
    void answer(CallId call, Result<> result);

    // operating.cpp
    bool refuse(OperatorDone& done, std::optional<std::string> why);
    std::optional<std::string> why_no_build() const;

    // control.cpp
    void advance();
    void open_folder();
    void open_live();
    void drop_live();
    void open_build();
    void drop_build();
    void begin_build();
    GenerationManifest manifest_with_build(bool& from_previous) const;
    void open_rows(OpenGeneration& generation, std::string import_from,
                   std::move_only_function<void(Result<GenerationRows::Found>)> then);
    // False: it must go, and `lost` says why.
    bool adopt(OpenGeneration& generation, Result<GenerationRows::Found> found);
    std::optional<std::string> mistake_in(const GenerationRows::Found& found);
    void close(OpenGeneration& generation);
    void write_manifest(GenerationManifest manifest, Step then);
    bool wants_build() const;
    bool is_of_this_shape(const GenerationEntry& entry) const { return entry.shape == model_.shape(); }

    // building.cpp
    void advance_build();
    void advance_beside_live();
    void follow_live();
    void hold_live();
    void release_live();
    bool may_switch() const;
    void compare();
    void compare_step();
    void finish_comparison();
    void comparison_failed(Error error);
    void switch_over();
    void swap();

    // An action is under way until one of the others.
    void action_begins() noexcept;
    void action_done();
    void action_failed(const Error& error);  // tried again later
    void action_done_after(Duration delay);
    // Runs `job` on a worker, then `then` as a step, unless the runner is stopping by then.
    template <class R>
    void on_worker(Worker& worker, std::move_only_function<R()> job, std::move_only_function<void(R)> then);
    Worker& any_worker() noexcept;
    std::unique_ptr<Worker> take_worker();

    Env env_;
    log::EventLog& log_;
    const ProjectionModel& model_;
    const ProjectionRunnerOptions options_;
    const Uuid incarnation_;  // of the log
    FollowedSlots slots_;
    GenerationFolder folder_;
    ProjectionStatistics statistics_;
    std::move_only_function<void()> on_change_;

    std::optional<log::EventLog::WatchId> watch_;
    std::optional<GenerationManifest> manifest_;  // as it is on the disk; none: not read yet
    std::unique_ptr<Worker> spare_;               // while no generation has it
    std::unique_ptr<OpenGeneration> live_;
    std::unique_ptr<Build> build_;
    std::unique_ptr<OpenGeneration> retired_;  // replaced, and being closed
    std::optional<BuildRequest> request_;
    Hold hold_ = Hold::none;
    std::uint64_t hold_number_ = 0;
    bool is_acting_ = false;
    BackOff back_off_;
    BackOff builds_lost_;
    std::optional<TimerId> retry_timer_;
    std::string remark_;
    std::optional<DifferenceSummary> difference_;

    std::unique_ptr<PositionWaiters> waiters_;  // once started
    std::map<CallId, OperatorDone> calls_;
    CallId next_call_ = 0;
    std::optional<std::string> notified_;  // what was last told of
    bool is_stopping_ = false;
    bool is_stopped_ = false;
    Step stopped_;
};

template <class R>
void ProjectionRunner::Impl::on_worker(Worker& worker, std::move_only_function<R()> job,
                                       std::move_only_function<void(R)> then) {
    auto result = std::make_shared<std::optional<R>>();
    worker.submit([job = std::move(job), result]() mutable { result->emplace(job()); },
                  [weak = weak_from_this(), result, then = std::move(then)]() mutable {
                      if (const auto self = weak.lock(); self && !self->is_stopping_)
                          then(std::move(**result));
                  });
}

}  // namespace leftfold
