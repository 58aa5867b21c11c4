// What a waiting timer costs on the disk and in memory, on the real file system. Only on demand:
//   LEFTFOLD_TIMERS=1000000 process_test --gtest_filter='TimerCost.*'
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "leftfold/env/real_env.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/process/dispatcher.hpp"
#include "leftfold/process/typed_process.hpp"
#include "leftfold/rows/sqlite_store.hpp"

#include "temporary_folder.hpp"

namespace leftfold {
namespace {

struct Sleep {
    std::int64_t seconds = 0;
};
struct Slept {};

struct Sleeper {
    using Command = std::variant<Sleep>;
    using Event = std::variant<Slept>;
    using Steps = leftfold::Steps<Sleeper>;

    bool awake = false;

    Steps decide(const Sleep& command) const { return Steps().timer("wake", std::chrono::seconds(command.seconds)); }
    Steps on_timer(std::string_view) const { return Slept{}; }
    void evolve(const Slept&) { awake = true; }
};

std::uint64_t bytes_below(const std::filesystem::path& folder, std::string_view suffix) {
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && entry.path().string().ends_with(suffix))
            bytes += entry.file_size();
    return bytes;
}

std::size_t heap_bytes() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

class Machine {
  public:
    explicit Machine(const std::string& folder) : model_(make_typed_process<Sleeper>("cost", "sleeper")) {
        Env& env = real_.env();
        auto log =
            log::open_embedded_log(env, {.directory = folder, .topics = {{"cost.sleeper"}, {"cost.sleeper.outcomes"}}});
        if (!log)
            throw std::runtime_error(log.error().message());
        log_ = *std::move(log);
        runtime_ = std::make_unique<AggregateRuntime>(env, *log_, *model_, TopicId(0), TopicId(1), AggregateOptions{});
        sender_ = std::make_unique<LocalSender>(env.scheduler, *log_);
        dispatcher_ = std::make_unique<ProcessDispatcher>(
            env, *log_, *model_, TopicId(0), *runtime_, *sender_,
            ProcessOptions{.folder = folder + "/processes/sleeper",
                           .open_store = [&env](const std::string& path, const rows::Schema& schema) {
                               return rows::open_sqlite_store(env.files, path, schema);
                           }});
        if (auto started = dispatcher_->start(); !started)
            throw std::runtime_error(started.error().message());
        run_until([this] { return dispatcher_->status().is_caught_up && dispatcher_->status().lag == 0; });
    }
    ~Machine() {
        int stopped = 0;
        dispatcher_->stop([&] { ++stopped; });
        run_until([&] { return stopped == 1; });
        log_->stop([&] { ++stopped; });
        run_until([&] { return stopped == 2; });
        dispatcher_.reset();
    }

    void sleep(std::uint64_t count, std::int64_t seconds) {
        const std::string json = fmt::format(R"({{"seconds":{}}})", seconds);
        std::uint64_t done = 0;
        for (std::uint64_t i = 0; i < count; ++i) {
            CommandRequest request;
            const std::string key = fmt::format("sleeper-{}", i);
            request.key = key;
            request.json = json;
            runtime_->handle(request, [&done](const CommandReply&) { ++done; });
            if (i % 4096 == 4095)
                run_until([&] { return done == i + 1; });
        }
        run_until([&] { return done == count && dispatcher_->status().lag == 0; });
    }
    void run_until(const std::function<bool()>& condition) {
        while (!condition()) {
            real_.env().scheduler.call_after(std::chrono::milliseconds(1), [this] { real_.stop(); });
            real_.run();
        }
    }
    MonotonicTime now() { return real_.env().clock.monotonic(); }
    ProcessDispatcher& dispatcher() { return *dispatcher_; }

  private:
    RealEnv real_;
    std::unique_ptr<ProcessModel> model_;
    std::unique_ptr<log::EventLog> log_;
    std::unique_ptr<AggregateRuntime> runtime_;
    std::unique_ptr<LocalSender> sender_;
    std::unique_ptr<ProcessDispatcher> dispatcher_;
};

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

TEST(TimerCost, of_many_that_wait) {
    const char* text = std::getenv("LEFTFOLD_TIMERS");
    if (text == nullptr)
        GTEST_SKIP() << "set LEFTFOLD_TIMERS";
    const std::uint64_t count = std::strtoull(text, nullptr, 10);
    TemporaryFolder folder;
    const std::string data = folder.path() + "/data";
    std::size_t heap_empty = 0;
    {
        Machine empty(folder.path() + "/empty");
        heap_empty = heap_bytes();
    }
    {
        Machine machine(data);
        const MonotonicTime begun = machine.now();
        machine.sleep(count, 3600);
        fmt::print("set: {:.0f} a second\n", static_cast<double>(count) / seconds(machine.now() - begun));
    }
    {
        Machine machine(data);
        ASSERT_EQ(machine.dispatcher().count()->timers, count);
        const double each = 1.0 / static_cast<double>(count);
        fmt::print("of each that waits: {:.1f} bytes of heap, {:.0f} of rows, {:.0f} of log\n",
                   static_cast<double>(heap_bytes() - heap_empty) * each,
                   static_cast<double>(bytes_below(data + "/processes", "")) * each,
                   static_cast<double>(bytes_below(data + "/topics", "")) * each);
        fmt::print("heap {:.1f} MB, {:.1f} MB without timers\n", static_cast<double>(heap_bytes()) / 1e6,
                   static_cast<double>(heap_empty) / 1e6);
    }
    std::filesystem::remove_all(data + "/processes");
    {
        const MonotonicTime begun = RealEnv().env().clock.monotonic();
        Machine machine(data);
        ASSERT_EQ(machine.dispatcher().count()->timers, count);
        fmt::print("rows folded anew in {:.1f} s\n", seconds(machine.now() - begun));
    }
    {
        Machine machine(folder.path() + "/fire");
        machine.sleep(100'000, 1);
        const MonotonicTime begun = machine.now();
        machine.run_until([&] { return machine.dispatcher().statistics().timers_fired == 100'000; });
        fmt::print("fired: {:.0f} a second at least\n", 100'000 / seconds(machine.now() - begun));
    }
}

}  // namespace
}  // namespace leftfold
