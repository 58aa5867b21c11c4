# leftfold_catalogue(<target> <golden file>)
#
# Whenever the service <target> is built, compares the event types that it stores with the committed <golden file>, and fails
# the build if one was renamed or changed, saying what to do. For users too: the installed package brings it along.
function(leftfold_catalogue target golden_file)
  get_filename_component(golden ${golden_file} ABSOLUTE)
  set(checked ${CMAKE_CURRENT_BINARY_DIR}/${target}.catalogue-checked)
  # A file that is not there yet is a mistake to be explained, not a missing dependency.
  set(depends ${target})
  if(EXISTS ${golden})
    list(APPEND depends ${golden})
  endif()
  # Without the environment: a service refuses LEFTFOLD_ variables that it does not know, and other programs have theirs.
  # A stamp, not a step of the link: the binary stays, since it is what writes the file anew.
  add_custom_command(OUTPUT ${checked}
      COMMAND env -i $<TARGET_FILE:${target}> catalogue --check ${golden}
      COMMAND ${CMAKE_COMMAND} -E touch ${checked}
      DEPENDS ${depends}
      COMMENT "Comparing the stored event types of ${target} with ${golden_file}"
      VERBATIM)
  get_target_property(is_extra ${target} EXCLUDE_FROM_ALL)
  if(is_extra)
    add_custom_target(${target}_catalogue DEPENDS ${checked})
  else()
    add_custom_target(${target}_catalogue ALL DEPENDS ${checked})
  endif()
endfunction()
