#include "dispatch_rows.hpp"

#include <set>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/murmur2.hpp"

namespace leftfold::process {

namespace {

using rows::Cell;
using rows::CellType;

// Raised when the columns change, or what they mean.
constexpr std::string_view kShape = "dispatch 1";

rows::Schema make_schema() {
    return {.tables = {
                {.name = "commands",
                 .columns = {{"instance", CellType::text},
                             {"version", CellType::integer},
                             {"partition", CellType::integer},
                             {"position", CellType::integer},
                             {"requested_at", CellType::integer},
                             {"aggregate", CellType::text},
                             {"target", CellType::text},
                             {"command", CellType::text},
                             {"body", CellType::text},
                             {"event_id", CellType::text},
                             {"correlation_id", CellType::text},
                             {"traceparent", CellType::text},
                             {"actor", CellType::text},
                             {"tenant", CellType::text}},
                 .key_columns = 2,
                 .indexes = {{"by_position", {kCommandPartition, kCommandPosition}}}},
                {.name = "timers",
                 .columns = {{"instance", CellType::text},
                             {"version", CellType::integer},
                             {"name", CellType::text},
                             {"due", CellType::integer}},
                 .key_columns = 2,
                 .indexes = {{"by_due", {kTimerDue}}}},
            }};
}

Cell text(std::string_view value) {
    return std::string(value);
}

// What one batch changes; a command that is answered within it never reaches the store.
class TableChanges {
  public:
    explicit TableChanges(rows::TableId table) noexcept : table_(table) {}

    void put(Place place, rows::Row row) { rows_.insert_or_assign(std::move(place), std::move(row)); }
    void erase(Place place) {
        if (rows_.erase(place) == 0)
            erased_.insert(std::move(place));
    }
    Result<> flush(rows::RowStore& store) {
        for (const auto& [place, row] : rows_)
            LEFTFOLD_CHECK(store.put(table_, row));
        for (const Place& place : erased_)
            LEFTFOLD_CHECK(store.erase(table_, key_of(place)));
        clear();
        return {};
    }
    void clear() noexcept {
        rows_.clear();
        erased_.clear();
    }

  private:
    rows::TableId table_;
    std::map<Place, rows::Row> rows_;
    std::set<Place> erased_;
};

class DispatchFold final : public ProjectionFold {
  public:
    DispatchFold(const std::string& topic, std::uint32_t partition_count, rows::RowStore& store)
        : store_(store), codec_(topic), prefix_(topic + ".process."), partition_count_(partition_count) {}

    Result<> apply(const Record& record) override {
        if (!record.meta.type.starts_with(prefix_))
            return {};
        LEFTFOLD_TRY(event, codec_.decode(record, reader_));
        std::visit([&](const auto& typed) { take(typed, record); }, event);
        return {};
    }
    Result<> flush() override {
        LEFTFOLD_CHECK(commands_.flush(store_));
        return timers_.flush(store_);
    }
    void discard() noexcept override {
        commands_.clear();
        timers_.clear();
    }

  private:
    void take(const CommandRequested& event, const Record& record) {
        const EventMeta& meta = record.meta;
        const PartitionId partition = partition_of(meta.key, partition_count_);
        commands_.put({std::string(meta.key), meta.version},
                      {text(meta.key), meta.version.value(), std::int64_t{partition.value()}, record.position.value(),
                       to_micros(meta.recorded_at), event.aggregate, event.key, event.command, event.body.to_string(),
                       meta.id.to_string(), text(meta.correlation_id), text(meta.traceparent), text(meta.actor),
                       text(meta.tenant)});
    }
    void take(const TimerSet& event, const Record& record) {
        const EventMeta& meta = record.meta;
        timers_.put({std::string(meta.key), meta.version},
                    {text(meta.key), meta.version.value(), event.name, due_of(meta.recorded_at, event.delay_us)});
    }
    void take(const Answered& event, const Record& record) {
        commands_.erase({std::string(record.meta.key), Version(event.request)});
    }
    void take(const TimerCancelled& event, const Record& record) {
        timers_.erase({std::string(record.meta.key), Version(event.timer)});
    }
    void take(const TimerFired& event, const Record& record) {
        timers_.erase({std::string(record.meta.key), Version(event.timer)});
    }

    // The end of time, where the delay leads beyond it.
    static std::int64_t due_of(Timestamp recorded_at, std::int64_t delay_us) noexcept {
        std::int64_t due = 0;
        return __builtin_add_overflow(to_micros(recorded_at), delay_us, &due) ? to_micros(Timestamp::max()) : due;
    }

    rows::RowStore& store_;
    EventCodec<StoredEvent> codec_;
    std::string prefix_;
    std::uint32_t partition_count_;
    json::Reader reader_;
    TableChanges commands_{kCommands};
    TableChanges timers_{kTimers};
};

template <class T>
T& cell(rows::Row& row, std::size_t column) {
    T* value = column < row.size() ? std::get_if<T>(&row[column]) : nullptr;
    LEFTFOLD_ASSERT(value != nullptr);  // the store keeps the schema
    return *value;
}

}  // namespace

std::vector<Cell> key_of(const Place& place) {
    return {place.instance, place.version.value()};
}

CommandRow command_row(rows::Row&& row) {
    const auto take = [&](std::size_t column) { return std::move(cell<std::string>(row, column)); };
    CommandRow out;
    out.place = {take(kInstance), Version(cell<std::int64_t>(row, 1))};
    out.position = Position(cell<std::int64_t>(row, kCommandPosition));
    out.requested_at = timestamp_from_micros(cell<std::int64_t>(row, 4));
    out.command = {.id = {},
                   .aggregate = take(5),
                   .key = take(6),
                   .command = take(7),
                   .json = take(8),
                   .correlation_id = take(10),
                   .causation_id = take(9),
                   .traceparent = take(11),
                   .actor = take(12),
                   .tenant = take(13)};
    return out;
}

TimerRow timer_row(rows::Row&& row) {
    return {.place = {std::move(cell<std::string>(row, kInstance)), Version(cell<std::int64_t>(row, 1))},
            .name = std::move(cell<std::string>(row, 2)),
            .due = timestamp_from_micros(cell<std::int64_t>(row, kTimerDue))};
}

DispatchProjection::DispatchProjection(const ProcessModel& model, std::uint32_t partition_count)
    : model_(model),
      partition_count_(partition_count),
      schema_(make_schema()),
      shape_(kShape),
      topics_{model.topic()} {}

std::unique_ptr<ProjectionFold> DispatchProjection::fold_into(rows::RowStore& store) const {
    return std::make_unique<DispatchFold>(model_.topic(), partition_count_, store);
}

}  // namespace leftfold::process
