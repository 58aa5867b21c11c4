#include "leftfold/rows/sqlite_store.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

#include "schema.hpp"
#include "sqlite_file.hpp"
#include "sqlite_rows.hpp"

namespace leftfold::rows {

namespace {

constexpr std::uint64_t kPageBytes = 4096;
// How long a begin at the bound of the WAL waits for readers, and in which steps.
constexpr std::chrono::milliseconds kReaderWaitStep{10};
constexpr int kReaderWaitSteps = 500;

Result<> configure(SqliteConnection& connection, std::uint64_t cache_bytes, std::uint64_t wal_bytes_max) {
    LEFTFOLD_CHECK(
        connection.execute(fmt::format("PRAGMA cache_size = -{}", std::max<std::uint64_t>(1, cache_bytes / 1024))));
    LEFTFOLD_CHECK(connection.execute("PRAGMA temp_store = MEMORY"));
    // A commit does not sync; copying the WAL into the file does, in SQLite's own order.
    LEFTFOLD_CHECK(connection.execute("PRAGMA synchronous = NORMAL"));
    LEFTFOLD_CHECK(connection.execute(fmt::format("PRAGMA journal_size_limit = {}", wal_bytes_max)));
    sqlite3_wal_autocheckpoint(connection.get(), 0);  // the store does it
    return {};
}

class SqliteReader final : public RowReader {
  public:
    explicit SqliteReader(SqliteRows rows) : rows_(std::move(rows)) {}

    Result<std::optional<Row>> get(TableId table, std::span<const Cell> key) override { return rows_.get(table, key); }
    Result<std::vector<Row>> query(const Query& query) override { return rows_.query(query); }
    Result<std::uint64_t> count(const Query& query) override { return rows_.count(query); }
    Result<std::vector<FoldedPosition>> positions() override { return rows_.positions(); }
    Result<std::optional<std::string>> value(std::string_view name) override { return rows_.value(name); }

  private:
    SqliteRows rows_;
};

class SqliteStore final : public RowStore {
  public:
    SqliteStore(SqliteRows rows, const SqliteOptions& options);
    ~SqliteStore() override { rollback(); }

    const Schema& schema() const noexcept override { return *rows_.schema(); }

    Result<std::optional<Row>> get(TableId table, std::span<const Cell> key) override { return rows_.get(table, key); }
    Result<std::vector<Row>> query(const Query& query) override { return rows_.query(query); }
    Result<std::uint64_t> count(const Query& query) override { return rows_.count(query); }
    Result<std::vector<FoldedPosition>> positions() override { return rows_.positions(); }
    Result<std::optional<std::string>> value(std::string_view name) override { return rows_.value(name); }

    Result<> begin() override;
    Result<> put(TableId id, std::span<const Cell> row) override;
    Result<> erase(TableId id, std::span<const Cell> key) override;
    Result<> set_position(const FoldedPosition& position) override;
    Result<> set_value(std::string_view name, std::string_view value) override;
    Result<> commit() override;
    void rollback() override;

    Result<std::unique_ptr<RowReader>> reader() override;
    Result<> sync() override;
    Result<> copy_to(const std::string& path) override;

  private:
    // Runs a write unless one before it has failed: then that is its error too.
    template <class Write>
    Result<> write(Write write_it);
    Result<> run_with(const SqliteStatement& statement, std::span<const Cell> cells, std::string_view what);
    Result<const SqliteStatement*> prepared(SqliteStatement& statement, const std::string& sql);

    // Copies the WAL into the file; RESTART also waits for readers, so that the next transaction writes it from its
    // beginning.
    Result<> checkpoint(int mode);
    void wal_has(std::uint64_t pages);

