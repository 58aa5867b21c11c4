// The file of a store as a whole: made, copied, removed, and what says whose it is.
#pragma once

#include <memory>
#include <string>

#include "leftfold/rows/row_store.hpp"

#include "sqlite_connection.hpp"

namespace leftfold::rows {

// Makes a file with empty tables: under another name first, so that it is there whole or not at all.
Result<> create_database(const std::shared_ptr<SqliteVfs>& vfs, const std::string& path, const Schema& schema);

// Says how the file at hand differs from what is wanted, if it does.
Result<> check_database(SqliteConnection& connection, const Schema& schema);

// What the connection sees now, as a file of its own; whole or not at all.
Result<> copy_database(SqliteConnection& from, const std::string& path);

Result<> remove_database(FileSystem& files, const std::string& path);

}  // namespace leftfold::rows
