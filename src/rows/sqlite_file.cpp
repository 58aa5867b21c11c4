#include "sqlite_file.hpp"

#include <fmt/format.h>

#include "query_plan.hpp"
#include "schema.hpp"

namespace leftfold::rows {

namespace {

constexpr std::int64_t kApplicationId = 0x4C66'5277;  // "LfRw"
constexpr std::int64_t kFormatVersion = 1;

std::string temporary_name(const std::string& path) {
    return path + ".tmp";
}

Result<bool> remove_if_there(FileSystem& files, const std::string& path) {
    auto removed = files.remove(path);
    if (removed)
        return true;
    if (removed.error().code() == ErrorCode::not_found)
        return false;
    return std::unexpected(std::move(removed).error());
}

// The database itself goes first: without it, what is beside it is known to be left over.
Result<> remove_files(FileSystem& files, const std::string& path) {
    bool has_removed = false;
    for (const char* suffix : {"", "-wal", "-journal"}) {
        LEFTFOLD_TRY(was_there, remove_if_there(files, path + suffix));
        has_removed = has_removed || was_there;
    }
    return has_removed ? files.sync_directory(folder_of(path)) : Result<>{};
}

std::string table_sql(const Table& table) {
    std::string sql = fmt::format("CREATE TABLE {} (", quoted(table.name));
    for (const Column& column : table.columns)
        sql +=
            fmt::format("{} {}{}, ", quoted(column.name), to_string(column.type), column.nullable ? "" : " NOT NULL");
    sql += "PRIMARY KEY (";
    for (std::uint32_t i = 0; i < table.key_columns; ++i)
        sql += (i == 0 ? "" : ", ") + quoted(table.columns[i].name);
    return sql + ")) STRICT, WITHOUT ROWID";
}

std::string index_sql(const Table& table, const Index& index) {
    std::string columns;
    for (const std::uint32_t column : index.columns)
        columns += (columns.empty() ? "" : ", ") + quoted(table.columns[column].name);
    return fmt::format("CREATE INDEX {} ON {} ({})", quoted(index_name(table, index)), quoted(table.name), columns);
}

// Names that begin with "_" are ours: no table of a schema has one.
Result<> make_tables(SqliteConnection& connection, const Schema& schema) {
    LEFTFOLD_CHECK(connection.execute("BEGIN"));
    LEFTFOLD_CHECK(connection.execute(fmt::format("PRAGMA application_id = {}", kApplicationId)));
    LEFTFOLD_CHECK(connection.execute(fmt::format("PRAGMA user_version = {}", kFormatVersion)));
    LEFTFOLD_CHECK(connection.execute("CREATE TABLE _schema (description TEXT NOT NULL) STRICT"));
    LEFTFOLD_CHECK(connection.execute(
        "CREATE TABLE _positions (topic TEXT NOT NULL, \"partition\" INTEGER NOT NULL, position INTEGER NOT NULL, "
        "PRIMARY KEY (topic, \"partition\")) STRICT, WITHOUT ROWID"));
    LEFTFOLD_CHECK(connection.execute(
        "CREATE TABLE _values (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID"));
    for (const Table& table : schema.tables) {
        LEFTFOLD_CHECK(connection.execute(table_sql(table)));
        for (const Index& index : table.indexes)
            LEFTFOLD_CHECK(connection.execute(index_sql(table, index)));
    }
    {
        LEFTFOLD_TRY(insert, connection.prepare("INSERT INTO _schema VALUES (?)"));
        const std::string description = describe(schema);
        SqliteRun run(connection, insert);
        LEFTFOLD_CHECK(run.bind(std::string_view(description)));
        LEFTFOLD_CHECK(run.finish("write the schema"));
    }
    return connection.execute("COMMIT");
}

Result<SqliteConnection> open_temporary(const std::shared_ptr<SqliteVfs>& vfs, const std::string& path) {
    LEFTFOLD_TRY(connection, SqliteConnection::open(vfs, path, SqliteAccess::create));
    // A failure leaves nothing of it, so that there is nothing to roll back; and it is synced as a whole at the end.
    LEFTFOLD_CHECK(connection.execute("PRAGMA journal_mode = OFF"));
    LEFTFOLD_CHECK(connection.execute("PRAGMA synchronous = OFF"));
    LEFTFOLD_CHECK(connection.execute("PRAGMA temp_store = MEMORY"));
    return connection;
}

// Syncs what `fill` makes under the temporary name and gives it its own.
template <class Fill>
Result<> make_whole(const std::shared_ptr<SqliteVfs>& vfs, const std::string& path, Fill fill) {
    FileSystem& files = vfs->files();
    const std::string temporary = temporary_name(path);
    // A WAL that another database has left under this name would be taken for ours.
    LEFTFOLD_CHECK(remove_files(files, path));
    LEFTFOLD_CHECK(remove_files(files, temporary));
    const auto make = [&]() -> Result<> {
        {
            LEFTFOLD_TRY(connection, open_temporary(vfs, temporary));
            LEFTFOLD_CHECK(fill(connection));
        }
        LEFTFOLD_TRY(file, files.open(temporary, OpenMode::read_write));
        LEFTFOLD_CHECK(file->sync_data());
        return files.rename(temporary, path);
    };
    auto made = make();
    if (!made) {
        // The first failure is the one to report; what is left over is removed by who tries again.
        static_cast<void>(remove_files(files, temporary));
        return made;
    }
    return files.sync_directory(folder_of(path));
}

}  // namespace

Result<> create_database(const std::shared_ptr<SqliteVfs>& vfs, const std::string& path, const Schema& schema) {
    auto made = make_whole(vfs, path, [&](SqliteConnection& connection) -> Result<> {
        LEFTFOLD_CHECK(make_tables(connection, schema));
        return connection.execute("PRAGMA journal_mode = WAL");
    });
    if (made)
        return {};
    return std::unexpected(std::move(made).error().with_context(fmt::format("cannot make row store '{}'", path)));
}

Result<> check_database(SqliteConnection& connection, const Schema& schema) {
    const std::string& path = connection.path();
    LEFTFOLD_TRY(application, connection.integer_of("PRAGMA application_id"));
    if (application != kApplicationId)
        return fail(ErrorCode::corrupt,
                    fmt::format("'{}' is no row store, but some other SQLite database (application id {}). Move it "
                                "away, and the rows are built again from the log",
                                path, application));
    LEFTFOLD_TRY(version, connection.integer_of("PRAGMA user_version"));
    if (version != kFormatVersion)
        return fail(ErrorCode::unsupported,
                    fmt::format("row store '{}' has format {}, this program reads {}. Use a newer one, or delete the "
                                "file, and it is built again from the log",
                                path, version, kFormatVersion));
    LEFTFOLD_TRY(select, connection.prepare("SELECT description FROM _schema"));
    SqliteRun run(connection, select);
    LEFTFOLD_TRY(has_row, run.step("read the schema"));
    if (!has_row)
        return std::unexpected(connection.error(SQLITE_CORRUPT, "read the schema"));
    LEFTFOLD_TRY(stored, run.text(0));
    if (const std::string wanted = describe(schema); stored != wanted)
        return fail(ErrorCode::conflict,
                    fmt::format("row store '{}' has another schema than this program: {}. Delete the file, or give "
                                "the store another name, and it is built from the log",
                                path, first_difference(stored, wanted)));
    return {};
}

Result<> copy_database(SqliteConnection& from, const std::string& path) {
    LEFTFOLD_TRY(exists, from.vfs()->files().exists(path));
    if (exists)
        return fail(ErrorCode::already_exists,
                    fmt::format("cannot copy row store '{}' to '{}': it exists", from.path(), path));
    auto made = make_whole(from.vfs(), path, [&](SqliteConnection& to) -> Result<> {
        sqlite3_backup* backup = sqlite3_backup_init(to.get(), "main", from.get(), "main");
        if (backup == nullptr)
            return std::unexpected(to.error(sqlite3_errcode(to.get()), "begin a copy"));
        const int stepped = sqlite3_backup_step(backup, -1);
        const int finished = sqlite3_backup_finish(backup);
        if (stepped != SQLITE_DONE || finished != SQLITE_OK)
            return std::unexpected(from.error(stepped != SQLITE_DONE ? stepped : finished, "copy it"));
        return {};
    });
    if (made)
        return {};
    return std::unexpected(
        std::move(made).error().with_context(fmt::format("cannot copy row store '{}' to '{}'", from.path(), path)));
}

Result<> remove_database(FileSystem& files, const std::string& path) {
    LEFTFOLD_CHECK(remove_files(files, path));
    return remove_files(files, temporary_name(path));
}

}  // namespace leftfold::rows
