# A module is a folder of src/: include/leftfold/<module>/ for its public headers, sources and tests beside them.
#
# leftfold_module(<name>
#     DEPENDS   <modules whose headers its public headers or sources include>
#     SOURCES   <sources>
#     LIBRARIES <imported targets; private: no public header may include a dependency>
#     TESTS     <test sources; become the one binary <name>_test>
#     TEST_DEPENDS <modules that only the tests use>
#     TEST_LIBRARIES <imported targets that only the tests use>
#     FUZZ      <fuzz target sources, fuzz/<target>.cpp with its corpus in fuzz/corpus/<target>/>)
#
# The table below is the architecture: an edge that it does not allow does not configure. Lower never includes upper,
# and siblings of a row never see each other.

set(LEFTFOLD_MAY_USE_base "")
set(LEFTFOLD_MAY_USE_env base)
set(LEFTFOLD_MAY_USE_rows base env)
set(LEFTFOLD_MAY_USE_event base)
set(LEFTFOLD_MAY_USE_log base env event)
set(LEFTFOLD_MAY_USE_aggregate base env event log)
set(LEFTFOLD_MAY_USE_projection base env event log rows)
set(LEFTFOLD_MAY_USE_telemetry base env)
set(LEFTFOLD_MAY_USE_http base env)
set(LEFTFOLD_MAY_USE_gateway base env event log aggregate telemetry http)
set(LEFTFOLD_MAY_USE_app base env event log aggregate telemetry http gateway)
# Test only: nothing that is installed may depend on it.
set(LEFTFOLD_MAY_USE_sim base env)

function(leftfold_check_edges from)
  foreach(to IN LISTS ARGN)
    if(NOT to IN_LIST LEFTFOLD_MAY_USE_${from})
      message(FATAL_ERROR "Module '${from}' may not use '${to}'. Allowed: ${LEFTFOLD_MAY_USE_${from}} "
                          "(cmake/Modules.cmake holds the table, ARCHITECTURE.md the reasons).")
    endif()
  endforeach()
endfunction()

function(leftfold_module name)
  cmake_parse_arguments(arg "TEST_ONLY" ""
      "DEPENDS;SOURCES;LIBRARIES;TESTS;TEST_DEPENDS;TEST_LIBRARIES;FUZZ" ${ARGN})
  if(NOT DEFINED LEFTFOLD_MAY_USE_${name})
    message(FATAL_ERROR "Module '${name}' is not in the table of cmake/Modules.cmake.")
  endif()
  leftfold_check_edges(${name} ${arg_DEPENDS})

  set(target leftfold_${name})
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:leftfold_options> ${arg_LIBRARIES})
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(leftfold::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${target} ${scope} cxx_std_23)
  target_include_directories(${target} ${scope}
      $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  list(TRANSFORM arg_DEPENDS PREPEND leftfold:: OUTPUT_VARIABLE depends)
  target_link_libraries(${target} ${scope} ${depends})

  if(PROJECT_IS_TOP_LEVEL AND NOT arg_TEST_ONLY)
    install(TARGETS ${target} EXPORT leftfold-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endif()

  if(LEFTFOLD_TESTS AND arg_TESTS)
    add_executable(${name}_test ${arg_TESTS})
    list(TRANSFORM arg_TEST_DEPENDS PREPEND leftfold:: OUTPUT_VARIABLE test_depends)
    target_link_libraries(${name}_test PRIVATE leftfold_options ${target} ${test_depends} ${arg_LIBRARIES}
                                               ${arg_TEST_LIBRARIES} GTest::gmock GTest::gtest_main)
    target_include_directories(${name}_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    leftfold_gtest(${name}_test ${name})
  endif()

  if(LEFTFOLD_FUZZ)
    foreach(source IN LISTS arg_FUZZ)
      leftfold_fuzz_target(${target} ${source})
    endforeach()
  endif()
endfunction()

# Registers every case of a GoogleTest binary with ctest, under the label of its module.
function(leftfold_gtest target label)
  include(GoogleTest)
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST PROPERTIES LABELS ${label} TIMEOUT 300)
endfunction()

# A libFuzzer binary. As a test it runs its corpus and then LEFTFOLD_FUZZ_SECONDS of new inputs.
set(LEFTFOLD_FUZZ_SECONDS 5 CACHE STRING "Seconds of new inputs per fuzz target when run as a test")
function(leftfold_fuzz_target library source)
  get_filename_component(name ${source} NAME_WE)
  add_executable(fuzz_${name} ${source})
  target_link_libraries(fuzz_${name} PRIVATE leftfold_options ${library})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  get_filename_component(folder ${source} DIRECTORY)
  set(work ${CMAKE_CURRENT_BINARY_DIR}/fuzz_${name}_new)
  file(MAKE_DIRECTORY ${work})
  add_test(NAME fuzz.${name}
           COMMAND fuzz_${name} -max_total_time=${LEFTFOLD_FUZZ_SECONDS} -timeout=10 -rss_limit_mb=2048 -print_final_stats=0
                   -verbosity=0 ${work} ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/corpus/${name})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()
