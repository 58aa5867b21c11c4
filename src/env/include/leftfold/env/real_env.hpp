// RealEnv: the operating system behind the ports of Env, for one shard. Made in main, on the thread that will run it.
#pragma once

#include <memory>

#include "leftfold/env/env.hpp"

namespace leftfold {

class RealEnv {
  public:
    RealEnv();
    ~RealEnv();
    RealEnv(const RealEnv&) = delete;
    RealEnv& operator=(const RealEnv&) = delete;

    Env& env() noexcept;

    // Runs steps, timers and socket events on this thread until stop().
    void run();
    // From any thread, and from a signal handler's thread; run() returns after the step that is running.
    void stop();

    // Calls `step` as a step of this shard at SIGINT and SIGTERM, instead of dying. Once a process.
    // Once one has come, later ones are ignored for good when this object has gone: the process is ending as asked.
    void on_termination_signal(std::move_only_function<void(int signal)> step);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Only the file system, for tools that need no loop.
std::unique_ptr<FileSystem> make_real_file_system();

}  // namespace leftfold
