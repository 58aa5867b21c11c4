// Every engine under the suite of the port.
#include "leftfold/env/real_env.hpp"
#include "leftfold/rows/sqlite_store.hpp"
#include "leftfold/sim/files.hpp"

#include "memory_store.hpp"
#include "row_store_conformance.hpp"
#include "temporary_folder.hpp"

namespace leftfold::rows {
namespace {

class MemoryWorld final : public StoreWorld {
  public:
    Result<std::unique_ptr<RowStore>> open(const std::string& path, const Schema& schema) override {
        return stores_.open(path, schema);
    }

  private:
    MemoryStores stores_;
};

// Small bounds, so that the WAL is copied into the file all the time.
constexpr SqliteOptions kSmall{.checkpoint_wal_bytes = 4096, .wal_bytes_max = 4096};

class DiskWorld final : public StoreWorld {
  public:
    explicit DiskWorld(SqliteOptions options) : options_(options) {}
    std::string path_of(const std::string& name) override { return join_path(folder_.path(), name); }
    Result<std::unique_ptr<RowStore>> open(const std::string& path, const Schema& schema) override {
        return open_sqlite_store(*files_, path, schema, options_);
    }

  private:
    SqliteOptions options_;
    TemporaryFolder folder_;
    std::unique_ptr<FileSystem> files_ = make_real_file_system();
};

class SimWorld final : public StoreWorld {
  public:
    Result<std::unique_ptr<RowStore>> open(const std::string& path, const Schema& schema) override {
        return open_sqlite_store(files_, path, schema);
    }

  private:
    sim::Trace trace_;
    sim::SimFileSystem files_{sim::SimRandom(1), trace_};
};

std::string world_name(const testing::TestParamInfo<StoreWorldFactory>& info) {
    return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    Engines, RowStoreConformance,
    testing::Values(StoreWorldFactory{"Memory", [] { return std::make_unique<MemoryWorld>(); }},
                    StoreWorldFactory{"SqliteOnDisk", [] { return std::make_unique<DiskWorld>(SqliteOptions{}); }},
                    StoreWorldFactory{"SqliteOnDiskWithSmallBounds",
                                      [] { return std::make_unique<DiskWorld>(kSmall); }},
                    StoreWorldFactory{"SqliteInSimulation", [] { return std::make_unique<SimWorld>(); }}),
    world_name);

}  // namespace
}  // namespace leftfold::rows
