// Rows put and read per second through the store, beside the same statements by SQLite's C API on its own VFS.
//     rows_bench [ROWS] [KEYS]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <sqlite3.h>

#include "leftfold/env/real_env.hpp"
#include "leftfold/rows/sqlite_store.hpp"

#include "temporary_folder.hpp"

namespace leftfold::rows {
namespace {

constexpr std::uint64_t kRowsPerTransaction = 10'000;
const Schema kSchema{{{.name = "balances",
                       .columns = {{.name = "account"},
                                   {.name = "owner"},
                                   {.name = "balance", .type = CellType::integer},
                                   {.name = "entries", .type = CellType::integer}},
                       .key_columns = 1,
                       .indexes = {{.name = "by_balance", .columns = {2}}}}}};

struct Load {
    std::uint64_t rows;
    std::uint64_t keys;

    // Keys spread over all of them, each row another balance.
    std::string key(std::uint64_t number) const { return fmt::format("account-{:08}", number * 7'919 % keys); }
    static std::string owner(std::uint64_t number) { return fmt::format("owner {}", number % 1000); }
    static std::int64_t balance(std::uint64_t number) {
        return static_cast<std::int64_t>(number * 104'729 % 1'000'003);
    }
};

[[noreturn]] void stop(std::string_view what) {
    fmt::print(stderr, "rows_bench: {}\n", what);
    std::exit(1);
}

template <class T>
T expect(Result<T> result) {
    if (!result)
        stop(result.error().message());
    if constexpr (!std::is_void_v<T>)
        return *std::move(result);
}

double per_second(Clock& clock, std::uint64_t count, const std::function<void()>& run) {
    const MonotonicTime begin = clock.monotonic();
    run();
    return static_cast<double>(count) / std::chrono::duration<double>(clock.monotonic() - begin).count();
}

void put_by_store(RowStore& store, const Load& load) {
    for (std::uint64_t first = 0; first < load.rows; first += kRowsPerTransaction) {
        expect(store.begin());
        for (std::uint64_t i = first; i < std::min(first + kRowsPerTransaction, load.rows); ++i)
            expect(store.put(TableId(0), Row{load.key(i), Load::owner(i), Load::balance(i), std::int64_t{1}}));
        expect(store.set_position({"bank.account", PartitionId(0), Position(static_cast<std::int64_t>(first))}));
        expect(store.commit());
    }
}

void get_by_reader(RowReader& reader, const Load& load, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        const Cell key = load.key(i * 31);
        if (!expect(reader.get(TableId(0), {&key, 1})))
            stop("a row is missing");
    }
}

class Plain {
  public:
    explicit Plain(const std::string& path) {
        check(sqlite3_open_v2(path.c_str(), &database_,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr));
        for (const char* sql :
             {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA cache_size = -16384",
              "PRAGMA temp_store = MEMORY", "PRAGMA wal_autocheckpoint = 4096",
              "CREATE TABLE balances (account TEXT NOT NULL, owner TEXT NOT NULL, balance INTEGER NOT NULL, entries "
              "INTEGER NOT NULL, PRIMARY KEY (account)) STRICT, WITHOUT ROWID",
              "CREATE INDEX by_balance ON balances (balance)",
              "CREATE TABLE positions (topic TEXT, part INTEGER, position INTEGER, PRIMARY KEY (topic, part)) WITHOUT "
              "ROWID"})
            run(sql);
        check(sqlite3_prepare_v2(database_, "REPLACE INTO balances VALUES (?, ?, ?, ?)", -1, &put_, nullptr));
        check(sqlite3_prepare_v2(database_, "SELECT account, owner, balance, entries FROM balances WHERE account = ?",
                                 -1, &get_, nullptr));
    }
    ~Plain() {
        sqlite3_finalize(put_);
        sqlite3_finalize(get_);
        sqlite3_close(database_);
    }
    Plain(const Plain&) = delete;
    Plain& operator=(const Plain&) = delete;

    void put_all(const Load& load) {
        for (std::uint64_t first = 0; first < load.rows; first += kRowsPerTransaction) {
            run("BEGIN IMMEDIATE");
            for (std::uint64_t i = first; i < std::min(first + kRowsPerTransaction, load.rows); ++i)
                put(load, i);
            run(fmt::format("REPLACE INTO positions VALUES ('bank.account', 0, {})", first).c_str());
            run("COMMIT");
        }
    }
    void get_all(const Load& load, std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::string key = load.key(i * 31);
            sqlite3_bind_text(get_, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
            if (sqlite3_step(get_) != SQLITE_ROW)
                stop("a row is missing");
            total_ += text(0).size() + text(1).size() + static_cast<std::size_t>(sqlite3_column_int64(get_, 2)) +
                      static_cast<std::size_t>(sqlite3_column_int64(get_, 3));
            sqlite3_reset(get_);
        }
    }
    std::size_t total() const noexcept { return total_; }

  private:
    static void check(int code) {
        if (code != SQLITE_OK && code != SQLITE_DONE)
            stop(sqlite3_errstr(code));
    }
    void run(const char* sql) { check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr)); }
    std::string text(int column) {
        return {reinterpret_cast<const char*>(sqlite3_column_text(get_, column)),
                static_cast<std::size_t>(sqlite3_column_bytes(get_, column))};
    }
    void put(const Load& load, std::uint64_t i) {
        const std::string key = load.key(i);
        const std::string owner = Load::owner(i);
        sqlite3_bind_text(put_, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
        sqlite3_bind_text(put_, 2, owner.data(), static_cast<int>(owner.size()), SQLITE_STATIC);
        sqlite3_bind_int64(put_, 3, Load::balance(i));
        sqlite3_bind_int64(put_, 4, 1);
        check(sqlite3_step(put_));
        sqlite3_reset(put_);
    }

    sqlite3* database_ = nullptr;
    sqlite3_stmt* put_ = nullptr;
    sqlite3_stmt* get_ = nullptr;
    std::size_t total_ = 0;
};

int run(const Load& load) {
    const std::uint64_t gets = load.rows;
    RealEnv real;
    Clock& clock = real.env().clock;
    for (int round = 0; round < 3; ++round) {
        const TemporaryFolder folder;
        auto store = expect(open_sqlite_store(real.env().files, join_path(folder.path(), "store"), kSchema));
        const double puts_of_store = per_second(clock, load.rows, [&] { put_by_store(*store, load); });
        auto reader = expect(store->reader());
        const double gets_of_reader = per_second(clock, gets, [&] { get_by_reader(*reader, load, gets); });
        Plain plain(join_path(folder.path(), "plain"));
        const double puts_of_plain = per_second(clock, load.rows, [&] { plain.put_all(load); });
        const double gets_of_plain = per_second(clock, gets, [&] { plain.get_all(load, gets); });
        if (plain.total() == 0)
            stop("nothing was read");
        fmt::print(
            "put/s  store {:9.0f}  plain {:9.0f}  ratio {:.2f}    get/s  reader {:9.0f}  plain {:9.0f}  ratio {:.2f}\n",
            puts_of_store, puts_of_plain, puts_of_store / puts_of_plain, gets_of_reader, gets_of_plain,
            gets_of_reader / gets_of_plain);
    }
    return 0;
}

}  // namespace
}  // namespace leftfold::rows

int main(int argc, char** argv) {
    const auto number = [&](int index, std::uint64_t otherwise) {
        return index < argc ? std::strtoull(argv[index], nullptr, 10) : otherwise;
    };
    return leftfold::rows::run({.rows = number(1, 500'000), .keys = number(2, 100'000)});
}
