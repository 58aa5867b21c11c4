// How fast a projection catches up: a log of so many events on the real disk, sums per account in SQLite.
//
//     projection_catch_up FOLDER [EVENTS] [ACCOUNTS]
//
// Then, live: the time from an event's being durable to its being visible.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "leftfold/base/murmur2.hpp"
#include "leftfold/env/real_env.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/projection/runner.hpp"
#include "leftfold/projection/typed_projection.hpp"
#include "leftfold/rows/sqlite_store.hpp"

namespace {

using namespace leftfold;

constexpr std::uint32_t kPartitions = 4;

struct Deposited {
    Money amount;
};
struct AccountEvents {
    static constexpr std::string_view aggregate = "account";
    using Event = std::variant<Deposited>;
};
struct Total {
    Key<std::string> account;
    Money total;
    std::int64_t count = 0;
};
struct Totals {
    using Events = ReadsFrom<AccountEvents>;
    using Tables = std::tuple<Total>;
    static constexpr std::uint32_t version = 1;

    void on(const Deposited& event, const EventMeta& meta, Rows<Total>& totals) const {
        Total& row = totals[meta.key];
        row.total += event.amount;
        ++row.count;
    }
};

double seconds_since(const Env& env, MonotonicTime begin) {
    return std::chrono::duration<double>(env.clock.monotonic() - begin).count();
}

class Bench {
  public:
    Bench(std::string folder, int accounts) : folder_(std::move(folder)), accounts_(accounts) {
        log_ = log::open_embedded_log(env(), {.directory = folder_, .topics = {{"bank.account", kPartitions}}}).value();
        projection_ = make_typed_projection<Totals>("bank", "totals");
        ProjectionRunnerOptions options;
        options.folder = join_path(folder_, "projections/totals");
        options.open_store = [this](const std::string& path, const rows::Schema& schema) {
            return rows::open_sqlite_store(env().files, path, schema);
        };
        runner_ = std::make_unique<ProjectionRunner>(env(), *log_, *projection_, std::move(options));
    }
    ~Bench() {
        bool is_stopped = false;
        runner_->stop([&] { log_->stop([&] { is_stopped = true; }); });
        run_until([&] { return is_stopped; });
        runner_.reset();
        log_.reset();
    }

    void fill(int events) {
        int begun = 0, ended = 0;
        const auto go_on = [&](auto&& self) -> void {
            while (begun < events && append(begun, [&, self] { ++ended, self(self); }))
                ++begun;
        };
        go_on(go_on);
        run_until([&] { return ended == events; });
    }
    void catch_up() {
        const MonotonicTime begin = env().clock.monotonic();
        runner_->start().value();
        run_until([&] { return runner_->reader() != nullptr && runner_->status().live->lag() == 0; });
        const double seconds = seconds_since(env(), begin);
        const auto& statistics = runner_->statistics();
        std::printf("caught up with %lu events in %.2f s: %.0f a second, in %lu transactions\n",
                    statistics.events_folded, seconds, static_cast<double>(statistics.events_folded) / seconds,
                    statistics.batches);
    }
    void rebuild() {
        const MonotonicTime begin = env().clock.monotonic();
        runner_->rebuild([](const Result<>&) {});
        run_until([&] { return runner_->statistics().switches == 2; });
        std::printf("rebuilt, compared and switched in %.2f s; %s\n", seconds_since(env(), begin),
                    runner_->status().difference->is_equal ? "equal" : "different");
    }
    void measure_visibility(int count) {
        std::vector<double> micros;
        for (int i = 0; i < count; ++i) {
            const std::size_t before = micros.size();
            append(i, [&, durable = MonotonicTime()]() mutable {
                durable = env().clock.monotonic();
                log::PositionToken token(log_->incarnation());
                for (std::uint32_t p = 0; p < kPartitions; ++p)
                    token.advance(log::topic_hash("bank.account"), PartitionId(p),
                                  log_->bounds({TopicId(0), PartitionId(p)})->durable_end);
                runner_->wait_for(token, std::chrono::seconds(10), [&, durable](const Result<>&) {
                    micros.push_back(seconds_since(env(), durable) * 1e6);
                });
            });
            run_until([&] { return micros.size() > before; });
        }
        std::ranges::sort(micros);
        std::printf("durable to visible, one at a time: p50 %.0f us, p99 %.0f us\n", micros[micros.size() / 2],
                    micros[micros.size() * 99 / 100]);
    }

  private:
    Env& env() { return real_.env(); }

    bool append(int number, std::function<void()> done) {
        const std::string key = fmt::format("account-{}", (number * 7919LL) % accounts_);
        const std::string payload = fmt::format("{{\"amount\":\"{}.50\"}}", 1 + number % 1000);
        Record record;
        record.meta.type = "bank.account.deposited";
        record.payload = payload;
        return log_
            ->append({.slot = {TopicId(0), partition_of(key, kPartitions)}, .key = key, .records = {&record, 1}},
                     [done = std::move(done)](const Result<log::Appended>& appended) {
                         static_cast<void>(appended.value());
                         done();
                     })
            .has_value();
    }
    void run_until(const std::function<bool()>& condition) {
        const std::function<void()> look = [&] {
            if (condition())
                real_.stop();
            else
                env().scheduler.call_after(std::chrono::microseconds(500), [&] { look(); });
        };
        env().scheduler.post([&] { look(); });
        real_.run();
    }

    std::string folder_;
    int accounts_;
    RealEnv real_;
    std::unique_ptr<log::EventLog> log_;
    std::unique_ptr<ProjectionModel> projection_;
    std::unique_ptr<ProjectionRunner> runner_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2)
        return std::fputs("Usage: projection_catch_up FOLDER [EVENTS] [ACCOUNTS]\n", stderr), 2;
    const int events = argc > 2 ? std::stoi(argv[2]) : 1'000'000;
    Bench bench(argv[1], argc > 3 ? std::stoi(argv[3]) : 5'000);
    bench.fill(events);
    bench.catch_up();
    bench.measure_visibility(1'000);
    bench.rebuild();
}
