// SqliteConnection and SqliteStatement: SQLite's handles as values, its error numbers as Errors that keep what the file
// system said.
//
// Thread rule: a connection and its statements are used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "leftfold/base/error.hpp"
#include "leftfold/rows/row_store.hpp"

#include "sqlite_vfs.hpp"

namespace leftfold::rows {

enum class SqliteAccess : std::uint8_t { create, read_write, read };

class SqliteConnection;

// Prepared once, run often: bind, step, and reset by SqliteRun.
class SqliteStatement {
  public:
    SqliteStatement() = default;

    explicit operator bool() const noexcept { return statement_ != nullptr; }
    sqlite3_stmt* get() const noexcept { return statement_.get(); }

  private:
    friend class SqliteConnection;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
    };
    explicit SqliteStatement(sqlite3_stmt* statement) noexcept : statement_(statement) {}

    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// One run of a statement. What is bound is borrowed until the run ends; then its locks are released too.
class SqliteRun {
  public:
    SqliteRun(SqliteConnection& connection, const SqliteStatement& statement) noexcept
        : connection_(connection), statement_(statement.get()) {}
    ~SqliteRun() { sqlite3_reset(statement_); }
    SqliteRun(const SqliteRun&) = delete;
    SqliteRun& operator=(const SqliteRun&) = delete;

    // Parameters in order, from the first.
    Result<> bind(const Cell& cell);
    Result<> bind(std::int64_t value);
    Result<> bind(std::string_view text);

    // True: there is a row. `what` completes "cannot …" in an error.
    Result<bool> step(std::string_view what);
    // Runs to the end.
    Result<> finish(std::string_view what);

    std::int64_t integer(int column) noexcept { return sqlite3_column_int64(statement_, column); }
    Result<std::string> text(int column);
    // By the type of the column; a file that holds another is corrupt.
    Result<Cell> cell(int column, CellType type);

  private:
    SqliteConnection& connection_;
    sqlite3_stmt* statement_;
    int next_parameter_ = 1;
};

class SqliteConnection {
  public:
    // Keeps the VFS alive.
    static Result<SqliteConnection> open(std::shared_ptr<SqliteVfs> vfs, const std::string& path, SqliteAccess access);

    sqlite3* get() const noexcept { return database_.get(); }
    const std::string& path() const noexcept { return path_; }
    const std::shared_ptr<SqliteVfs>& vfs() const noexcept { return vfs_; }

    Result<SqliteStatement> prepare(std::string_view sql);
    // Statements without parameters and of no interest as to rows.
    Result<> execute(const std::string& sql);
    // The first column of the first row of one that gives one.
    Result<std::int64_t> integer_of(std::string_view sql);
    bool is_in_transaction() const noexcept { return sqlite3_get_autocommit(database_.get()) == 0; }

    // What a call that answered `code` failed by.
    Error error(int code, std::string_view what, std::source_location where = std::source_location::current()) const;

  private:
    struct Close {
        void operator()(sqlite3* database) const noexcept;
    };
    SqliteConnection(std::shared_ptr<SqliteVfs> vfs, std::string path, sqlite3* database)
        : vfs_(std::move(vfs)), path_(std::move(path)), database_(database) {}

    std::shared_ptr<SqliteVfs> vfs_;
    std::string path_;
    std::unique_ptr<sqlite3, Close> database_;  // before the VFS goes
};

}  // namespace leftfold::rows
