#include "generation_rows.hpp"

#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/event/json.hpp"

namespace leftfold {

namespace {

constexpr std::string_view kIncarnationValue = "leftfold.incarnation";
constexpr std::string_view kShapeValue = "leftfold.shape";
// Of what a user's handler says.
constexpr std::size_t kFaultMessageBytesMax = 2'000;

constexpr std::string_view kSkippedValue = "leftfold.skipped";

// As it is written; the names are those of the JSON fields.
struct StoredSkip {
    std::string topic;
    std::uint32_t partition = 0;
    std::int64_t position = 0;
    std::string type;
    std::string key;
    std::int64_t version = 0;
    std::string message;
    Timestamp at;
};

std::string encode(const std::vector<SkippedEvent>& skipped) {
    std::vector<StoredSkip> stored;
    stored.reserve(skipped.size());
    for (const SkippedEvent& event : skipped) {
        const EventFault& fault = event.fault;
        stored.push_back({fault.place.topic, fault.place.partition.value(), fault.place.position.value(), fault.type,
                          fault.key, fault.version.value(), fault.message, event.at});
    }
    return json::to_string(stored);
}

Result<std::vector<SkippedEvent>> decode(std::string_view text) {
    const auto stored = json::read<std::vector<StoredSkip>>(text, json::Strictness::lenient);
    if (!stored)
        return fail(ErrorCode::corrupt, "the list of skipped events: " + stored.error().message());
    std::vector<SkippedEvent> skipped;
    skipped.reserve(stored->size());
    for (const StoredSkip& event : *stored) {
        skipped.push_back({{{event.topic, PartitionId(event.partition), Position(event.position)},
                            event.type,
                            event.key,
                            Version(event.version),
                            event.message},
                           event.at});
    }
    return skipped;
}

template <class Write>
Result<> in_transaction(rows::RowStore& store, const Write& write) {
    LEFTFOLD_CHECK(store.begin());
    Result<> done = write();
    if (done)
        done = store.commit();
    if (!done)
        store.rollback();
    return done;
}

// What a row can be at fault for. All other errors of a store are its own, and pass or not whatever the events are.
bool is_of_event_in_store(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::invalid_argument:
        case ErrorCode::not_found:
        case ErrorCode::already_exists:
        case ErrorCode::conflict:
        case ErrorCode::unsupported:
        case ErrorCode::too_large:
        case ErrorCode::user_code:
            return true;
        default:
            return false;
    }
}

}  // namespace

bool is_damage(const Error& error) noexcept {
    return error.code() == ErrorCode::corrupt || error.code() == ErrorCode::unsupported;
}

// Tells a fold that failed from a store that failed below it.
class WatchedStore final : public rows::RowStore {
  public:
    explicit WatchedStore(rows::RowStore& store) noexcept : store_(store) {}

    const std::optional<Error>& error() const noexcept { return error_; }
    std::optional<Error> take_error() noexcept { return std::exchange(error_, std::nullopt); }

    Result<std::optional<rows::Row>> get(rows::TableId table, std::span<const rows::Cell> key) override {
        return watch(store_.get(table, key));
    }
    Result<std::vector<rows::Row>> query(const rows::Query& query) override { return watch(store_.query(query)); }
    Result<std::uint64_t> count(const rows::Query& query) override { return watch(store_.count(query)); }
    Result<std::vector<rows::FoldedPosition>> positions() override { return watch(store_.positions()); }
    Result<std::optional<std::string>> value(std::string_view name) override { return watch(store_.value(name)); }
    const rows::Schema& schema() const noexcept override { return store_.schema(); }
    Result<> begin() override { return watch(store_.begin()); }
    Result<> put(rows::TableId table, std::span<const rows::Cell> row) override {
        return watch(store_.put(table, row));
    }
    Result<> erase(rows::TableId table, std::span<const rows::Cell> key) override {
        return watch(store_.erase(table, key));
    }
    Result<> set_position(const rows::FoldedPosition& position) override {
        return watch(store_.set_position(position));
    }
    Result<> set_value(std::string_view name, std::string_view value) override {
        return watch(store_.set_value(name, value));
    }
    Result<> commit() override { return watch(store_.commit()); }
    void rollback() override { store_.rollback(); }
    Result<std::unique_ptr<rows::RowReader>> reader() override { return watch(store_.reader()); }
    Result<> sync() override { return watch(store_.sync()); }
    Result<> copy_to(const std::string& path) override { return watch(store_.copy_to(path)); }

