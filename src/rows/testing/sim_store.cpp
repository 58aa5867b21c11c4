#include "sim_store.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "memory_store.hpp"
#include "sqlite_connection.hpp"

namespace leftfold::rows {

SimStore::SimStore(std::uint64_t seed, const SqliteOptions& options, sim::PlantedFaults faults)
    : files_(sim::SimRandom(seed, "disk"), trace_),
      random_(seed, "rows"),
      rows_(random_),
      oracle_(rows_.schema()),
      options_(options),
      wanted_(make_memory_store(rows_.schema())) {
    // The folder is there, durably: who opens a store has seen to it.
    static_cast<void>(files_.create_directories("rows"));
    static_cast<void>(files_.sync_directory("."));
    static_cast<void>(files_.sync_directory("/"));
    files_.plant(faults);
}

Result<> SimStore::open() {
    close();
    LEFTFOLD_TRY(store, open_sqlite_store(files_, kPath, rows_.schema(), options_));
    LEFTFOLD_TRY(reader, store->reader());
    store_ = std::move(store);
    reader_ = std::move(reader);
    return {};
}

void SimStore::close() {
    reader_.reset();
    store_.reset();
}

void SimStore::crash() {
    files_.power_off();
    close();
    files_.crash();
    since_ = Since::crashed;
}

void SimStore::kill() {
    files_.power_off();
    close();
    files_.kill_process();
    since_ = std::max(since_, Since::killed);
}

std::optional<std::string> SimStore::check_opened() {
    const auto found = contents_of(*store_, rows_.schema());
    if (!found)
        return found.error().message();
    std::optional<std::string> problem;
    if (since_ == Since::crashed)
        problem = oracle_.check_after_crash(*found);
    else if (files_.fault_count() != faults_checked_)
        problem = oracle_.check_after_fault(*found);
    else
        problem = oracle_.check_after_kill(*found);
    if (problem)
        return problem;
    since_ = Since::closed;
    faults_checked_ = files_.fault_count();
    wanted_ = in_memory(*found);
    return check_integrity(kPath);
}

std::unique_ptr<RowStore> SimStore::in_memory(const Contents& contents) const {
    auto store = make_memory_store(rows_.schema());
    static_cast<void>(store->begin());
    for (std::uint32_t i = 0; i < contents.tables.size(); ++i) {
        for (const Row& row : contents.tables[i])
            static_cast<void>(store->put(TableId(i), row));
    }
    for (const FoldedPosition& position : contents.positions)
        static_cast<void>(store->set_position(position));
    for (std::size_t i = 0; i < contents.values.size(); ++i) {
        if (contents.values[i])
            static_cast<void>(store->set_value(kValueNames[i], *contents.values[i]));
    }
    static_cast<void>(store->commit());
    return store;
}

Result<> SimStore::begin_and_write(std::uint64_t count) {
    LEFTFOLD_CHECK(store_->begin());
    static_cast<void>(wanted_->begin());
    const std::array<RowStore*, 2> both{store_.get(), wanted_.get()};
    for (std::uint64_t i = 0; i < count; ++i)
        rows_.write(both);
    return {};
}

Result<> SimStore::transact(std::uint64_t count) {
    LEFTFOLD_CHECK(begin_and_write(count));
    Contents attempted = *contents_of(*wanted_, rows_.schema());
    auto committed = store_->commit();
    if (committed) {
        static_cast<void>(wanted_->commit());
        oracle_.committed(std::move(attempted));
    } else {
        wanted_->rollback();
        oracle_.commit_failed(std::move(attempted));
    }
    return committed;
}

Result<> SimStore::transact_and_roll_back(std::uint64_t count) {
    LEFTFOLD_CHECK(begin_and_write(count));
    store_->rollback();
    wanted_->rollback();
    return {};
}

Result<> SimStore::sync() {
    LEFTFOLD_CHECK(store_->sync());
    oracle_.synced();
    return {};
}

std::optional<std::string> SimStore::check() {
    for (RowReader* reader : {static_cast<RowReader*>(store_.get()), reader_.get()}) {
        const auto found = contents_of(*reader, rows_.schema());
        if (!found)
            return found.error().message();
        if (*found != oracle_.now())
            return reader == store_.get() ? "the store shows another state than the last commit"
                                          : "the reader shows another state than the last commit";
    }
    return std::nullopt;
}

std::optional<std::string> SimStore::check_integrity(const std::string& path) {
    auto connection = SqliteConnection::open(SqliteVfs::of(files_), path, SqliteAccess::read);
    if (!connection)
        return connection.error().message();
    const auto statement = connection->prepare("PRAGMA integrity_check");
    if (!statement)
        return statement.error().message();
    SqliteRun run(*connection, *statement);
    const auto has_row = run.step("check the file");
    if (!has_row)
        return has_row.error().message();
    const auto verdict = run.text(0);
    return verdict && *verdict == "ok" ? std::nullopt : std::optional("damaged: " + verdict.value_or("no answer"));
}

std::optional<std::string> SimStore::check_copy(const std::string& path, const Contents& wanted) {
    auto copy = open_sqlite_store(files_, path, rows_.schema(), options_);
    if (!copy)
        return "copy: " + copy.error().message();
    const auto found = contents_of(**copy, rows_.schema());
    if (!found)
        return "copy: " + found.error().message();
    if (*found != wanted)
        return "the copy holds other contents";
    return check_integrity(path);
}

}  // namespace leftfold::rows
