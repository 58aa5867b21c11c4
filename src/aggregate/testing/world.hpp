// World: a runtime over the embedded log on a simulated machine, for the tests of this module.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "leftfold/aggregate/runtime.hpp"
#include "leftfold/aggregate/typed_model.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/sim/env.hpp"

namespace leftfold::testing {

inline constexpr TopicId kEvents(0);
inline constexpr TopicId kOutcomes(1);

template <class Aggregate>
class World {
  public:
    explicit World(AggregateOptions options = {}, log::EmbeddedLogOptions log_options = {})
        : options_(std::move(options)),
          log_options_(std::move(log_options)),
          sim_(1),
          model_(make_typed_model<Aggregate>("test", "thing")) {
        log_options_.directory = "/data";
        log_options_.topics = {{"test.thing", 1}, {"test.thing.outcomes", 1}};
        start();
    }
    ~World() { stop(); }

    void restart() {
        stop();
        start();
    }
    void change_options(AggregateOptions options) {
        stop();
        options_ = std::move(options);
        start();
    }
    // As a later build would have it.
    template <class Later>
    void change_model() {
        stop();
        model_ = make_typed_model<Later>("test", "thing");
        start();
    }

    AggregateRuntime& runtime() { return *runtime_; }
    log::EventLog& log() { return *log_; }
    sim::SimEnv& sim() { return sim_; }
    const AggregateStatistics& statistics() { return runtime_->statistics(); }

    // By name of the command. The answer comes while the world runs.
    std::shared_ptr<std::optional<CommandReply>> send(std::string_view key, std::string_view command,
                                                      std::string_view json, CommandRequest more = {}) {
        auto reply = std::make_shared<std::optional<CommandReply>>();
        more.key = key;
        more.command = model_->find_command(command).value();
        more.json = json;
        runtime_->handle(more, [reply](CommandReply answer) { *reply = std::move(answer); });
        return reply;
    }
    CommandReply tell(std::string_view key, std::string_view command, std::string_view json, CommandRequest more = {}) {
        const auto reply = send(key, command, json, more);
        run_until([&] { return reply->has_value(); });
        return **reply;
    }
    Result<StateReply> read(std::string_view key, AsOf as_of = {}) {
        std::optional<Result<StateReply>> state;
        runtime_->read(key, as_of, [&](Result<StateReply> answer) { state = std::move(answer); });
        run_until([&] { return state.has_value(); });
        return *std::move(state);
    }
    void run_until(const std::function<bool()>& done) { ASSERT_TRUE(sim_.scheduler().run_until(done)); }

  private:
    void start() {
        auto log = log::open_embedded_log(sim_.env(), log_options_);
        ASSERT_TRUE(log) << log.error().message();
        log_ = *std::move(log);
        runtime_ = std::make_unique<AggregateRuntime>(sim_.env(), *log_, *model_, kEvents, kOutcomes, options_);
    }
    void stop() {
        bool is_stopped = false;
        log_->stop([&] { is_stopped = true; });
        run_until([&] { return is_stopped; });
        runtime_.reset();
        log_.reset();
        sim_.scheduler().run_until_idle();  // steps that come too late find nobody, and do nothing
    }

    AggregateOptions options_;
    log::EmbeddedLogOptions log_options_;
    sim::SimEnv sim_;
    std::unique_ptr<AggregateModel> model_;
    std::unique_ptr<log::EventLog> log_;
    std::unique_ptr<AggregateRuntime> runtime_;
};

template <class Outcome>
bool is(const CommandReply& reply) {
    return std::holds_alternative<Outcome>(reply.outcome);
}

// Of an acceptance, refusal or conflict; -1 otherwise.
inline std::int64_t version_of(const CommandReply& reply) {
    if (const auto* accepted = std::get_if<CommandAccepted>(&reply.outcome))
        return accepted->version.value();
    if (const auto* rejected = std::get_if<CommandRejected>(&reply.outcome))
        return rejected->version.value();
    if (const auto* conflict = std::get_if<CommandConflict>(&reply.outcome))
        return conflict->current.value();
    return -1;
}

inline std::optional<ErrorCode> failure_of(const CommandReply& reply) {
    const auto* failed = std::get_if<CommandFailed>(&reply.outcome);
    return failed == nullptr ? std::nullopt : std::optional(failed->error.code());
}

}  // namespace leftfold::testing