    SqliteRows rows_;
    SqliteOptions options_;
    std::shared_ptr<SharedDatabase> shared_;
    std::vector<SqliteStatement> puts_;    // by table
    std::vector<SqliteStatement> erases_;  // by table
    std::optional<Error> failure_;         // of the first write of the transaction that failed
    std::uint64_t wal_pages_ = 0;
    std::uint64_t checkpoint_at_pages_;
    bool is_in_transaction_ = false;
    bool is_synced_ = false;
};

SqliteStore::SqliteStore(SqliteRows rows, const SqliteOptions& options)
    : rows_(std::move(rows)),
      options_(options),
      shared_(rows_.connection().vfs()->shared(rows_.connection().path())),
      puts_(schema().tables.size()),
      erases_(schema().tables.size()),
      checkpoint_at_pages_(options.checkpoint_wal_bytes / kPageBytes) {
    sqlite3_wal_hook(
        rows_.connection().get(),
        [](void* self, sqlite3*, const char*, int pages) {
            static_cast<SqliteStore*>(self)->wal_has(static_cast<std::uint64_t>(pages));
            return SQLITE_OK;
        },
        this);
}

void SqliteStore::wal_has(std::uint64_t pages) {
    if (pages < wal_pages_)  // written from its beginning again
        checkpoint_at_pages_ = options_.checkpoint_wal_bytes / kPageBytes;
    wal_pages_ = pages;
}

Result<> SqliteStore::begin() {
    LEFTFOLD_ASSERT(!is_in_transaction_);
    if (auto refusal = shared_->refusal(rows_.connection().path()))
        return std::unexpected(*std::move(refusal));
    if (wal_pages_ >= options_.wal_bytes_max / kPageBytes)
        LEFTFOLD_CHECK(checkpoint(SQLITE_CHECKPOINT_RESTART));
    LEFTFOLD_CHECK(rows_.run("BEGIN IMMEDIATE", "begin a transaction"));
    is_in_transaction_ = true;
    failure_ = std::nullopt;
    return {};
}

template <class Write>
Result<> SqliteStore::write(Write write_it) {
    LEFTFOLD_ASSERT(is_in_transaction_);
    if (failure_)
        return std::unexpected(*failure_);
    Result<> written = write_it();
    if (!written)
        failure_ = written.error();
    return written;
}

Result<const SqliteStatement*> SqliteStore::prepared(SqliteStatement& statement, const std::string& sql) {
    LEFTFOLD_TRY(made, rows_.connection().prepare(sql));
    statement = std::move(made);
    return &statement;
}

Result<> SqliteStore::run_with(const SqliteStatement& statement, std::span<const Cell> cells, std::string_view what) {
    SqliteRun run(rows_.connection(), statement);
    for (const Cell& cell : cells)
        LEFTFOLD_CHECK(run.bind(cell));
    return run.finish(what);
}

Result<> SqliteStore::put(TableId id, std::span<const Cell> row) {
    return write([&]() -> Result<> {
        LEFTFOLD_TRY(table, find_table(schema(), id));
        LEFTFOLD_CHECK(check_row(*table, row));
        SqliteStatement& statement = puts_[id.value()];
        if (!statement) {
            std::string marks = "?";
            for (std::size_t i = 1; i < table->columns.size(); ++i)
                marks += ", ?";
            LEFTFOLD_CHECK(prepared(statement, fmt::format("REPLACE INTO {} VALUES ({})", quoted(table->name), marks)));
        }
        return run_with(statement, row, "write a row");
    });
}

Result<> SqliteStore::erase(TableId id, std::span<const Cell> key) {
    return write([&]() -> Result<> {
        LEFTFOLD_TRY(table, find_table(schema(), id));
        LEFTFOLD_CHECK(check_key(*table, key));
        SqliteStatement& statement = erases_[id.value()];
        if (!statement)
            LEFTFOLD_CHECK(prepared(
                statement, fmt::format("DELETE FROM {} WHERE {}", quoted(table->name), key_condition(*table))));
        return run_with(statement, key, "erase a row");
    });
}

Result<> SqliteStore::set_position(const FoldedPosition& position) {
    return write([&]() -> Result<> {
        LEFTFOLD_TRY(statement, rows_.statement("REPLACE INTO _positions VALUES (?, ?, ?)"));
        SqliteRun run(rows_.connection(), *statement);
        LEFTFOLD_CHECK(run.bind(std::string_view(position.topic)));
        LEFTFOLD_CHECK(run.bind(std::int64_t{position.partition.value()}));
        LEFTFOLD_CHECK(run.bind(position.position.value()));
        return run.finish("write a position");
    });
}

Result<> SqliteStore::set_value(std::string_view name, std::string_view value) {
    return write([&]() -> Result<> {
        LEFTFOLD_TRY(statement, rows_.statement("REPLACE INTO _values VALUES (?, ?)"));
        SqliteRun run(rows_.connection(), *statement);
        LEFTFOLD_CHECK(run.bind(name));
        LEFTFOLD_CHECK(run.bind(value));
        return run.finish("write a value");
    });
}

Result<> SqliteStore::commit() {
    auto committed = write([&] { return rows_.run("COMMIT", "commit"); });
    if (!committed) {
        rollback();
        return committed;
    }
    is_in_transaction_ = false;
    is_synced_ = false;
    if (wal_pages_ >= checkpoint_at_pages_) {
        // What is committed stays so. What has failed is tried again when there is more, and told at the bound.
        static_cast<void>(checkpoint(SQLITE_CHECKPOINT_PASSIVE));
        checkpoint_at_pages_ = wal_pages_ + options_.checkpoint_wal_bytes / kPageBytes;
    }
    return {};
}

void SqliteStore::rollback() {
    if (!is_in_transaction_)
        return;
    is_in_transaction_ = false;
    // SQLite itself has rolled back after some errors; what fails now fails by them again.
    if (rows_.connection().is_in_transaction())
        static_cast<void>(rows_.run("ROLLBACK", "roll back"));
    static_cast<void>(take_vfs_error());
}

Result<std::unique_ptr<RowReader>> SqliteStore::reader() {
    SqliteConnection& mine = rows_.connection();
    LEFTFOLD_TRY(connection, SqliteConnection::open(mine.vfs(), mine.path(), SqliteAccess::read));
    LEFTFOLD_CHECK(configure(connection, options_.reader_cache_bytes, options_.wal_bytes_max));
    return std::make_unique<SqliteReader>(SqliteRows(std::move(connection), rows_.schema()));
}

Result<> SqliteStore::sync() {
    if (is_synced_)
        return {};
    SqliteConnection& connection = rows_.connection();
    sqlite3_file* wal = nullptr;
    const int found =
        sqlite3_file_control(connection.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&wal));
    LEFTFOLD_ASSERT(found == SQLITE_OK && wal != nullptr && wal->pMethods != nullptr);
    if (const int code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL); code != SQLITE_OK)
        return std::unexpected(connection.error(code, "sync it"));
    is_synced_ = true;
    return {};
}

