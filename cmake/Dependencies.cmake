# Every dependency, once. docs/dependencies.md says what each is for. A module names what it links with LIBRARIES.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLite3 3.37 REQUIRED)  # STRICT tables
# Used as headers in one source, so its library is not linked; this only says clearly when it is missing.
find_package(tomlplusplus REQUIRED)
# XXH3, as a header alone: one source of log defines XXH_INLINE_ALL.
find_path(LEFTFOLD_XXHASH_INCLUDE_DIR xxhash.h REQUIRED)

if(LEFTFOLD_TESTS)
  find_package(GTest REQUIRED)
endif()