  private:
    template <class R>
    R watch(R result) {
        if (!result && !error_)
            error_ = result.error();
        return result;
    }

    rows::RowStore& store_;
    std::optional<Error> error_;  // the first
};

GenerationRows::GenerationRows(const ProjectionModel& model, const FollowedSlots& slots)
    : model_(model), slots_(slots) {}

GenerationRows::~GenerationRows() = default;

Result<GenerationRows::Found> GenerationRows::open(const StoreFactory& open_store, const std::string& path,
                                                   const rows::Schema& schema) {
    close();
    LEFTFOLD_TRY(store, open_store(path, schema));
    store_ = std::move(store);
    Found found;
    LEFTFOLD_TRY(incarnation, store_->value(kIncarnationValue));
    if (incarnation) {
        auto parsed = Uuid::parse(*incarnation);
        if (!parsed)
            return fail(ErrorCode::corrupt, fmt::format("'{}': the log's incarnation: {}", path, *incarnation));
        found.incarnation = *parsed;
    }
    LEFTFOLD_TRY(shape, store_->value(kShapeValue));
    found.shape = std::move(shape).value_or("");
    LEFTFOLD_TRY(skipped, store_->value(kSkippedValue));
    if (skipped) {
        LEFTFOLD_TRY(decoded, decode(*skipped));
        found.skipped = std::move(decoded);
    }
    LEFTFOLD_TRY(positions, store_->positions());
    found.positions = slots_.positions_of(positions);
    LEFTFOLD_TRY(reader, store_->reader());
    found.reader = std::move(reader);
    if (schema == model_.schema()) {
        watched_ = std::make_unique<WatchedStore>(*store_);
        fold_ = model_.fold_into(*watched_);
    }
    return found;
}

Result<> GenerationRows::import(const StoreFactory& open_store, const std::string& from, const std::string& to,
                                const rows::Schema& schema, const Uuid& incarnation, const std::string& shape) {
    LEFTFOLD_TRY(store, open_store(from, schema));
    LEFTFOLD_TRY(stored_incarnation, store->value(kIncarnationValue));
    LEFTFOLD_TRY(stored_shape, store->value(kShapeValue));
    if (stored_incarnation != incarnation.to_string()) {
        return fail(ErrorCode::invalid_argument,
                    fmt::format("'{}' was made from the log {}, and this one is {}", from,
                                stored_incarnation.value_or("of nobody"), incarnation.to_string()));
    }
    if (stored_shape != shape)
        return fail(ErrorCode::invalid_argument, fmt::format("'{}' is of another version of the projection", from));
    return store->copy_to(to);
}

Result<> GenerationRows::begin(const Uuid& incarnation, const std::string& shape) {
    return in_transaction(*store_, [&]() -> Result<> {
        LEFTFOLD_CHECK(store_->set_value(kIncarnationValue, incarnation.to_string()));
        return store_->set_value(kShapeValue, shape);
    });
}

// A batch that holds an event that cannot be folded is folded again up to it. Where only the flush tells that there is
// one, events are flushed one by one to find it. Each attempt has fewer events than the one before, or flushes more
// often; so it ends.
FoldOutcome GenerationRows::fold(const FoldBatch& batch) {
    LEFTFOLD_ASSERT(fold_);
    FoldOutcome outcome;
    std::size_t record_count = batch.record_count;
    Flush flush = Flush::behind_the_last;
    while (auto failure = try_fold(batch, record_count, flush, outcome)) {
        undo();
        if (!failure->is_of_event) {
            outcome.positions.clear();
            outcome.fault.reset();
            outcome.error = std::move(failure->error);
            return outcome;
        }
        if (failure->record) {
            LEFTFOLD_ASSERT(*failure->record < record_count);
            record_count = *failure->record;
            outcome.fault = fault_of(batch, record_count, failure->error);
        } else {
            LEFTFOLD_ASSERT(flush == Flush::behind_the_last);
            flush = Flush::behind_each;
        }
    }
    outcome.folded = record_count;
    return outcome;
}

