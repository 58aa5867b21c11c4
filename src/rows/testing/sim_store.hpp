// SimStore: a SQLite store on a simulated disk, through crashes and faults, beside a store in memory that gets the same
// writes, and an oracle that knows what may be lost.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "leftfold/rows/sqlite_store.hpp"
#include "leftfold/sim/files.hpp"

#include "random_rows.hpp"
#include "store_oracle.hpp"

namespace leftfold::rows {

class SimStore {
  public:
    static constexpr const char* kPath = "rows/store";

    SimStore(std::uint64_t seed, const SqliteOptions& options, sim::PlantedFaults faults = {});

    sim::SimFileSystem& files() noexcept { return files_; }
    const sim::Trace& trace() const noexcept { return trace_; }
    const StoreOracle& oracle() const noexcept { return oracle_; }
    RowStore& store() { return *store_; }
    bool is_open() const noexcept { return store_ != nullptr; }

    // With a reader, closing what was open.
    Result<> open();
    // Of a store just opened: its contents are among those that may be there, and the file is sound.
    std::optional<std::string> check_opened();
    void close();
    void crash();
    void kill();

    // A transaction of `count` random writes.
    Result<> transact(std::uint64_t count);
    // The same, and taken back.
    Result<> transact_and_roll_back(std::uint64_t count);
    Result<> sync();
    // What the store and its reader show is the last commit.
    std::optional<std::string> check();
    // The file at that path is sound, and holds `wanted`.
    std::optional<std::string> check_copy(const std::string& path, const Contents& wanted);

  private:
    enum class Since : std::uint8_t { closed, killed, crashed };

    Result<> begin_and_write(std::uint64_t count);
    std::optional<std::string> check_integrity(const std::string& path);
    std::unique_ptr<RowStore> in_memory(const Contents& contents) const;

    sim::Trace trace_;
    sim::SimFileSystem files_;
    sim::SimRandom random_;
    RandomRows rows_;
    StoreOracle oracle_;
    SqliteOptions options_;
    std::unique_ptr<RowStore> wanted_;
    std::unique_ptr<RowStore> store_;
    std::unique_ptr<RowReader> reader_;
    Since since_ = Since::closed;       // the worst since it was open and checked
    std::uint64_t faults_checked_ = 0;  // faults by then
};

}  // namespace leftfold::rows
