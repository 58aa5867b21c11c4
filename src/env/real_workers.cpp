#include "real_workers.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include "leftfold/base/assert.hpp"

namespace leftfold {

namespace {

class RealWorker final : public Worker, private BriefJob {
  public:
    RealWorker(std::string_view name, EventLoop& home, JobLength length)
        : home_(home),
          length_(length),
          thread_([this, thread_name = std::string(name.substr(0, 15))] { run(thread_name); }) {}

    RealWorker(const RealWorker&) = delete;
    RealWorker& operator=(const RealWorker&) = delete;

    ~RealWorker() override {
        if (offered_.job) {
            home_.take_back(*this);
            run_elsewhere();
        }
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    void submit(Job job, Step done) override {
        if (offered_.job) {
            home_.take_back(*this);
            run_elsewhere();
        }
        Task task{std::move(job), std::move(done)};
        // Only where it is this worker's only job, so that jobs keep their order.
        if (length_ == JobLength::brief && home_.on_own_thread() && is_idle()) {
            offered_ = std::move(task);
            home_.offer(*this);
        } else {
            push(std::move(task));
        }
    }

  private:
    struct Task {
        Job job;
        Step done;
    };

    bool is_idle() {
        const std::lock_guard lock(mutex_);
        return unfinished_ == 0;
    }

    void push(Task task) {
        bool is_first = false;
        {
            const std::lock_guard lock(mutex_);
            is_first = submitted_.empty();
            submitted_.push_back(std::move(task));
            ++unfinished_;
        }
        if (is_first)
            changed_.notify_one();
    }

    void run_here() override {
        Task task = std::exchange(offered_, {});
        task.job();
        task.job = nullptr;
        home_.post(std::move(task.done));
    }
    void run_elsewhere() override { push(std::exchange(offered_, {})); }

    void run(const std::string& name) {
        ::pthread_setname_np(::pthread_self(), name.c_str());
        std::vector<Task> tasks;
        while (fetch(tasks)) {
            for (Task& task : tasks) {
                task.job();
                // What the job holds goes before the report: the caller may count on having it back.
                task.job = nullptr;
                {
                    const std::lock_guard lock(mutex_);
                    --unfinished_;
                }
                home_.post(std::move(task.done));
            }
            tasks.clear();
        }
    }

    // Waits for tasks and takes all of them; false once there are none and none will come.
    bool fetch(std::vector<Task>& tasks) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !submitted_.empty(); });
        std::swap(tasks, submitted_);
        return !tasks.empty();
    }

    EventLoop& home_;
    const JobLength length_;
    Task offered_;  // to the loop, if it has a job
    std::mutex mutex_;
    std::size_t unfinished_ = 0;  // guarded by mutex_: jobs submitted or running
    std::condition_variable changed_;
    std::vector<Task> submitted_;  // guarded by mutex_
    bool stopping_ = false;        // guarded by mutex_
    std::thread thread_;           // last: it uses all of the above
};

}  // namespace

std::unique_ptr<Worker> RealWorkers::start(std::string_view name, Scheduler& home, JobLength length) {
    LEFTFOLD_ASSERT(&home == &loop_);
    return std::make_unique<RealWorker>(name, loop_, length);
}

}  // namespace leftfold