Result<> SqliteStore::copy_to(const std::string& path) {
    LEFTFOLD_ASSERT(!is_in_transaction_);
    return copy_database(rows_.connection(), path);
}

Result<> SqliteStore::checkpoint(int mode) {
    sqlite3* database = rows_.connection().get();
    const auto wait = [](void* vfs, int round) {
        static_cast<SqliteVfs*>(vfs)->released().wait(kReaderWaitStep);
        return round < kReaderWaitSteps ? 1 : 0;
    };
    sqlite3_busy_handler(database, wait, rows_.connection().vfs().get());
    const int code = sqlite3_wal_checkpoint_v2(database, "main", mode, nullptr, nullptr);
    sqlite3_busy_handler(database, nullptr, nullptr);
    if (code != SQLITE_OK)
        return std::unexpected(rows_.connection().error(code, "copy the WAL into the file"));
    if (mode == SQLITE_CHECKPOINT_RESTART) {
        wal_pages_ = 0;
        checkpoint_at_pages_ = options_.checkpoint_wal_bytes / kPageBytes;
    }
    return {};
}

Result<> check_options(const SqliteOptions& options) {
    if (options.checkpoint_wal_bytes < kPageBytes || options.wal_bytes_max < options.checkpoint_wal_bytes)
        return fail(ErrorCode::invalid_argument,
                    fmt::format("options of a row store: checkpoint_wal_bytes ({}) must be at least {}, and "
                                "wal_bytes_max ({}) no less",
                                options.checkpoint_wal_bytes, kPageBytes, options.wal_bytes_max));
    return {};
}

}  // namespace

Result<std::unique_ptr<RowStore>> open_sqlite_store(FileSystem& files, const std::string& path, const Schema& schema,
                                                    const SqliteOptions& options) {
    LEFTFOLD_CHECK(check_schema(schema));
    LEFTFOLD_CHECK(check_options(options));
    const std::shared_ptr<SqliteVfs> vfs = SqliteVfs::of(files);
    LEFTFOLD_TRY(exists, files.exists(path));
    if (!exists)
        LEFTFOLD_CHECK(create_database(vfs, path, schema));
    LEFTFOLD_TRY(connection, SqliteConnection::open(vfs, path, SqliteAccess::read_write));
    LEFTFOLD_CHECK(configure(connection, options.writer_cache_bytes, options.wal_bytes_max));
    LEFTFOLD_CHECK(check_database(connection, schema));
    SqliteRows rows(std::move(connection), std::make_shared<const Schema>(schema));
    return std::make_unique<SqliteStore>(std::move(rows), options);
}

Result<> remove_sqlite_store(FileSystem& files, const std::string& path) {
    return remove_database(files, path);
}

}  // namespace leftfold::rows
