#include "sim_log.hpp"

#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/murmur2.hpp"

namespace leftfold::log {

SimLog::SimLog(std::uint64_t seed, EmbeddedLogOptions options, sim::PlantedFaults faults)
    : sim_(seed), options_(std::move(options)) {
    sim_.files().plant(faults);
    options_.directory = "/var/lib/leftfold";
    if (options_.topics.empty())
        options_.topics = {{"accounts", 1}};
}

Result<> SimLog::open() {
    LEFTFOLD_TRY(opened, open_embedded_log(sim_.env(), options_));
    log_ = std::move(opened);
    is_fresh_ = true;
    return {};
}

bool SimLog::stop() {
    bool is_stopped = false;
    log_->stop([&] { is_stopped = true; });
    const bool has_power = sim_.scheduler().run_until([&] { return is_stopped; });
    log_.reset();
    return has_power;
}

void SimLog::die() {
    if (sim_.is_powered())
        sim_.power_off();
    log_.reset();
    waiting_ = 0;
}

void SimLog::kill() {
    die();
    sim_.restart_process();
}

void SimLog::crash() {
    die();
    sim_.restart();
}

Slot SimLog::slot_of(std::string_view key) const {
    return {TopicId(0), partition_of(key, options_.topics.front().partition_count)};
}

Result<Accepted> SimLog::append(std::string_view key, std::size_t record_count, std::size_t padding, Ended ended) {
    const std::size_t number = oracle_.next_number();
    AppendOracle::Append append;
    append.slot = slot_of(key);
    append.key = key;
    append.command_id = fmt::format("command-{}", number);
    append.record_count = record_count;
    std::vector<std::string> payloads;
    for (std::size_t i = 0; i < record_count; ++i)
        payloads.push_back(AppendOracle::payload(number, i, padding));
    std::vector<Record> records(record_count);
    for (std::size_t i = 0; i < record_count; ++i) {
        records[i].meta.type = "test.happened";
        records[i].meta.command_id = append.command_id;
        records[i].meta.command_id_source = CommandIdSource::client;
        records[i].payload = payloads[i];
    }
    auto done = [this, number, ended = std::move(ended)](Result<Appended> result) mutable {
        --waiting_;
        oracle_.ended(number, result);
        if (ended)
            ended();
    };
    auto accepted = log_->append({append.slot, key, ExpectedVersion::any(), records}, std::move(done));
    if (accepted) {
        is_fresh_ = false;
        ++waiting_;
        append.first_version = accepted->first_version;
        append.recorded_at = accepted->recorded_at;
        oracle_.accepted(std::move(append));
    }
    return accepted;
}

bool SimLog::settle() {
    return sim_.scheduler().run_until([&] { return waiting_ == 0; });
}

std::string SimLog::read(const std::string& name) {
    auto content = read_file(sim_.files(), join_path(options_.directory, name), 1ULL << 30);
    LEFTFOLD_ASSERT(content.has_value());
    return *std::move(content);
}

void SimLog::write(const std::string& name, std::string_view content) {
    const auto file = sim_.files().open(join_path(options_.directory, name), OpenMode::create_or_open);
    LEFTFOLD_ASSERT(file && (*file)->truncate(0) && (*file)->write_at(0, bytes_of(content)) && (*file)->sync_data());
}

void SimLog::remove(const std::string& name) {
    LEFTFOLD_ASSERT(sim_.files().remove(join_path(options_.directory, name)).has_value());
}

std::vector<std::string> SimLog::segments(std::string_view suffix) {
    const std::string folder = fmt::format("topics/{}/0", options_.topics.front().name);
    std::vector<std::string> names;
    const auto entries = sim_.files().list(join_path(options_.directory, folder));
    LEFTFOLD_ASSERT(entries.has_value());
    for (const DirectoryEntry& entry : *entries) {
        if (entry.name.ends_with(suffix))
            names.push_back(join_path(folder, entry.name));
    }
    return names;
}

}  // namespace leftfold::log
