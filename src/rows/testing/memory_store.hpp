// A RowStore in memory, simple and obviously right: the oracle for other engines, and a store for tests of what stands
// on the port. Every transaction copies all rows, so keep it small. What is committed counts as durable.
//
// Thread rule: as of the port; readers may be on other threads.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "leftfold/rows/row_store.hpp"

namespace leftfold::rows {

struct MemoryDatabase;

// Files that outlive the stores opened on them: a test can close and open again. Any copy is the same set of files.
class MemoryStores {
  public:
    MemoryStores();

    // Makes it where missing. `conflict` if it has another schema.
    Result<std::unique_ptr<RowStore>> open(const std::string& path, const Schema& schema);
    bool exists(const std::string& path) const;
    void remove(const std::string& path);

    struct Files;  // only memory_store.cpp knows it

  private:
    std::shared_ptr<Files> files_;
};

// One store, gone when it is destroyed. Throws what is wrong with the schema.
std::unique_ptr<RowStore> make_memory_store(const Schema& schema);

}  // namespace leftfold::rows