std::optional<GenerationRows::Failure> GenerationRows::try_fold(const FoldBatch& batch, std::size_t record_count,
                                                                Flush flush, FoldOutcome& outcome) {
    static_cast<void>(watched_->take_error());
    if (auto begun = watched_->begin(); !begun)
        return Failure{.error = std::move(begun).error()};
    in_transaction_ = true;
    if (auto failure = apply(batch, record_count, flush))
        return failure;
    if (auto finished = finish(batch, record_count, outcome); !finished) {
        Failure failure = failure_of(std::nullopt, std::move(finished).error());
        failure.is_of_event = failure.is_of_event && flush == Flush::behind_the_last;
        return failure;
    }
    in_transaction_ = false;
    return std::nullopt;
}

std::optional<GenerationRows::Failure> GenerationRows::apply(const FoldBatch& batch, std::size_t record_count,
                                                             Flush flush) {
    std::size_t number = 0;
    for (const FoldBatch::Piece& piece : batch.pieces) {
        const auto records = piece.read.records().first(piece.record_count);
        for (std::size_t i = 0; i < records.size() && number < record_count; ++i, ++number) {
            auto applied = fold_->apply(records[i]);
            if (applied && flush == Flush::behind_each)
                applied = fold_->flush();
            // A handler may have caught it; the transaction will not forget.
            if (applied && flush == Flush::behind_each && watched_->error())
                applied = std::unexpected(*watched_->error());
            if (!applied)
                return failure_of(number, std::move(applied).error());
        }
    }
    if (flush == Flush::behind_the_last) {
        if (auto flushed = fold_->flush(); !flushed)
            return failure_of(record_count == 1 ? std::optional<std::size_t>(0) : std::nullopt,
                              std::move(flushed).error());
    }
    return std::nullopt;
}

// Positions of what is folded, in the same transaction.
Result<> GenerationRows::finish(const FoldBatch& batch, std::size_t record_count, FoldOutcome& outcome) {
    outcome.positions.clear();
    std::size_t behind = 0;
    for (const FoldBatch::Piece& piece : batch.pieces) {
        const std::size_t begin = std::exchange(behind, behind + piece.record_count);
        const bool is_whole = behind <= record_count;
        // Nothing behind the event that stops it, also of other partitions.
        const Position position = is_whole ? piece.next : piece.read.records()[record_count - begin].position;
        const FollowedSlots::Entry& entry = slots_[piece.slot];
        LEFTFOLD_CHECK(watched_->set_position({entry.topic, entry.slot.partition, position}));
        outcome.positions.emplace_back(piece.slot, position);
        if (!is_whole)
            break;
    }
    return watched_->commit();
}

void GenerationRows::undo() noexcept {
    if (std::exchange(in_transaction_, false))
        watched_->rollback();
    fold_->discard();
}

GenerationRows::Failure GenerationRows::failure_of(std::optional<std::size_t> record, Error error) {
    auto below = watched_->take_error();
    const bool is_of_event = !below || is_of_event_in_store(below->code());
    return {.record = record, .is_of_event = is_of_event, .error = is_of_event ? std::move(error) : *std::move(below)};
}

EventFault GenerationRows::fault_of(const FoldBatch& batch, std::size_t record, const Error& error) const {
    auto piece = batch.pieces.begin();
    for (; record >= piece->record_count; ++piece)
        record -= piece->record_count;
    const Record& event = piece->read.records()[record];
    const FollowedSlots::Entry& entry = slots_[piece->slot];
    return {.place = {entry.topic, entry.slot.partition, event.position},
            .type = std::string(event.meta.type),
            .key = std::string(event.meta.key),
            .version = event.meta.version,
            .message = error.message().substr(0, kFaultMessageBytesMax)};
}

Result<> GenerationRows::skip(const EventPlace& place, const std::vector<SkippedEvent>& skipped) {
    return in_transaction(*store_, [&]() -> Result<> {
        LEFTFOLD_CHECK(store_->set_position({place.topic, place.partition, place.position.next()}));
        return store_->set_value(kSkippedValue, encode(skipped));
    });
}

Result<std::unique_ptr<rows::RowReader>> GenerationRows::reader() {
    return store_->reader();
}

Result<> GenerationRows::sync() {
    return store_->sync();
}

Result<> GenerationRows::copy_to(const std::string& path) {
    return store_->copy_to(path);
}

void GenerationRows::close() noexcept {
    fold_.reset();
    watched_.reset();
    store_.reset();
}

}  // namespace leftfold
