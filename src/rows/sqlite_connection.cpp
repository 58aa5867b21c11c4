#include "sqlite_connection.hpp"

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

#include "schema.hpp"

namespace leftfold::rows {

namespace {

int flags_of(SqliteAccess access) noexcept {
    switch (access) {
        case SqliteAccess::create:
            return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        case SqliteAccess::read_write:
            return SQLITE_OPEN_READWRITE;
        case SqliteAccess::read:
            break;
    }
    return SQLITE_OPEN_READONLY;
}

}  // namespace

Result<> SqliteRun::bind(const Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell))
        return bind(std::string_view(*text));
    int code = SQLITE_OK;
    if (const auto* integer = std::get_if<std::int64_t>(&cell))
        code = sqlite3_bind_int64(statement_, next_parameter_++, *integer);
    else if (const auto* real = std::get_if<double>(&cell))
        code = sqlite3_bind_double(statement_, next_parameter_++, *real == 0.0 ? 0.0 : *real);  // no -0.0
    else
        code = sqlite3_bind_null(statement_, next_parameter_++);
    if (code != SQLITE_OK)
        return std::unexpected(connection_.error(code, "bind a value"));
    return {};
}

Result<> SqliteRun::bind(std::int64_t value) {
    if (const int code = sqlite3_bind_int64(statement_, next_parameter_++, value); code != SQLITE_OK)
        return std::unexpected(connection_.error(code, "bind a value"));
    return {};
}

Result<> SqliteRun::bind(std::string_view text) {
    LEFTFOLD_CHECK(check_text(text));
    // A null pointer would bind null.
    const char* bytes = text.empty() ? "" : text.data();
    const int code =
        sqlite3_bind_text(statement_, next_parameter_++, bytes, static_cast<int>(text.size()), SQLITE_STATIC);
    if (code != SQLITE_OK)
        return std::unexpected(connection_.error(code, "bind a value"));
    return {};
}

Result<bool> SqliteRun::step(std::string_view what) {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW)
        return true;
    if (code == SQLITE_DONE)
        return false;
    return std::unexpected(connection_.error(code, what));
}

Result<> SqliteRun::finish(std::string_view what) {
    bool has_more = true;
    while (has_more) {
        LEFTFOLD_TRY(stepped, step(what));
        has_more = stepped;
    }
    return {};
}

Result<std::string> SqliteRun::text(int column) {
    const auto* bytes = sqlite3_column_text(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    if (bytes == nullptr)
        return std::unexpected(connection_.error(
            sqlite3_errcode(connection_.get()) == SQLITE_NOMEM ? SQLITE_NOMEM : SQLITE_CORRUPT, "read a text"));
    return std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

Result<Cell> SqliteRun::cell(int column, CellType type) {
    const int stored_type = sqlite3_column_type(statement_, column);
    if (stored_type == SQLITE_NULL)
        return Cell{};
    if (type == CellType::integer && stored_type == SQLITE_INTEGER)
        return Cell{std::int64_t{sqlite3_column_int64(statement_, column)}};
    if (type == CellType::real && stored_type == SQLITE_FLOAT)
        return Cell{sqlite3_column_double(statement_, column)};
    if (type == CellType::text && stored_type == SQLITE_TEXT) {
        LEFTFOLD_TRY(value, text(column));
        return Cell{std::move(value)};
    }
    return std::unexpected(connection_.error(SQLITE_CORRUPT, "read a value of another type"));
}

void SqliteConnection::Close::operator()(sqlite3* database) const noexcept {
    const int code = sqlite3_close(database);
    LEFTFOLD_ASSERT(code == SQLITE_OK);  // else a statement has outlived its connection
    // The last connection copies the WAL into the file. What fails then is done by who opens it next.
    static_cast<void>(take_vfs_error());
}

Result<SqliteConnection> SqliteConnection::open(std::shared_ptr<SqliteVfs> vfs, const std::string& path,
                                                SqliteAccess access) {
    static_cast<void>(take_vfs_error());
    sqlite3* database = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &database, flags_of(access) | SQLITE_OPEN_NOMUTEX, vfs->name());
    SqliteConnection connection(std::move(vfs), path, database);
    if (code != SQLITE_OK)
        return std::unexpected(connection.error(code, "open it"));
    sqlite3_extended_result_codes(database, 1);
    // Only the writer copies the WAL into the file.
    if (access == SqliteAccess::read)
        sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return connection;
}

Result<SqliteStatement> SqliteConnection::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                        &statement, nullptr);
    if (code != SQLITE_OK)
        return std::unexpected(error(code, fmt::format("prepare \"{}\"", sql)));
    return SqliteStatement(statement);
}

Result<> SqliteConnection::execute(const std::string& sql) {
    const int code = sqlite3_exec(get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK)
        return std::unexpected(error(code, fmt::format("run \"{}\"", sql)));
    return {};
}

Result<std::int64_t> SqliteConnection::integer_of(std::string_view sql) {
    LEFTFOLD_TRY(statement, prepare(sql));
    SqliteRun run(*this, statement);
    LEFTFOLD_TRY(has_row, run.step(sql));
    return has_row ? run.integer(0) : 0;
}

Error SqliteConnection::error(int code, std::string_view what, std::source_location where) const {
    // SQLite passes some failures over: only these codes can be of the one that was kept.
    const int kind = code & 0xFF;
    auto of_files = take_vfs_error();
    if (kind != SQLITE_IOERR && kind != SQLITE_CANTOPEN && kind != SQLITE_FULL && kind != SQLITE_READONLY)
        of_files = std::nullopt;
    const auto message = [&](std::string_view why) {
        return fmt::format("row store '{}': cannot {}: {}", path_, what, why);
    };
    const std::string said = of_files ? of_files->message() : sqlite3_errstr(code);
    switch (kind) {
        case SQLITE_FULL:
            return {ErrorCode::no_space, message(said), Retry::yes, where};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_ERROR:  // a statement of ours that the file's tables do not fit
            return {ErrorCode::corrupt,
                    message(fmt::format("{}. Delete the file (and '{}-wal'), and it is built again from the log",
                                        kind == SQLITE_ERROR ? sqlite3_errmsg(get()) : sqlite3_errstr(code), path_)),
                    Retry::no, where};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorCode::unavailable, message("another user of it in this process holds it"), Retry::yes, where};
        case SQLITE_TOOBIG:
            return {ErrorCode::too_large, message("a text or row is too large"), Retry::no, where};
        case SQLITE_READONLY:
            return {ErrorCode::read_only, message(said), Retry::no, where};
        default:
            break;
    }
    if (of_files)
        return {of_files->code(), message(said), of_files->retryable() ? Retry::yes : Retry::no, where};
    return {ErrorCode::unavailable, message(said), Retry::no, where};
}

}  // namespace leftfold::rows
