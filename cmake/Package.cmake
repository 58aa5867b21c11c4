# Install and export: find_package(leftfold) gives leftfold::app and, where somebody wants less, leftfold::<module>.
# The targets themselves are installed by leftfold_module().

include(CMakePackageConfigHelpers)

# What a consumer of our static libraries must find, by the target that a module links. A library that is missing here
# does not configure, so that an installed package never names a target that nobody has defined.
set(LEFTFOLD_PACKAGE_OF_Threads::Threads "Threads")
set(LEFTFOLD_PACKAGE_OF_fmt::fmt "fmt")
set(LEFTFOLD_PACKAGE_OF_simdjson::simdjson "simdjson")
set(LEFTFOLD_PACKAGE_OF_CLI11::CLI11 "CLI11")
set(LEFTFOLD_PACKAGE_OF_SQLite::SQLite3 "SQLite3")
set(LEFTFOLD_PACKAGE_OF_tomlplusplus::tomlplusplus "tomlplusplus")

function(leftfold_collect_packages out)
  set(packages "")
  foreach(module IN LISTS ARGN)
    if(NOT TARGET leftfold_${module})
      continue()
    endif()
    get_target_property(type leftfold_${module} TYPE)
    if(type STREQUAL "INTERFACE_LIBRARY")
      get_target_property(libraries leftfold_${module} INTERFACE_LINK_LIBRARIES)
    else()
      get_target_property(libraries leftfold_${module} LINK_LIBRARIES)
    endif()
    foreach(library IN LISTS libraries)
      if(library MATCHES "^leftfold" OR library MATCHES "^\\$<BUILD_INTERFACE:" OR NOT library MATCHES "::")
        continue()
      endif()
      if(NOT DEFINED LEFTFOLD_PACKAGE_OF_${library})
        message(FATAL_ERROR "Module '${module}' links ${library}: cmake/Package.cmake does not know its package.")
      endif()
      list(APPEND packages "${LEFTFOLD_PACKAGE_OF_${library}}")
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES packages)
  list(SORT packages)
  set(${out} "${packages}" PARENT_SCOPE)
endfunction()

# All that is installed stands below app; what is test only does not.
leftfold_collect_packages(LEFTFOLD_PACKAGES ${LEFTFOLD_MAY_USE_app} app)
set(LEFTFOLD_FIND_DEPENDENCIES "")
foreach(package IN LISTS LEFTFOLD_PACKAGES)
  string(APPEND LEFTFOLD_FIND_DEPENDENCIES "find_dependency(${package})\n")
endforeach()

set(LEFTFOLD_PACKAGE_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/leftfold)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/leftfold-config.cmake.in
    ${CMAKE_BINARY_DIR}/leftfold-config.cmake
    INSTALL_DESTINATION ${LEFTFOLD_PACKAGE_FOLDER}
    NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/leftfold-config-version.cmake COMPATIBILITY SameMinorVersion)

install(FILES ${CMAKE_BINARY_DIR}/leftfold-config.cmake ${CMAKE_BINARY_DIR}/leftfold-config-version.cmake
              ${CMAKE_CURRENT_LIST_DIR}/Catalogue.cmake
    DESTINATION ${LEFTFOLD_PACKAGE_FOLDER})
install(EXPORT leftfold-targets NAMESPACE leftfold:: FILE leftfold-targets.cmake DESTINATION ${LEFTFOLD_PACKAGE_FOLDER})
install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
