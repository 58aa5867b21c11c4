# cmake -D build=… -D prefix=… -P install.cmake: installs into an empty prefix, so that nothing of an older run is found.
file(REMOVE_RECURSE ${prefix})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${build} --prefix ${prefix} COMMAND_ERROR_IS_FATAL ANY)
