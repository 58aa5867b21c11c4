# leftfold_compile_fail_test(<name> <source> EXPECT <regex> [LIBRARIES <targets>])
#
# A test that passes if the compiler refuses <source> and says <regex> while doing so. The source is compiled when the test
# runs, with the flags of leftfold_options and the include directories of LIBRARIES (default: the target of the folder's
# module, leftfold_<folder>). A source with -DLEFTFOLD_COMPILES defined must compile, so that a test cannot pass for another
# mistake in it: put the wrong line under #ifndef LEFTFOLD_COMPILES.
function(leftfold_compile_fail_test name source)
  cmake_parse_arguments(arg "" "EXPECT" "LIBRARIES" ${ARGN})
  if(NOT arg_EXPECT)
    message(FATAL_ERROR "leftfold_compile_fail_test(${name}): EXPECT <regex> is missing.")
  endif()
  if(NOT LEFTFOLD_TESTS)
    return()
  endif()
  if(NOT arg_LIBRARIES)
    get_filename_component(module ${CMAKE_CURRENT_SOURCE_DIR} NAME)
    set(arg_LIBRARIES leftfold_${module})
  endif()

  # An object library that no other target builds: only the test does, and CMake knows its flags.
  foreach(kind bad good)
    set(target compile_fail.${name}.${kind})
    add_library(${target} OBJECT EXCLUDE_FROM_ALL ${source})
    target_link_libraries(${target} PRIVATE leftfold_options ${arg_LIBRARIES})
    set_target_properties(${target} PROPERTIES EXPORT_COMPILE_COMMANDS OFF)  # clang-tidy would stumble over them
    if(kind STREQUAL good)
      target_compile_definitions(${target} PRIVATE LEFTFOLD_COMPILES)
    endif()
    add_test(NAME ${target} COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target ${target})
    # Two builds in one tree at once would wait for, or disturb, each other.
    set_tests_properties(${target} PROPERTIES LABELS compile_fail RESOURCE_LOCK build_tree TIMEOUT 120)
  endforeach()
  set_tests_properties(compile_fail.${name}.bad PROPERTIES PASS_REGULAR_EXPRESSION "${arg_EXPECT}")
endfunction()
