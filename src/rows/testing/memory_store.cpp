#include "memory_store.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

#include "schema.hpp"

namespace leftfold::rows {

namespace {

struct RowLess {
    bool operator()(const Row& left, const Row& right) const {
        return std::lexicographical_compare_three_way(left.begin(), left.end(), right.begin(), right.end(), compare) <
               0;
    }
};

struct State {
    std::vector<std::map<Row, Row, RowLess>> tables;  // by key
    std::map<std::pair<std::string, PartitionId>, Position> positions;
    std::map<std::string, std::string, std::less<>> values;
};

}  // namespace

struct MemoryDatabase {
    Schema schema;
    std::mutex mutex;
    std::shared_ptr<const State> committed;  // guarded by mutex; a state never changes

    std::shared_ptr<const State> now() {
        const std::scoped_lock lock(mutex);
        return committed;
    }
};

struct MemoryStores::Files {
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<MemoryDatabase>> databases;  // guarded by mutex
};

namespace {

std::shared_ptr<MemoryDatabase> make_database(const Schema& schema, std::shared_ptr<const State> state) {
    auto database = std::make_shared<MemoryDatabase>();
    database->schema = schema;
    database->committed = std::move(state);
    return database;
}

std::shared_ptr<const State> empty_state(const Schema& schema) {
    auto state = std::make_shared<State>();
    state->tables.resize(schema.tables.size());
    return state;
}

bool is_null(const Cell& cell) {
    return std::holds_alternative<std::monostate>(cell);
}

bool passes(const Filter& filter, const Cell& cell) {
    const bool has_null_bound =
        (filter.low && is_null(filter.low->value)) || (filter.high && is_null(filter.high->value));
    if (is_null(cell) && (filter.low || filter.high) && !has_null_bound)
        return false;
    if (filter.low) {
        const auto order = compare(cell, filter.low->value);
        if (order < 0 || (order == 0 && !filter.low->inclusive))
            return false;
    }
    if (filter.high) {
        const auto order = compare(cell, filter.high->value);
        if (order > 0 || (order == 0 && !filter.high->inclusive))
            return false;
    }
    return true;
}

std::vector<Row> matching(const State& state, const Query& query) {
    std::vector<Row> rows;
    for (const auto& [key, row] : state.tables[query.table.value()]) {
        if (std::ranges::all_of(query.filters, [&](const Filter& f) { return passes(f, row[f.column]); }))
            rows.push_back(row);
    }
    return rows;
}

std::vector<Row> answer(const Table& table, const State& state, const Query& query) {
    const std::vector<std::uint32_t> columns = order_columns(table, query);
    const auto place = [&](const Row& row) {
        Row cells;
        for (const std::uint32_t column : columns)
            cells.push_back(row[column]);
        return cells;
    };
    const RowLess less;
    const auto comes_before = [&](const Row& left, const Row& right) {
        return query.descending ? less(right, left) : less(left, right);
    };
    std::vector<Row> rows = matching(state, query);
    std::ranges::sort(rows, [&](const Row& left, const Row& right) { return comes_before(place(left), place(right)); });
    if (!query.after.empty())
        std::erase_if(rows, [&](const Row& row) { return !comes_before(query.after, place(row)); });
    if (rows.size() > query.limit)
        rows.resize(query.limit);
    return rows;
}

// RowReader over whatever state() gives; Base is RowReader or RowStore.
template <class Base>
class MemoryRows : public Base {
  public:
    explicit MemoryRows(std::shared_ptr<MemoryDatabase> database) : database_(std::move(database)) {}

    Result<std::optional<Row>> get(TableId id, std::span<const Cell> key) override {
        LEFTFOLD_TRY(table, find_table(database_->schema, id));
        LEFTFOLD_CHECK(check_key(*table, key));
        const auto now = state();
        const auto& rows = now->tables[id.value()];
        const auto found = rows.find(Row(key.begin(), key.end()));
        return found == rows.end() ? std::nullopt : std::optional(found->second);
    }
    Result<std::vector<Row>> query(const Query& query) override {
        LEFTFOLD_TRY(table, find_table(database_->schema, query.table));
        LEFTFOLD_CHECK(check_query(*table, query));
        return answer(*table, *state(), query);
    }
    Result<std::uint64_t> count(const Query& query) override {
        LEFTFOLD_TRY(table, find_table(database_->schema, query.table));
        LEFTFOLD_CHECK(check_filters(*table, query));
        return matching(*state(), query).size();
    }
    Result<std::vector<FoldedPosition>> positions() override {
        std::vector<FoldedPosition> all;
        for (const auto& [place, position] : state()->positions)
            all.push_back({place.first, place.second, position});
        return all;
    }
    Result<std::optional<std::string>> value(std::string_view name) override {
        const auto now = state();
        const auto found = now->values.find(name);
        return found == now->values.end() ? std::nullopt : std::optional(found->second);
    }

