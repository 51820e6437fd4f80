add_compile_options(-Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wcast-align -Wunused -Wnull-dereference -Wimplicit-fallthrough -Wswitch)
# g++ 12 reports these falsely inside libstdc++ and coroutine frames when it optimises.
add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-null-dereference>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-dangling-pointer> $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
# clang 19 (preset `fuzz`) reports what libstdc++ 12 itself calls inside std::stable_sort.
add_compile_options($<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
add_compile_options(-fstack-protector-strong)
add_compile_definitions(SALLYPORT_VERSION="${PROJECT_VERSION}" _FORTIFY_SOURCE=$<IF:$<CONFIG:Release>,2,0> SPDLOG_FMT_EXTERNAL SPDLOG_COMPILED_LIB)
if(SALLYPORT_SANITIZE)
  add_compile_options(-fsanitize=${SALLYPORT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SALLYPORT_SANITIZE})
  # With sanitizers g++ 12 takes every allocation of a coroutine frame for mismatched, also in net.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
  if(SALLYPORT_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-tsan)
  endif()
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now)
