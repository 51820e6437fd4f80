# `src` is never an include directory. Each module is seen through a staged one of its own,
# <build>/inc/<name>/<name> -> src/<name>, so that an include of a module that USES does not
# name fails to build.
function(sallyport_stage name source)
  file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/inc/${name}")
  if(NOT EXISTS "${CMAKE_BINARY_DIR}/inc/${name}/${name}")
    file(CREATE_LINK "${source}" "${CMAKE_BINARY_DIR}/inc/${name}/${name}" SYMBOLIC)
  endif()
endfunction()

set(SALLYPORT_BATCH 1 CACHE STRING "How many sources of a target at most are compiled at once: most of the time goes into headers")

# Batches of nearly the same size. A source that must be an object of its own has SKIP_UNITY_BUILD_INCLUSION.
function(sallyport_batches target)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.cpp$")
  list(LENGTH sources count)
  if(SALLYPORT_BATCH GREATER 1)
    math(EXPR batches "(${count} + ${SALLYPORT_BATCH} - 1) / ${SALLYPORT_BATCH}")
    math(EXPR size "(${count} + ${batches} - 1) / ${batches}")
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${size} SALLYPORT_BATCHES ${batches})
    # What is internal to a source goes into types of the source, and g++ takes it for a header; and a name of one is
    # no shadow for another: the presets that compile one by one look at those.
    target_compile_options(${target} PRIVATE -Wno-shadow
      $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage> $<$<CXX_COMPILER_ID:GNU>:-Wshadow=local>)
  endif()
endfunction()

function(sallyport_module name)
  cmake_parse_arguments(ARG "" "" "USES;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cpp")
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}/src/${name}" "${CMAKE_SOURCE_DIR}/src/${name}/*.hpp")
  sallyport_stage(${name} "${CMAKE_SOURCE_DIR}/src/${name}")
  if(sources)
    add_library(${name} STATIC ${sources})
    sallyport_batches(${name})
    set(kind PUBLIC)
  else()
    add_library(${name} INTERFACE)
    set(kind INTERFACE)
  endif()
  set(base "${CMAKE_BINARY_DIR}/inc/${name}")
  # A header whose own source includes it first has been compiled alone by that; the others are by
  # all_verify_interface_header_sets. Where a precompiled header or the sources of a batch stand in front,
  # tree.headers_name_what_they_use makes up for what they hide.
  set(proven "")
  foreach(header ${headers})
    string(REGEX REPLACE "hpp$" "cpp" source "${CMAKE_SOURCE_DIR}/src/${name}/${header}")
    if(EXISTS "${source}")
      list(APPEND proven "${header}")
    endif()
  endforeach()
  list(REMOVE_ITEM headers ${proven})
  list(TRANSFORM headers PREPEND "${base}/${name}/")
  list(TRANSFORM proven PREPEND "${base}/${name}/")
  target_sources(${name} ${kind} FILE_SET HEADERS BASE_DIRS "${base}" FILES ${proven}
    FILE_SET unproven TYPE HEADERS BASE_DIRS "${base}" FILES ${headers})
  target_link_libraries(${name} ${kind} ${ARG_USES} ${ARG_LINK})
  set_target_properties(${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON INTERFACE_HEADER_SETS_TO_VERIFY unproven)
endfunction()

# For targets where parsing a library costs more than the rest. ccache keeps such sources with -fpch-preprocess and
# the sloppiness that CMakePresets.json sets.
function(sallyport_precompile target)
  get_target_property(batches ${target} SALLYPORT_BATCHES)
  if(batches AND batches LESS 3)
    return()  # it would be read once or twice
  endif()
  target_precompile_headers(${target} PRIVATE ${ARGN})
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()

function(sallyport_program name)
  cmake_parse_arguments(ARG "" "SOURCES" "USES;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${ARG_SOURCES}/*.cpp")
  get_filename_component(stem "${ARG_SOURCES}" NAME)
  sallyport_stage(${stem} "${CMAKE_SOURCE_DIR}/${ARG_SOURCES}")
  add_executable(${name} ${sources})
  sallyport_batches(${name})
  target_include_directories(${name} PRIVATE "${CMAKE_BINARY_DIR}/inc/${stem}")
  target_link_libraries(${name} PRIVATE ${ARG_USES} ${ARG_LINK})
endfunction()

# The program OF with its object WITHOUT replaced by the sources of another folder. What those define of a module's
# library is not taken from there.
function(sallyport_variant name)
  cmake_parse_arguments(ARG "" "OF;SOURCES;WITHOUT" "" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${ARG_SOURCES}/*.cpp")
  add_executable(${name} ${sources} "$<FILTER:$<TARGET_OBJECTS:${ARG_OF}>,EXCLUDE,/${ARG_WITHOUT}\\.cpp>")
  target_include_directories(${name} PRIVATE $<TARGET_PROPERTY:${ARG_OF},INCLUDE_DIRECTORIES>)
  target_link_libraries(${name} PRIVATE $<TARGET_PROPERTY:${ARG_OF},LINK_LIBRARIES>)
endfunction()

# tests/<module>/*.cpp becomes the program <module>_tests. Where a case takes less time than a process takes to start,
# all of them are one run, whose output names the case that crashed; ctest finds the others case by case.
function(sallyport_tests module)
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${module}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${module}_tests ${sources})
  sallyport_batches(${module}_tests)
  target_link_libraries(${module}_tests PRIVATE ${module} ${ARG_USES} test_support GTest::gmock GTest::gtest_main rapidcheck)
  set(headers <gtest/gtest.h> <gmock/gmock.h>)
  if(module MATCHES "^(net|http|est|crl|mqtt|ca|hub|edge|gateway|check)$")
    list(APPEND headers <boost/asio/awaitable.hpp>)
  endif()
  sallyport_precompile(${module}_tests ${headers})
  target_compile_definitions(${module}_tests PRIVATE TEST_DATA="${CMAKE_SOURCE_DIR}/tests/${module}")
  if(module MATCHES "^(base|pki|store|http|mqtt|trust|azure|registry)$")
    add_test(NAME ${module} COMMAND ${module}_tests)
    set_tests_properties(${module} PROPERTIES TIMEOUT 300)
  else()
    gtest_discover_tests(${module}_tests TEST_PREFIX "${module}." DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 120)
  endif()
endfunction()