  protected:
    virtual std::shared_ptr<const State> state() { return database_->now(); }

    std::shared_ptr<MemoryDatabase> database_;
};

class MemoryStore final : public MemoryRows<RowStore> {
  public:
    MemoryStore(std::shared_ptr<MemoryDatabase> database, std::shared_ptr<MemoryStores::Files> files)
        : MemoryRows(std::move(database)), files_(std::move(files)) {}

    const Schema& schema() const noexcept override { return database_->schema; }

    Result<> begin() override {
        LEFTFOLD_ASSERT(!working_);
        working_ = std::make_shared<State>(*database_->now());
        failure_ = std::nullopt;
        return {};
    }
    Result<> put(TableId id, std::span<const Cell> row) override {
        return write([&]() -> Result<> {
            LEFTFOLD_TRY(table, find_table(database_->schema, id));
            LEFTFOLD_CHECK(check_row(*table, row));
            Row cells;
            std::ranges::transform(row, std::back_inserter(cells), stored);
            Row key(cells.begin(), cells.begin() + table->key_columns);
            working_->tables[id.value()].insert_or_assign(std::move(key), std::move(cells));
            return {};
        });
    }
    Result<> erase(TableId id, std::span<const Cell> key) override {
        return write([&]() -> Result<> {
            LEFTFOLD_TRY(table, find_table(database_->schema, id));
            LEFTFOLD_CHECK(check_key(*table, key));
            working_->tables[id.value()].erase(Row(key.begin(), key.end()));
            return {};
        });
    }
    Result<> set_position(const FoldedPosition& position) override {
        return write([&]() -> Result<> {
            LEFTFOLD_CHECK(check_text(position.topic));
            working_->positions.insert_or_assign({position.topic, position.partition}, position.position);
            return {};
        });
    }
    Result<> set_value(std::string_view name, std::string_view value) override {
        return write([&]() -> Result<> {
            LEFTFOLD_CHECK(check_text(name));
            LEFTFOLD_CHECK(check_text(value));
            working_->values.insert_or_assign(std::string(name), std::string(value));
            return {};
        });
    }
    Result<> commit() override {
        auto written = write([]() -> Result<> { return {}; });
        const std::shared_ptr<const State> finished = std::exchange(working_, nullptr);
        if (!written)
            return written;
        const std::scoped_lock lock(database_->mutex);
        database_->committed = finished;
        return {};
    }
    void rollback() override { working_ = nullptr; }

    Result<std::unique_ptr<RowReader>> reader() override { return std::make_unique<MemoryRows<RowReader>>(database_); }
    Result<> sync() override { return {}; }
    Result<> copy_to(const std::string& path) override {
        LEFTFOLD_ASSERT(!working_);
        auto copy = make_database(database_->schema, database_->now());
        const std::scoped_lock lock(files_->mutex);
        if (!files_->databases.emplace(path, std::move(copy)).second)
            return fail(ErrorCode::already_exists, fmt::format("cannot copy the store to '{}': it exists", path));
        return {};
    }

  protected:
    std::shared_ptr<const State> state() override { return working_ ? working_ : database_->now(); }

  private:
    template <class Change>
    Result<> write(Change change) {
        LEFTFOLD_ASSERT(working_);
        if (failure_)
            return std::unexpected(*failure_);
        Result<> written = change();
        if (!written)
            failure_ = written.error();
        return written;
    }

    std::shared_ptr<MemoryStores::Files> files_;
    std::shared_ptr<State> working_;  // of the open transaction
    std::optional<Error> failure_;    // of the first write of the transaction that failed
};

}  // namespace

MemoryStores::MemoryStores() : files_(std::make_shared<Files>()) {}

Result<std::unique_ptr<RowStore>> MemoryStores::open(const std::string& path, const Schema& schema) {
    LEFTFOLD_CHECK(check_schema(schema));
    const std::scoped_lock lock(files_->mutex);
    auto& database = files_->databases[path];
    if (!database)
        database = make_database(schema, empty_state(schema));
    if (database->schema != schema)
        return fail(ErrorCode::conflict, fmt::format("the store '{}' has another schema: {}", path,
                                                     first_difference(describe(database->schema), describe(schema))));
    return std::make_unique<MemoryStore>(database, files_);
}

bool MemoryStores::exists(const std::string& path) const {
    const std::scoped_lock lock(files_->mutex);
    return files_->databases.contains(path);
}

void MemoryStores::remove(const std::string& path) {
    const std::scoped_lock lock(files_->mutex);
    files_->databases.erase(path);
}

std::unique_ptr<RowStore> make_memory_store(const Schema& schema) {
    MemoryStores stores;
    auto opened = stores.open("memory", schema);
    if (!opened)
        throw std::invalid_argument(opened.error().message());
    return *std::move(opened);
}

}  // namespace leftfold::rows
