// The runner on real threads and a real disk: for the sanitizers.
#include <chrono>
#include <functional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "leftfold/base/murmur2.hpp"
#include "leftfold/env/real_env.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/projection/runner.hpp"
#include "leftfold/rows/sqlite_store.hpp"

#include "tally.hpp"
#include "temporary_folder.hpp"

namespace leftfold::testing {
namespace {

class RealWorld {
  public:
    Env& env() { return real_.env(); }
    std::string directory() { return join_path(folder_.path(), "data"); }

    void run_until(const std::function<bool()>& condition) {
        const MonotonicTime deadline = env().clock.monotonic() + std::chrono::seconds(60);
        while (!condition()) {
            ASSERT_LT(env().clock.monotonic(), deadline) << "nothing came";
            env().scheduler.call_after(std::chrono::microseconds(50), [this] { real_.stop(); });
            real_.run();
        }
    }

  private:
    TemporaryFolder folder_;
    RealEnv real_;
};

TEST(RunnerThreads, build_and_switch_while_appends_and_queries_go_on) {
    RealWorld world;
    const auto log =
        log::open_embedded_log(world.env(), {.directory = world.directory(), .topics = {{"bank.account", 2}}}).value();
    const Tally tally;
    ProjectionRunnerOptions options;
    options.folder = join_path(world.directory(), "projections/tally");
    options.open_store = [&](const std::string& path, const rows::Schema& schema) {
        return rows::open_sqlite_store(world.env().files, path, schema);
    };
    options.batch_bytes_max = 32U << 10U;
    options.turn_bytes_max = 8U << 10U;
    ProjectionRunner runner(world.env(), *log, tally, options);
    ASSERT_TRUE(runner.start());

    int begun = 0, ended = 0;
    const std::function<void()> append = [&] {
        if (begun == 2'000)
            return;
        const std::string key = fmt::format("account-{}", begun % 7);
        const std::string payload = fmt::to_string(begun);
        Record record;
        record.meta.type = "bank.account.deposited";
        record.payload = payload;
        ++begun;
        ASSERT_TRUE(log->append({.slot = {TopicId(0), partition_of(key, 2)}, .key = key, .records = {&record, 1}},
                                [&](const Result<log::Appended>& appended) {
                                    ASSERT_TRUE(appended);
                                    ++ended;
                                    append();
                                }));
    };
    for (int client = 0; client < 8; ++client)
        append();
    world.run_until([&] { return runner.reader() != nullptr; });
    bool is_begun = false;
    runner.rebuild([&](const Result<>& result) { is_begun = result.has_value(); });
    std::int64_t seen = 0;
    world.run_until([&] {
        std::int64_t count = 0;
        const TallyRows rows = read_tally(*runner.reader()).value();
        for (const auto& [account, sum] : rows.accounts)
            count += sum.count;
        EXPECT_GE(count, seen);
        seen = count;
        return is_begun && runner.statistics().switches == 2 && ended == 2'000;
    });
    world.run_until([&] { return runner.status().live->lag() == 0; });
    EXPECT_TRUE(runner.status().difference->is_equal);
    const auto positions = runner.reader()->positions().value();
    EXPECT_EQ(read_tally(*runner.reader()).value(), tally_of(*log, positions).value());

    bool is_stopped = false;
    runner.rebuild([](const Result<>&) {});  // stopped in the middle of it
    world.run_until([&] { return runner.status().build.has_value(); });
    runner.stop([&] { log->stop([&] { is_stopped = true; }); });
    world.run_until([&] { return is_stopped; });
}

}  // namespace
}  // namespace leftfold::testing
