# Every dependency, once. docs/dependencies.md says what each is for. A module names what it links with LIBRARIES.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)

if(LEFTFOLD_TESTS)
  find_package(GTest REQUIRED)
endif()
