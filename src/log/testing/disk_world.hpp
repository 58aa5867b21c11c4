// DiskWorld: the embedded log on the real file system and the real loop, in a temporary folder.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "leftfold/env/real_env.hpp"
#include "leftfold/log/embedded_log.hpp"

#include "event_log_conformance.hpp"
#include "temporary_folder.hpp"

namespace leftfold::log {

class DiskWorld final : public LogWorld {
  public:
    explicit DiskWorld(EmbeddedLogOptions options = {}) : options_(std::move(options)) {
        options_.directory = join_path(folder_.path(), "data");
    }

    Env& env() override { return real_.env(); }
    const std::string& directory() const noexcept { return options_.directory; }

    void run_until(const std::function<bool()>& condition) override {
        const MonotonicTime deadline = env().clock.monotonic() + std::chrono::seconds(60);
        while (!condition()) {
            ASSERT_LT(env().clock.monotonic(), deadline) << "nothing came";
            turn();
        }
    }
    void run_ready() override {
        for (int i = 0; i < 10; ++i)
            turn();
    }
    Result<std::unique_ptr<EventLog>> open(std::vector<TopicDeclaration> topics) override {
        EmbeddedLogOptions options = options_;
        options.topics = std::move(topics);
        return open_embedded_log(env(), std::move(options));
    }

  private:
    void turn() {
        env().scheduler.call_after(std::chrono::microseconds(50), [this] { real_.stop(); });
        real_.run();
    }

    TemporaryFolder folder_;
    EmbeddedLogOptions options_;
    RealEnv real_;
};

}  // namespace leftfold::log
