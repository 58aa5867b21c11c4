#include "sqlite_rows.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "schema.hpp"

namespace leftfold::rows {

namespace {

constexpr std::size_t kReservedRowsMax = 1024;

// One view of the database for several statements; ends the transaction that it has begun.
class Snapshot {
  public:
    explicit Snapshot(SqliteRows& rows) noexcept : rows_(rows) {}
    ~Snapshot() {
        if (has_begun_)
            static_cast<void>(rows_.run("COMMIT", "end a read"));
    }
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

    Result<> begin() {
        if (rows_.connection().is_in_transaction())
            return {};
        LEFTFOLD_CHECK(rows_.run("BEGIN", "begin a read"));
        has_begun_ = true;
        return {};
    }

  private:
    SqliteRows& rows_;
    bool has_begun_ = false;
};

}  // namespace

std::string key_condition(const Table& table) {
    std::string condition;
    for (std::uint32_t i = 0; i < table.key_columns; ++i)
        condition += fmt::format("{}{} = ?", i == 0 ? "" : " AND ", quoted(table.columns[i].name));
    return condition;
}

SqliteRows::SqliteRows(SqliteConnection connection, std::shared_ptr<const Schema> schema)
    : connection_(std::move(connection)), schema_(std::move(schema)), gets_(schema_->tables.size()) {}

Result<std::optional<Row>> SqliteRows::get(TableId id, std::span<const Cell> key) {
    LEFTFOLD_TRY(table, find_table(*schema_, id));
    LEFTFOLD_CHECK(check_key(*table, key));
    SqliteStatement& statement = gets_[id.value()];
    if (!statement) {
        LEFTFOLD_TRY(prepared, connection_.prepare(fmt::format("SELECT {} FROM {} WHERE {}", column_list(*table),
                                                               quoted(table->name), key_condition(*table))));
        statement = std::move(prepared);
    }
    SqliteRun run(connection_, statement);
    for (const Cell& cell : key)
        LEFTFOLD_CHECK(run.bind(cell));
    LEFTFOLD_TRY(has_row, run.step("read a row"));
    if (!has_row)
        return std::nullopt;
    LEFTFOLD_TRY(row, row_of(run, *table));
    return row;
}

Result<std::vector<Row>> SqliteRows::query(const Query& query) {
    LEFTFOLD_TRY(table, find_table(*schema_, query.table));
    LEFTFOLD_CHECK(check_query(*table, query));
    const std::vector<RangeQuery> ranges = plan_query(*table, query);
    std::vector<Row> rows;
    rows.reserve(std::min(query.limit, kReservedRowsMax));
    Snapshot snapshot(*this);
    if (ranges.size() > 1)
        LEFTFOLD_CHECK(snapshot.begin());
    for (const RangeQuery& range : ranges) {
        if (rows.size() >= query.limit)
            break;
        LEFTFOLD_CHECK(append_range(*table, range, query.limit - rows.size(), rows));
    }
    return rows;
}

Result<> SqliteRows::append_range(const Table& table, const RangeQuery& range, std::size_t limit,
                                  std::vector<Row>& rows) {
    constexpr std::size_t kUnlimited = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
    LEFTFOLD_TRY(prepared, statement(range.sql));
    SqliteRun run(connection_, *prepared);
    for (const Cell& value : range.values)
        LEFTFOLD_CHECK(run.bind(value));
    LEFTFOLD_CHECK(run.bind(static_cast<std::int64_t>(std::min(limit, kUnlimited))));
    for (;;) {
        LEFTFOLD_TRY(has_row, run.step("query rows"));
        if (!has_row)
            return {};
        LEFTFOLD_TRY(row, row_of(run, table));
        rows.push_back(std::move(row));
    }
}

Result<Row> SqliteRows::row_of(SqliteRun& run, const Table& table) {
    Row row;
    row.reserve(table.columns.size());
    int number = 0;
    for (const Column& column : table.columns) {
        LEFTFOLD_TRY(cell, run.cell(number++, column.type));
        row.push_back(std::move(cell));
    }
    return row;
}

Result<std::uint64_t> SqliteRows::count(const Query& query) {
    LEFTFOLD_TRY(table, find_table(*schema_, query.table));
    LEFTFOLD_CHECK(check_filters(*table, query));
    const RangeQuery counted = plan_count(*table, query);
    LEFTFOLD_TRY(prepared, statement(counted.sql));
    SqliteRun run(connection_, *prepared);
    for (const Cell& value : counted.values)
        LEFTFOLD_CHECK(run.bind(value));
    LEFTFOLD_CHECK(run.step("count rows"));
    return static_cast<std::uint64_t>(run.integer(0));
}

Result<std::vector<FoldedPosition>> SqliteRows::positions() {
    LEFTFOLD_TRY(prepared,
                 statement(R"(SELECT topic, "partition", position FROM _positions ORDER BY topic, "partition")"));
    SqliteRun run(connection_, *prepared);
    std::vector<FoldedPosition> all;
    for (;;) {
        LEFTFOLD_TRY(has_row, run.step("read the positions"));
        if (!has_row)
            return all;
        LEFTFOLD_TRY(topic, run.text(0));
        all.push_back(
            {std::move(topic), PartitionId(static_cast<std::uint32_t>(run.integer(1))), Position(run.integer(2))});
    }
}

Result<std::optional<std::string>> SqliteRows::value(std::string_view name) {
    LEFTFOLD_TRY(prepared, statement("SELECT value FROM _values WHERE name = ?"));
    SqliteRun run(connection_, *prepared);
    LEFTFOLD_CHECK(run.bind(name));
    LEFTFOLD_TRY(has_row, run.step("read a value"));
    if (!has_row)
        return std::nullopt;
    LEFTFOLD_TRY(text, run.text(0));
    return text;
}

Result<> SqliteRows::run(std::string_view sql, std::string_view what) {
    LEFTFOLD_TRY(prepared, statement(sql));
    SqliteRun run(connection_, *prepared);
    return run.finish(what);
}

Result<const SqliteStatement*> SqliteRows::statement(std::string_view sql) {
    auto found = kept_.find(sql);
    if (found == kept_.end()) {
        LEFTFOLD_TRY(prepared, connection_.prepare(sql));
        if (kept_.size() >= kStatementsMax)
            kept_.erase(std::ranges::min_element(kept_, {}, [](const auto& entry) { return entry.second.last_use; }));
        found = kept_.emplace(std::string(sql), Kept{.statement = std::move(prepared)}).first;
    }
    found->second.last_use = ++use_count_;
    return &found->second.statement;
}

}  // namespace leftfold::rows
