#include "planted.hpp"

namespace leftfold::testing {

Result<log::Accepted> ForwardLog::append(const log::AppendRequest& request, log::AppendDone&& done) {
    const auto end = bounds(request.slot);
    auto accepted = inner_.append(request, std::move(done));
    if (!accepted || !end)
        return accepted;
    Position position = end->durable_end;
    Version version = accepted->first_version;
    for (const Record& record : request.records) {
        Kept* kept = &all_.emplace_back();
        kept->record = record;
        kept->record.meta.key = request.key;
        std::string_view* views[] = {
            &kept->record.meta.type,           &kept->record.meta.key,          &kept->record.meta.command_id,
            &kept->record.meta.correlation_id, &kept->record.meta.causation_id, &kept->record.meta.traceparent,
            &kept->record.meta.actor,          &kept->record.meta.tenant,       &kept->record.payload};
        std::size_t i = 0;
        for (std::string_view* view : views) {
            kept->texts[i] = *view;
            *view = kept->texts[i++];
        }
        kept->record.meta.version = version;
        kept->record.meta.recorded_at = accepted->recorded_at;
        kept->record.position = position;
        kept_[request.slot].emplace(position, kept);
        version = version.next();
        position = position.next();
    }
    for (const auto& watcher : watchers_)
        scheduler_.post([watcher, slot = request.slot, position] { (*watcher)(slot, position); });
    return accepted;
}

Result<log::SlotBounds> ForwardLog::bounds(log::Slot slot) {
    auto bounds = inner_.bounds(slot);
    auto& kept = kept_[slot];
    if (!bounds)
        return bounds;
    while (!kept.empty() && kept.begin()->first < bounds->durable_end)
        kept.erase(kept.begin());
    if (!kept.empty())
        bounds->durable_end = kept.rbegin()->first.next();
    return bounds;
}

Result<log::ReadBatch> ForwardLog::read(log::Slot slot, Position from, std::size_t bytes_max) {
    const auto durable = inner_.bounds(slot);
    if (!durable || from < durable->durable_end)
        return inner_.read(slot, from, bytes_max);
    std::vector<Record> records;
    for (const auto& [position, kept] : kept_[slot])
        if (position >= from)
            records.push_back(kept->record);
    const Position next = records.empty() ? from : records.back().position.next();
    return log::ReadBatch({}, std::move(records), next);
}

log::EventLog::WatchId ForwardLog::watch(Advanced advanced) {
    watchers_.push_back(std::make_shared<Advanced>(std::move(advanced)));
    return inner_.watch([watcher = watchers_.back()](log::Slot slot, Position end) { (*watcher)(slot, end); });
}

Result<> SplitStore::commit() {
    const auto write = [this](const auto& what) -> Result<> {
        LEFTFOLD_CHECK(inner_->begin());
        if (auto written = what(); !written) {
            inner_->rollback();
            return written;
        }
        return inner_->commit();
    };
    const auto positions = [this]() -> Result<> {
        for (const auto& position : positions_)
            LEFTFOLD_CHECK(inner_->set_position(position));
        for (const auto& [name, value] : values_)
            LEFTFOLD_CHECK(inner_->set_value(name, value));
        return {};
    };
    LEFTFOLD_CHECK(write(positions));
    LEFTFOLD_CHECK(inner_->sync());
    return write([this]() -> Result<> {
        for (const Change& change : changes_)
            LEFTFOLD_CHECK(change.is_erasure ? inner_->erase(change.table, change.cells)
                                             : inner_->put(change.table, change.cells));
        return {};
    });
}

}  // namespace leftfold::testing
