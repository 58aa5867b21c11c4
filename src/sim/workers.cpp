#include "leftfold/sim/workers.hpp"

#include <deque>
#include <string>
#include <utility>

#include "leftfold/base/assert.hpp"

namespace leftfold::sim {

class SimWorker final : public Worker {
  public:
    SimWorker(SimWorkers& workers, std::string_view name, Scheduler& home)
        : workers_(workers), home_(home), name_(name), incarnation_(workers.loop_.incarnation()) {}

    ~SimWorker() override {
        if (is_gone())
            return;
        workers_.loop_.cancel(timer_);
        while (!waiting_.empty())
            run_next();
    }
    SimWorker(const SimWorker&) = delete;
    SimWorker& operator=(const SimWorker&) = delete;

    void submit(Job job, Step done) override {
        if (is_gone())
            return;
        waiting_.emplace_back(std::move(job), std::move(done));
        if (waiting_.size() == 1)
            schedule();
    }

  private:
    bool is_gone() const noexcept { return workers_.loop_.incarnation() != incarnation_; }

    void schedule() {
        timer_ = workers_.loop_.call_after(workers_.draw_delay(), [this] {
            run_next();
            if (!is_gone() && !waiting_.empty())
                schedule();
        });
    }

    void run_next() {
        workers_.trace_.note("job", name_, {waiting_.size()});
        // It stays at the front while it runs, so that a submit from within does not schedule a second one.
        waiting_.front().first();
        auto [job, done] = std::move(waiting_.front());
        waiting_.pop_front();
        home_.post(std::move(done));
    }

    SimWorkers& workers_;
    Scheduler& home_;
    std::string name_;
    std::uint64_t incarnation_;
    std::deque<std::pair<Job, Step>> waiting_;
    TimerId timer_;
};

std::unique_ptr<Worker> SimWorkers::start(std::string_view name, Scheduler& home, JobLength) {
    return std::make_unique<SimWorker>(*this, name, home);
}

Duration SimWorkers::draw_delay() {
    const bool is_slow = delays_.slow_one_in != 0 && one_in(random_, delays_.slow_one_in);
    const Duration max = is_slow ? delays_.slow_max : delays_.max;
    LEFTFOLD_ASSERT(max >= delays_.min);
    const auto spread = static_cast<std::uint64_t>((max - delays_.min).count());
    return delays_.min + Duration(static_cast<Duration::rep>(random_.below(spread + 1)));
}

}  // namespace leftfold::sim
