// SqliteRows: what a connection reads, by the port's terms; statements are prepared once and kept.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/rows/row_store.hpp"

#include "query_plan.hpp"
#include "sqlite_connection.hpp"

namespace leftfold::rows {

// Thread rule: as a connection.
class SqliteRows {
  public:
    // Shapes of queries whose statements are kept, by each connection.
    static constexpr std::size_t kStatementsMax = 64;

    SqliteRows(SqliteConnection connection, std::shared_ptr<const Schema> schema);

    Result<std::optional<Row>> get(TableId id, std::span<const Cell> key);
    Result<std::vector<Row>> query(const Query& query);
    Result<std::uint64_t> count(const Query& query);
    Result<std::vector<FoldedPosition>> positions();
    Result<std::optional<std::string>> value(std::string_view name);

    // Runs a statement without rows.
    Result<> run(std::string_view sql, std::string_view what);
    // The pointer is good until the next call that needs a statement.
    Result<const SqliteStatement*> statement(std::string_view sql);
    SqliteConnection& connection() noexcept { return connection_; }
    const std::shared_ptr<const Schema>& schema() const noexcept { return schema_; }

  private:
    struct Kept {
        SqliteStatement statement;
        std::uint64_t last_use = 0;
    };

    Result<> append_range(const Table& table, const RangeQuery& range, std::size_t limit, std::vector<Row>& rows);
    Result<Row> row_of(SqliteRun& run, const Table& table);

    SqliteConnection connection_;  // outlives the statements
    std::shared_ptr<const Schema> schema_;
    std::vector<SqliteStatement> gets_;  // by table
    std::map<std::string, Kept, std::less<>> kept_;
    std::uint64_t use_count_ = 0;
};

// "a" = ? AND "b" = ? …, of the key.
std::string key_condition(const Table& table);

}  // namespace leftfold::rows
