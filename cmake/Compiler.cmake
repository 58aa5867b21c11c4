# Flags that every target of the project shares. Consumers of the installed package get only the language level.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

add_library(leftfold_options INTERFACE)
target_compile_options(leftfold_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                                                  -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports members of a moved-from std::expected as maybe uninitialised; clang and the sanitizers watch this for us.
  target_compile_options(leftfold_options INTERFACE -Wno-maybe-uninitialized)
endif()
# CRC-32C uses the processor's instruction, present on every x86-64 server since 2008.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(leftfold_options INTERFACE -msse4.2)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  find_program(LEFTFOLD_LLD NAMES ld.lld-19 ld.lld)
  if(LEFTFOLD_LLD)
    add_link_options(-fuse-ld=lld)
  endif()
endif()

if(LEFTFOLD_SANITIZE)
  add_compile_options(-fsanitize=${LEFTFOLD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${LEFTFOLD_SANITIZE})
endif()
if(LEFTFOLD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(LEFTFOLD_CCACHE ccache)
if(LEFTFOLD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LEFTFOLD_CCACHE})
endif()
