#include "log_steps.hpp"

#include <chrono>
#include <fstream>
#include <optional>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "leftfold/base/murmur2.hpp"
#include "leftfold/event/payload_hash.hpp"
#include "leftfold/log/embedded_log.hpp"

#include "accounts/account.hpp"

namespace leftfold::bench {

namespace {

constexpr std::uint64_t kInFlightMax = 50'000;
constexpr std::uint64_t kAppendsPerStep = 5'000;
constexpr std::size_t kReplayReadBytes = 4 * 1024 * 1024;

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point begun) {
    return std::chrono::duration<double>(SteadyClock::now() - begun).count();
}

std::string key_of(std::uint64_t aggregate) {
    return fmt::format("account-{:08}", aggregate);
}

class Generator {
  public:
    Generator(RealEnv& real, log::EventLog& log, const LogPlan& plan)
        : real_(real), log_(log), plan_(plan), partitions_(log.topics().front().partition_count) {}

    Result<> run() {
        real_.env().scheduler.post([this] { step(); });
        real_.run();
        if (failure_)
            return std::unexpected(*failure_);
        return {};
    }

  private:
    void step() {
        scheduled_ = false;
        for (std::uint64_t i = 0; i < kAppendsPerStep && next_ < plan_.events && in_flight_ < kInFlightMax; ++i)
            append(next_++);
        go_on();
    }

    void go_on() {
        if (failure_ || (next_ == plan_.events && in_flight_ == 0)) {
            real_.stop();
        } else if (!scheduled_ && next_ < plan_.events && in_flight_ < kInFlightMax) {
            scheduled_ = true;
            real_.env().scheduler.post([this] { step(); });
        }
    }

    void append(std::uint64_t number) {
        const std::string key = key_of(number % plan_.aggregates);
        const bool first = number < plan_.aggregates;
        const std::string command_id = fmt::format("0190b2a4-7c1e-7000-8000-{:012x}", number);
        const std::string_view payload =
            first ? R"({"owner":"bench","currency":"CZK","overdraft_limit":"0.00"})" : R"({"amount":"0.01"})";
        Env& env = real_.env();
        Record record;
        record.meta.id = Uuid::v7(env.clock.now(), env.random.next(), env.random.next());
        record.meta.type = first ? "bank.account.opened" : "bank.account.deposited";
        record.meta.time = env.clock.now();
        record.meta.command_id = command_id;
        record.meta.command_id_source = CommandIdSource::client;
        record.meta.payload_hash = payload_hash("deposit", payload);
        record.meta.correlation_id = command_id;
        record.meta.causation_id = command_id;
        record.payload = payload;
        ++in_flight_;
        auto accepted =
            log_.append({.slot = {TopicId(0), partition_of(key, partitions_)}, .key = key, .records = {&record, 1}},
                        [this](Result<log::Appended> appended) {
                            --in_flight_;
                            if (!appended)
                                failure_ = std::move(appended).error();
                            go_on();
                        });
        if (!accepted) {
            --in_flight_;
            failure_ = std::move(accepted).error();
        }
    }

    RealEnv& real_;
    log::EventLog& log_;
    const LogPlan& plan_;
    const std::uint32_t partitions_;
    std::uint64_t next_ = 0;
    std::uint64_t in_flight_ = 0;
    bool scheduled_ = true;
    std::optional<Error> failure_;
};

struct Folded {
    bank::Account account;
    Version version;
};

using Codec = EventCodec<bank::Account::Event>;

void fold(bank::Account& account, const bank::Account::Event& event) {
    std::visit([&account](const auto& typed) { account.evolve(typed); }, event);
}

}  // namespace

Result<std::unique_ptr<log::EventLog>> open_log(RealEnv& real, const std::string& directory) {
    return log::open_embedded_log(real.env(), {.directory = directory, .topics = {{.name = "bank.account"}}});
}

Result<> generate(RealEnv& real, log::EventLog& log, const LogPlan& plan) {
    return Generator(real, log, plan).run();
}

void stop_log(RealEnv& real, log::EventLog& log) {
    log.stop([&real] { real.stop(); });
    real.run();
}

Result<Replay> replay_all(log::EventLog& log) {
    const Codec codec("bank.account");
    json::Reader reader;
    std::unordered_map<std::string, Folded> states;
    Replay replay;
    std::string key;
    const auto begun = SteadyClock::now();
    for (std::uint32_t p = 0; p < log.topics().front().partition_count; ++p) {
        const log::Slot slot{TopicId(0), PartitionId(p)};
        LEFTFOLD_TRY(bounds, log.bounds(slot));
        for (Position from = bounds.start; from < bounds.durable_end;) {
            LEFTFOLD_TRY(batch, log.read(slot, from, kReplayReadBytes));
            for (const Record& record : batch.records()) {
                LEFTFOLD_TRY(event, codec.decode(record, reader));
                key.assign(record.meta.key);
                Folded& state = states[key];
                fold(state.account, event);
                state.version = record.meta.version;
                ++replay.events;
            }
            from = batch.next();
        }
    }
    replay.seconds = seconds_since(begun);
    replay.aggregates = states.size();
    for (const auto& [name, state] : states) {
        const auto cents = state.version.value() - 1;
        const std::string expected = fmt::format("{}.{:02}", cents / 100, cents % 100);
        replay.correct = replay.correct && state.account.open && state.account.balance.to_string() == expected;
    }
    return replay;
}

Result<double> fold_rate(log::EventLog& log) {
    const Codec codec("bank.account");
    json::Reader reader;
    const log::Slot slot{TopicId(0), PartitionId(0)};
    LEFTFOLD_TRY(bounds, log.bounds(slot));
    const Position middle((bounds.start.value() + bounds.durable_end.value()) / 2);
    LEFTFOLD_TRY(batch, log.read(slot, middle, log::kReadBytesDefault));
    bank::Account account;
    std::uint64_t events = 0;
    const auto begun = SteadyClock::now();
    double seconds = 0;
    while (seconds < 1) {
        for (const Record& record : batch.records()) {
            LEFTFOLD_TRY(event, codec.decode(record, reader));
            fold(account, event);
        }
        events += batch.records().size();
        seconds = seconds_since(begun);
    }
    return static_cast<double>(events) / seconds;
}

double resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    double pages_total = 0;
    double pages_resident = 0;
    statm >> pages_total >> pages_resident;
    return pages_resident * 4096;
}

}  // namespace leftfold::bench
