find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(SQLiteCpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)

# Debian's libargon2 has no CMake package.
find_path(ARGON2_INCLUDE argon2.h REQUIRED)
find_library(ARGON2_LIBRARY argon2 REQUIRED)
add_library(Argon2::argon2 UNKNOWN IMPORTED)
set_target_properties(Argon2::argon2 PROPERTIES IMPORTED_LOCATION "${ARGON2_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${ARGON2_INCLUDE}")

# Debian ships CLI11 and toml11 as headers alone.
add_library(CLI11 INTERFACE)
