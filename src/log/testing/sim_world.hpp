// SimWorld: the embedded log on a simulated machine.
#pragma once

#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "leftfold/log/embedded_log.hpp"
#include "leftfold/sim/env.hpp"

#include "event_log_conformance.hpp"

namespace leftfold::log {

class SimWorld final : public LogWorld {
  public:
    explicit SimWorld(std::uint64_t seed, EmbeddedLogOptions options = {}) : options_(std::move(options)), sim_(seed) {
        options_.directory = "/data";
    }

    Env& env() override { return sim_.env(); }
    sim::SimEnv& sim() noexcept { return sim_; }

    void run_until(const std::function<bool()>& condition) override {
        ASSERT_TRUE(sim_.scheduler().run_until(condition)) << "the power went off";
    }
    void run_ready() override { sim_.scheduler().run_until_idle(); }
    Result<std::unique_ptr<EventLog>> open(std::vector<TopicDeclaration> topics) override {
        EmbeddedLogOptions options = options_;
        options.topics = std::move(topics);
        return open_embedded_log(env(), std::move(options));
    }

  private:
    EmbeddedLogOptions options_;
    sim::SimEnv sim_;
};

}  // namespace leftfold::log
