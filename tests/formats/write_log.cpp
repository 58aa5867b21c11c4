// Writes a log with the engine and prints, of each partition, what a reader of the format must find in it.
//
// usage: write_log DIRECTORY
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "leftfold/base/bytes.hpp"
#include "leftfold/base/crc32c.hpp"
#include "leftfold/base/murmur2.hpp"
#include "leftfold/env/real_env.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/log/verify.hpp"

namespace {

using namespace leftfold;
using namespace leftfold::log;

[[noreturn]] void give_up(const Error& error) {
    fmt::print(stderr, "{}\n", error.message());
    std::exit(1);
}

struct Writer {
    RealEnv real;
    std::unique_ptr<EventLog> log;
    int waiting = 0;

    void open(const std::string& directory) {
        // Small segments, so that there are closed ones.
        auto opened = open_embedded_log(real.env(), {.directory = directory,
                                                     .topics = {{"accounts", 3}, {"empty", 1}, {"audit.trail-2", 1}},
                                                     .segment_bytes = 8192});
        if (!opened)
            give_up(opened.error());
        log = *std::move(opened);
    }

    void append(TopicId topic, const std::string& key, int number) {
        std::vector<Record> records(1 + static_cast<std::size_t>(number) % 3);
        std::vector<std::string> payloads(records.size());
        const std::string command_id = fmt::format("příkaz-{}", number);
        for (std::size_t i = 0; i < records.size(); ++i) {
            EventMeta& meta = records[i].meta;
            meta.id = Uuid::v7(real.env().clock.now(), real.env().random.next(), real.env().random.next());
            meta.type = number % 2 == 0 ? "bank.account.deposited" : "bank.account.withdrawn";
            meta.type_version = static_cast<std::uint32_t>(1 + number % 200);
            meta.time = timestamp_from_micros(number % 5 == 0 ? -1'000'000 : 725'846'400'000'000 + number);
            meta.command_id = command_id;
            meta.command_id_source = number % 4 == 0 ? CommandIdSource::server : CommandIdSource::client;
            if (number % 3 != 0)
                meta.payload_hash = {static_cast<std::uint8_t>(number), 7};
            if (number % 7 == 0)
                meta.correlation_id = "correlation";
            meta.causation_id = number % 8 == 0 ? "cause" : "";
            meta.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
            meta.actor = "Žofie";
            meta.tenant = number % 2 == 0 ? "branch-1" : "";
            payloads[i] = fmt::format(R"({{"n":{},"memo":"{}"}})", number,
                                      std::string(static_cast<std::size_t>(number) % 300, 'm'));
            records[i].payload = payloads[i];
        }
        const std::uint32_t count = log->topics()[topic.value()].partition_count;
        const auto accepted = log->append({{topic, partition_of(key, count)}, key, ExpectedVersion::any(), records},
                                          [this](Result<Appended> result) {
                                              if (!result)
                                                  give_up(result.error());
                                              if (--waiting == 0)
                                                  real.stop();
                                          });
        if (!accepted)
            give_up(accepted.error());
        ++waiting;
    }

    void stop() {
        log->stop([this] { real.stop(); });
        real.run();
        log.reset();
    }
};

std::string digest_line(const Record& record) {
    const EventMeta& meta = record.meta;
    std::string hash;
    for (const std::uint8_t byte : meta.payload_hash)
        hash += fmt::format("{:02x}", byte);
    return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", record.position.value(),
                       meta.version.value(), meta.key, meta.id.to_string(), meta.type, meta.type_version,
                       to_micros(meta.time), to_micros(meta.recorded_at), meta.command_id,
                       static_cast<int>(meta.command_id_source), hash, meta.correlation_id, meta.causation_id,
                       meta.traceparent, meta.actor, meta.tenant, record.payload);
}

void print_partition(EventLog& log, Slot slot, const PartitionReport& report) {
    std::uint32_t digest = 0;
    std::uint64_t records = 0;
    std::set<std::string> streams;
    Position from(0);
    for (;;) {
        auto batch = log.read(slot, from);
        if (!batch)
            give_up(batch.error());
        if (batch->records().empty())
            break;
        for (const Record& record : batch->records()) {
            digest = crc32c(bytes_of(digest_line(record)), digest);
            streams.emplace(record.meta.key);
            ++records;
        }
        from = batch->next();
    }
    fmt::print("{}/{} segments {} batches {} records {} streams {} end {} digest {:08x}\n", report.topic,
               report.partition.value(), report.segment_count, report.batch_count, records, streams.size(),
               from.value(), digest);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2)
        return fmt::print(stderr, "usage: write_log DIRECTORY\n"), 2;
    Writer writer;
    for (int life = 0; life < 3; ++life) {
        writer.open(argv[1]);
        for (int i = 0; i < 100; ++i)
            writer.append(TopicId(i % 10 == 0 ? 2 : 0), fmt::format("účet-{}", i % 17), life * 100 + i);
        writer.real.run();
        if (life < 2)
            writer.stop();
    }
    const auto report = verify_log(writer.real.env().files, argv[1]);
    if (!report)
        give_up(report.error());
    std::size_t number = 0;
    for (std::uint32_t t = 0; t < writer.log->topics().size(); ++t) {
        for (std::uint32_t p = 0; p < writer.log->topics()[t].partition_count; ++p)
            print_partition(*writer.log, {TopicId(t), PartitionId(p)}, report->partitions[number++]);
    }
    writer.stop();
    return 0;
}
